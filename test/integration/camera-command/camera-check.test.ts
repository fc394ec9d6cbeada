/** `scripts/camera check` and `add` against simulated cameras. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  lstatSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ApplianceConfig, CameraCredential, parse, parseWithDefaults } from '@dachawatch/contracts';
import { startMadeCamera } from '../../../hardware/simulators/camera/made-camera.ts';
import { makePictures, type MadePicture } from '../../../hardware/simulators/camera/made-pictures.ts';
import { startRtspProxy } from '../../../hardware/simulators/camera/rtsp-proxy.ts';
import { camera, folder, json, loginFile } from './camera-command.ts';

interface Checked {
  readonly usable: boolean;
  readonly picture: string | null;
  readonly streams: readonly {
    readonly stream: string;
    readonly loginBy: string | null;
    readonly trouble: string | null;
    readonly measures: {
      readonly widthPx: number;
      readonly heightPx: number;
      readonly keyFrames: number;
    } | null;
  }[];
  readonly advice: readonly {
    readonly stream: string;
    readonly isFatal: boolean;
    readonly sentence: string;
  }[];
}

let large: MadePicture[];
let small: MadePicture[];
before(async () => {
  large = await makePictures({ fps: 5, seconds: 2, width: 1280, height: 720 });
  small = await makePictures({ fps: 5, seconds: 2 });
});

const LOGIN = { username: 'viewer', password: 'plain' };

async function start(t: TestContext) {
  const made = await startMadeCamera({
    main: { fps: 5, takes: [{ pictures: large }] },
    sub: { fps: 5, takes: [{ pictures: small }] },
  });
  t.after(() => made.stop());
  return made;
}

/** The same camera behind a login. */
async function startLocked(t: TestContext) {
  const { mainUrl } = await start(t);
  const proxy = await startRtspProxy({
    login: LOGIN,
    schemes: ['md5'],
    cameraPort: Number(new URL(mainUrl).port),
  });
  t.after(() => proxy.stop());
  return proxy;
}

describe('scripts/camera check', { concurrency: 3 }, () => {
  test('a camera that can be used: what it is, the login, and a picture of it', async (t) => {
    const proxy = await startLocked(t);
    const dir = folder(t);
    const picture = join(dir, 'now.jpg');
    const said = await camera(
      ['check', proxy.mainUrl, '--sub', proxy.subUrl, '--picture', picture, '--json'],
      {
        DACHAWATCH_CAMERA_LOGIN: 'viewer:plain',
      },
    );
    assert.equal(said.code, 0, said.stdout + said.stderr);
    const { usable, streams, picture: named } = json<Checked>(said);
    assert.ok(usable);
    assert.deepEqual(
      streams.map(({ stream, loginBy, measures }) => [
        stream,
        loginBy,
        measures?.widthPx,
        measures?.heightPx,
      ]),
      [
        ['main', 'Digest MD5', 1280, 720],
        ['sub', 'Digest MD5', 640, 360],
      ],
    );
    assert.equal(named, picture);
    const show = [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name,width,height',
      '-of',
      'csv=p=0',
      picture,
    ];
    assert.equal((await promisify(execFile)('ffprobe', show)).stdout.trim(), 'mjpeg,1280,720');
    assert.deepEqual(readdirSync(dir), ['now.jpg']);
    assert.equal(proxy.wrongLogins(), 0);
    assert.ok(!said.stdout.includes('plain'));
  });

  test('for a person: a line for each stream, and whether it can be used', async (t) => {
    const made = await start(t);
    const said = await camera(['check', made.mainUrl]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /^main stream, rtsp:[^]*H\.264 High \d\.\d, 1280×720, .* pictures a second/);
    assert.match(said.stdout, /the camera can be used/);
  });

  test('a refused login is sent once, not for the other stream, and the camera cannot be used', async (t) => {
    const proxy = await startLocked(t);
    const file = loginFile(folder(t), 'viewer:forgotten');
    const said = await camera([
      'check',
      proxy.mainUrl,
      '--sub',
      proxy.subUrl,
      '--camera-login',
      file,
      '--json',
    ]);
    assert.equal(said.code, 1, said.stderr);
    const { usable, streams } = json<Checked>(said);
    assert.equal(usable, false);
    assert.match(streams[0]?.trouble ?? '', /^401, the camera refuses the login/);
    assert.match(streams[1]?.trouble ?? '', /not asked/);
    assert.equal(proxy.wrongLogins(), 1);
    assert.ok(!`${said.stdout}${said.stderr}`.includes('forgotten'));
  });

  test('a stream that is not there leaves what is known of the other', async (t) => {
    const made = await start(t);
    const gone = made.subUrl.replace('/sub', '/gone');
    const said = await camera(['check', made.mainUrl, '--sub', gone, '--json']);
    assert.equal(said.code, 1, said.stderr);
    const { streams, advice } = json<Checked>(said);
    assert.equal(streams[0]?.measures?.widthPx, 1280);
    assert.match(advice.find(({ isFatal }) => isFatal)?.sentence ?? '', /^404, the camera has no stream/);
  });

  test('Ctrl-C ends it at once and writes nothing', async (t) => {
    const made = await start(t);
    const dir = folder(t);
    const { spawn } = await import('node:child_process');
    const command = join(import.meta.dirname, '../../../scripts/lib/camera/camera.ts');
    const child = spawn(
      process.execPath,
      [command, 'check', made.mainUrl, '--picture', join(dir, 'now.jpg')],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    child.stderr.once('data', () => child.kill('SIGINT'));
    const code = await new Promise((done) => child.once('close', done));
    assert.equal(code, 130);
    assert.deepEqual(readdirSync(dir), []);
  });
});

const CONFIG = {
  schema: 'dachawatch/appliance/1',
  deviceId: 'dacha-1',
  hub: { credential: 'iothub' },
  cameras: [
    {
      ...{ id: 'gate', title: 'Gate', main: 'rtsp://10.77.0.1/m', sub: 'rtsp://10.77.0.1/s' },
      ...{ credential: 'shared', sensitivity: 7 },
    },
    {
      id: 'yard',
      main: 'rtsp://10.77.0.2/m',
      sub: 'rtsp://10.77.0.2/s',
      credential: 'shared',
      subCredential: 'own',
    },
  ],
  recording: { preRollMs: 4000, postRollMs: 20_000 },
  storage: { maxBytes: 20_000_000_000 },
  power: {},
  dashboard: { host: '127.0.0.1', port: 8080 },
};

function appliance(t: TestContext) {
  const dir = folder(t);
  const config = join(dir, 'appliance.json');
  writeFileSync(config, JSON.stringify(CONFIG), { mode: 0o640 });
  mkdirSync(join(dir, 'credentials'), { mode: 0o700 });
  for (const name of ['shared', 'own'])
    writeFileSync(join(dir, 'credentials', name), '{"username":"a","password":"b"}', { mode: 0o600 });
  const read = () => parseWithDefaults(ApplianceConfig, JSON.parse(readFileSync(config, 'utf8')));
  return { dir, config, read, credential: (name = '') => join(dir, 'credentials', name) };
}

describe('scripts/camera add', { concurrency: 3 }, () => {
  test('a camera that was checked is in the configuration, with its login beside it', async (t) => {
    const proxy = await startLocked(t);
    const { config, read, credential, dir } = appliance(t);
    const said = await camera(
      ['add', 'porch', proxy.mainUrl, '--sub', proxy.subUrl, '--config', config, '--title', 'Porch'],
      { DACHAWATCH_CAMERA_LOGIN: 'viewer:plain' },
    );
    assert.equal(said.code, 0, said.stderr);
    const [gate, yard, porch] = read().cameras;
    assert.deepEqual([gate?.id, gate?.sensitivity, yard?.id], ['gate', 7, 'yard']);
    assert.deepEqual(
      [porch?.id, porch?.title, porch?.main, porch?.sub, porch?.credential, porch?.subCredential],
      ['porch', 'Porch', proxy.mainUrl, proxy.subUrl, 'camera-porch', undefined],
    );
    const login: unknown = JSON.parse(readFileSync(credential('camera-porch'), 'utf8'));
    assert.deepEqual(parse(CameraCredential, login), LOGIN);
    assert.equal(statSync(credential('camera-porch')).mode & 0o777, 0o600);
    assert.equal(statSync(config).mode & 0o777, 0o640, 'the rights that it had');
    assert.deepEqual(readdirSync(dir).toSorted(), ['appliance.json', 'credentials']);
    assert.ok(!readFileSync(config, 'utf8').includes('plain'));
  });

  test('a replaced camera keeps its other settings; a login that others use stays, its own goes', async (t) => {
    const proxy = await startLocked(t);
    const { dir, config, read, credential } = appliance(t);
    symlinkSync(config, join(dir, 'link.json'));
    const args = [
      'yard',
      proxy.mainUrl,
      '--sub',
      proxy.subUrl,
      '--config',
      join(dir, 'link.json'),
      '--replace',
    ];
    const said = await camera([
      'add',
      ...args,
      '--credentials',
      credential(),
      '--camera-login',
      loginFile(dir, 'viewer:plain'),
    ]);
    assert.equal(said.code, 0, said.stderr);
    const [gate, yard, ...others] = read().cameras;
    assert.deepEqual(others, []);
    assert.deepEqual(
      [yard?.main, yard?.credential, yard?.subCredential],
      [proxy.mainUrl, 'camera-yard', undefined],
    );
    assert.equal(gate?.credential, 'shared');
    assert.ok(existsSync(credential('shared')) && !existsSync(credential('own')));
    assert.ok(lstatSync(join(dir, 'link.json')).isSymbolicLink());
  });

  test('what cannot be used, exists already or would not be valid leaves everything as it was', async (t) => {
    const proxy = await startLocked(t);
    const { config, credential } = appliance(t);
    const before = readFileSync(config, 'utf8');
    const add = (id: string, ...more: string[]) =>
      camera(['add', id, proxy.mainUrl, '--sub', proxy.subUrl, '--config', config, ...more], {
        DACHAWATCH_CAMERA_LOGIN: 'viewer:wrong',
      });
    for (const [said, code, sentence] of [
      [await add('porch'), 1, /nothing was written to/],
      [await add('yard'), 2, /there is a camera "yard" in .* already; --replace/],
      [await add('porch', '--replace'), 2, /--replace: there is no camera "porch"/],
      [await add('Porch Ä!'), 2, /would not be valid with this camera: .*\/cameras\/2\/id/],
      [await add('porch', '--title', 'x'.repeat(100)), 2, /would not be valid/],
    ] as const) {
      assert.equal(said.code, code, said.stderr);
      assert.match(said.stderr, sentence);
    }
    assert.equal(proxy.wrongLogins(), 1, 'what is refused beforehand is not asked');
    assert.equal(readFileSync(config, 'utf8'), before);
    assert.deepEqual(readdirSync(credential()).toSorted(), ['own', 'shared']);
  });

  test('an appliance.json that cannot be read is named, and none of it repeated', async (t) => {
    const { dir, config } = appliance(t);
    writeFileSync(config, '{"password": "s3cret"');
    for (const file of [config, join(dir, 'none.json'), dir]) {
      const said = await camera([
        'add',
        'porch',
        'rtsp://127.0.0.1/m',
        '--sub',
        'rtsp://127.0.0.1/s',
        '--config',
        file,
      ]);
      assert.equal(said.code, 2);
      assert.ok(said.stderr.includes(file) && !said.stderr.includes('s3cret'), said.stderr);
    }
  });
});
