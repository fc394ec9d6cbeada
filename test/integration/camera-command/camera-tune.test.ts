/** `scripts/camera tune` against simulated ONVIF cameras. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Encoder, OnvifProfile } from '../../../hardware/simulators/camera/onvif/encoders.ts';
import {
  type OnvifOptions,
  startOnvifCamera,
} from '../../../hardware/simulators/camera/onvif/onvif-camera.ts';
import { camera, folder, json, loginFile } from './camera-command.ts';

const MAIN: Encoder = {
  encoding: 'H264',
  widthPx: 1920,
  heightPx: 1080,
  framesPerSecond: 15,
  govLength: 30,
  kbps: 3000,
};
const SUB: Encoder = { ...MAIN, encoding: 'H265', widthPx: 640, heightPx: 480, govLength: 60, kbps: 500 };
const TUNED: Encoder = {
  encoding: 'H264',
  widthPx: 640,
  heightPx: 360,
  framesPerSecond: 5,
  govLength: 5,
  kbps: 500,
};
const profile = (token: string, encoder: Encoder): OnvifProfile => ({
  ...{ token, name: `Stream <${token}>`, uri: `rtsp://127.0.0.1/${token}`, encoder },
});

async function start(t: TestContext, options: Partial<OnvifOptions> = {}) {
  const login = { username: 'admin', password: 'plain' };
  const profiles = [profile('main', MAIN), profile('sub', SUB)];
  const started = await startOnvifCamera({ profiles, login, ...options });
  t.after(() => started.stop());
  const args = ['--camera-login', loginFile(folder(t), 'admin:plain')];
  return {
    started,
    tune: (...more: string[]) => camera(['tune', `127.0.0.1:${started.port}`, ...args, ...more]),
  };
}
const sets = ({ requests }: Awaited<ReturnType<typeof startOnvifCamera>>) =>
  requests.filter(({ name }) => name === 'SetVideoEncoderConfiguration').length;

interface Tuned {
  readonly streams: readonly {
    readonly now: { readonly widthPx: number };
    readonly differs: readonly string[];
  }[];
}

describe('scripts/camera tune', { concurrency: 3 }, () => {
  for (const media2 of [true, false])
    test(`the small stream is set, read back, and the main stream left alone: ${media2 ? 'Media2' : 'Media'}`, async (t) => {
      const { started, tune } = await start(t, { media2, clockMs: 86_400_000 });
      const said = await tune('--yes', '--json');
      assert.equal(said.code, 0, said.stderr);
      assert.deepEqual(started.encoder('sub'), TUNED);
      assert.deepEqual(started.encoder('main'), MAIN);
      const [stream] = json<Tuned>(said).streams;
      assert.deepEqual([stream?.now.widthPx, stream?.differs], [640, []]);
      const again = await tune('--yes');
      assert.equal(again.code, 0, again.stderr);
      assert.equal(sets(started), 1, 'what is as it should be is not set again');
    });

  test('a camera that ignores what is set is found out', async (t) => {
    const { started, tune } = await start(t, { settles: (_wanted, old) => old });
    const said = await tune('--yes');
    assert.equal(said.code, 1, said.stderr);
    assert.equal(sets(started), 1);
    assert.match(said.stdout, /it is H265, not H264: the camera made something else of it/);
    assert.match(said.stdout, /15 pictures a second, not 5/);
  });

  test('a camera that rounds is told from one that obeys', async (t) => {
    const { tune } = await start(t, { settles: (wanted) => ({ ...wanted, govLength: 25 }) });
    const said = await tune('--yes', '--json');
    assert.equal(said.code, 1, said.stderr);
    assert.deepEqual(json<Tuned>(said).streams[0]?.differs, [
      'it has a key frame every 25 pictures, not every 5',
    ]);
  });

  for (const [media2, framesPerSecond] of [
    [true, 6],
    // Media says a range of frame rates.
    [false, 6],
  ] as const)
    test(`a camera that cannot do it gets the nearest it can, in the same shape: ${media2 ? 'Media2' : 'Media'}`, async (t) => {
      const sizes = [
        [1920, 1080],
        [704, 576],
        [704, 396],
        [352, 240],
      ] as const;
      const { started, tune } = await start(t, { media2, abilities: { sizes, frameRates: [6, 12, 25] } });
      const said = await tune('--yes');
      assert.equal(said.code, 1, said.stderr);
      assert.match(said.stdout, /704×396.*\n.*the nearest that it says it can/);
      assert.deepEqual(started.encoder('sub'), {
        ...TUNED,
        widthPx: 704,
        heightPx: 396,
        framesPerSecond,
        govLength: 6,
      });
    });

  test('a camera with one stream is not made small', async (t) => {
    const { started, tune } = await start(t, { profiles: [profile('main', MAIN)] });
    const said = await tune('--yes');
    assert.equal(said.code, 2);
    assert.match(said.stderr, /one stream only.*nothing was changed/);
    assert.equal(sets(started), 0);
    assert.deepEqual(started.encoder('main'), MAIN);
  });

  test('nothing is set without consent', async (t) => {
    const { started, tune } = await start(t);
    const said = await tune();
    assert.equal(said.code, 2);
    assert.match(said.stderr, /consent with --yes/);
    assert.deepEqual(started.requests, [], 'the camera was not even asked');
  });

  test('a wrong login changes nothing and is sent once', async (t) => {
    const { started, tune } = await start(t, { login: { username: 'admin', password: 'other' } });
    const said = await tune('--yes');
    assert.equal(said.code, 1);
    assert.match(said.stderr, /401, the camera refuses the login/);
    assert.equal(started.requests.filter(({ login }) => login === 'wrong').length, 1);
    assert.deepEqual(started.encoder('sub'), SUB);
  });
});
