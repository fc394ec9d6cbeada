/** `scripts/camera find` against simulated ONVIF cameras. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { OnvifProfile } from '../../../hardware/simulators/camera/onvif/encoders.ts';
import {
  type OnvifOptions,
  startOnvifCamera,
} from '../../../hardware/simulators/camera/onvif/onvif-camera.ts';
import { startRtspProxy } from '../../../hardware/simulators/camera/rtsp-proxy.ts';
import type { Found } from '../../../scripts/lib/camera/find.ts';
import { camera, folder, json, loginFile, type Said } from './camera-command.ts';

const ENCODER = {
  encoding: 'H264',
  widthPx: 1920,
  heightPx: 1080,
  framesPerSecond: 15,
  govLength: 30,
  kbps: 3000,
} as const;
const MAIN: OnvifProfile = {
  token: '0',
  name: 'Main & large',
  uri: 'rtsp://127.0.0.1:554/main?a=1&b=2',
  encoder: ENCODER,
};
const SUB: OnvifProfile = {
  ...{ token: 'sub', name: 'Sub', uri: 'rtsp://10.77.0.9:8554/sub' },
  encoder: { ...ENCODER, widthPx: 640, heightPx: 480 },
};
const LOGIN = { username: 'view<&er', password: 'пароль "ä' };
const YEARS_MS = 31_557_600_000;

async function start(t: TestContext, options: Partial<OnvifOptions> = {}) {
  const started = await startOnvifCamera({ profiles: [MAIN, SUB], login: LOGIN, ...options });
  t.after(() => started.stop());
  return started;
}

const find = async (t: TestContext, { port }: { readonly port: number }, login = LOGIN): Promise<Said> =>
  await camera([
    ...['find', `127.0.0.1:${port}`, '--json'],
    ...['--camera-login', loginFile(folder(t), `${login.username}:${login.password}`)],
  ]);
const only = (said: Said): Found => {
  const { cameras } = json<{ cameras: Found[] }>(said);
  assert.equal(cameras.length, 1, said.stdout);
  return cameras[0] as Found;
};

describe('scripts/camera find', { concurrency: 3 }, () => {
  for (const media2 of [true, false])
    for (const scheme of ['token', 'digest'] as const)
      test(`a camera that forgot its clock is found with its streams: ${media2 ? 'Media2' : 'Media'}, ${scheme}`, async (t) => {
        const login = scheme === 'token' ? LOGIN : { username: 'viewer', password: 'plain' };
        const started = await start(t, { media2, scheme, login, clockMs: -56 * YEARS_MS });
        const said = await find(t, started, login);
        assert.equal(said.code, 0, said.stderr);
        const { streams, clockMs } = only(said);
        assert.ok(clockMs !== null && Math.abs(clockMs + 56 * YEARS_MS) < 600_000, `${clockMs}`);
        // At the host that was asked, whatever the camera says.
        const [main, sub] = [streams[0]?.main, streams[0]?.sub];
        assert.equal(main?.address, 'rtsp://127.0.0.1:554/main?a=1&b=2');
        assert.equal(sub?.address, 'rtsp://127.0.0.1:8554/sub');
        assert.deepEqual(
          [main?.encoder.widthPx, sub?.encoder.widthPx, sub?.encoder.framesPerSecond, sub?.encoder.govLength],
          [1920, 640, 15, 30],
        );
        const bad = started.requests.filter(
          ({ login: verdict }) => verdict === 'wrong' || verdict === 'stale',
        );
        assert.deepEqual(bad, [], 'no request was signed wrongly');
        assert.equal(started.mostAtOnce(), 1, 'one thing after the other');
      });

  test('cameras of the network are found without a login, and what they hide is said', async (t) => {
    const started = await start(t, { discoverable: true, saysAddress: 'http://10.77.0.9:1' });
    const other = await start(t, { discoverable: true, clockMs: -8 * YEARS_MS });
    const said = await camera(['find', '--interface', 'lo', '--wait', '3', '--json']);
    assert.equal(said.code, 0, said.stderr);
    const { cameras } = json<{ cameras: Found[] }>(said);
    const byUrn = (urn: string) => cameras.find((one) => one.urn === urn) ?? assert.fail(said.stdout);
    assert.equal(byUrn(started.urn).host, '127.0.0.1', 'where its answer came from');
    const { name, trouble, clockMs } = byUrn(other.urn);
    assert.equal(name, 'Made Camera made-1');
    assert.match(trouble ?? '', /only with a login/);
    assert.ok((clockMs ?? 0) < -7 * YEARS_MS);
    assert.ok(
      other.requests.every(({ login }) => login === 'none'),
      'no login was made up',
    );
  });

  test('Ctrl-C ends it, however long it would listen', async () => {
    const command = join(import.meta.dirname, '../../../scripts/lib/camera/camera.ts');
    const child = spawn(process.execPath, [command, 'find', '--interface', 'lo', '--wait', '60'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    // Much sooner than it would end by itself.
    const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(45_000) })) as [number];
    assert.equal(code, 130);
  });

  test('a wrong login is sent once, and said', async (t) => {
    const started = await start(t);
    const said = await find(t, started, { ...LOGIN, password: 'wrong' });
    assert.equal(said.code, 1);
    assert.equal(only(said).trouble, '401, the camera refuses the login');
    assert.equal(started.requests.filter(({ login }) => login === 'wrong').length, 1);
    assert.ok(!`${said.stdout}${said.stderr}`.includes('wrong'), 'the password is not repeated');
  });

  test('a camera that wants HTTP Digest is not asked for a user "undefined"', async (t) => {
    const started = await start(t, { scheme: 'digest' });
    const said = await camera(['find', `127.0.0.1:${started.port}`, '--json']);
    assert.equal(said.code, 1);
    assert.match(only(said).trouble ?? '', /only with a login/);
    assert.deepEqual(
      started.requests.filter(({ login }) => login === 'wrong'),
      [],
    );
  });

  test('a camera with one profile is found, without a small stream', async (t) => {
    const started = await start(t, { profiles: [MAIN] });
    const said = await find(t, started);
    assert.equal(said.code, 0, said.stderr);
    assert.equal(only(said).streams[0]?.sub, null);
  });

  for (const [fault, sentence] of [
    ['html', /does not speak ONVIF/],
    ['empty', /does not speak ONVIF/],
    ['silence', /does not answer/],
    ['endless', /does not answer|does not speak ONVIF/],
  ] as const)
    test(`what is no ONVIF camera ends with a sentence: ${fault}`, async (t) => {
      const said = await find(t, await start(t, { fault }));
      assert.equal(said.code, 1, said.stderr);
      assert.match(only(said).trouble ?? '', sentence);
    });

  test('a device without ONVIF says how to go on', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    const said = await camera(['find', `127.0.0.1:${port}`, '--json']);
    assert.equal(said.code, 1);
    assert.match(only(said).trouble ?? '', /nothing answers at port \d+: ONVIF is switched off/);
  });

  test('without ONVIF, known addresses are tried; a refused login ends that', async (t) => {
    const login = { username: 'viewer', password: 'plain' };
    const proxy = await startRtspProxy({ login, schemes: ['md5'] });
    t.after(() => proxy.stop());
    const at = `127.0.0.1:${proxy.port}`;
    const tryWith = (text: string) =>
      camera(['find', '--try-paths', at, '--json', '--camera-login', loginFile(folder(t), text)]);
    const refused = await tryWith('viewer:other');
    assert.equal(refused.code, 1);
    assert.equal(proxy.wrongLogins(), 1, 'the login is sent once');
    type Tried = { hosts: { streams: { address: string }[]; trouble: string | null }[] };
    assert.match(json<Tried>(refused).hosts[0]?.trouble ?? '', /refuses the login.*lock us out/);
    const none = await camera(['find', '--try-paths', at, '--json']);
    assert.match(json<Tried>(none).hosts[0]?.trouble ?? '', /wants a login.*--camera-login/);
    const found = await tryWith('viewer:plain');
    assert.equal(found.code, 0, found.stderr);
    const addresses = json<Tried>(found).hosts[0]?.streams.map(({ address }) => address) ?? [];
    assert.ok(
      addresses.includes(`rtsp://${at}/main`) && addresses.includes(`rtsp://${at}/sub`),
      found.stdout,
    );
  });
});
