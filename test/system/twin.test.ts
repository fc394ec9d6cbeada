import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  clipsOf,
  createPlace,
  hub,
  type PageClip,
  pidsOf,
  type Place,
  type Product,
  until,
} from './product.ts';

const SLOW_MS = 240_000;
/** One group of pictures of the simulated camera. */
const GOP_MS = 2_000;

interface Reported {
  readonly desiredVersion: number;
  readonly recording: { readonly preRollMs: number; readonly postRollMs: number };
  readonly cameras: Readonly<Record<string, { readonly settings?: { readonly sensitivity?: number } }>>;
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

let place: Place;
let product: Product;
let page: string;

before(async () => {
  place = createPlace();
  const video = await place.crossing(8);
  product = place.start(['--video', video, '--pre-roll', '2', '--post-roll', '12']);
  page = await product.page();
});
after(() => place?.close());

const twin = async (): Promise<Reported> =>
  (
    JSON.parse(await hub(place.data, 'twin', 'dacha-1', '--json')) as {
      properties: { reported: Reported };
    }
  ).properties.reported;

/** The next clip that begins from now on, when it is sealed. */
async function nextClip(): Promise<PageClip & { durationMs: number }> {
  const old = new Set((await clipsOf(page)).map(({ clipId }) => clipId));
  const sealed = await until(
    'the next clip is sealed',
    async () =>
      (await clipsOf(page)).toReversed().find((clip) => !old.has(clip.clipId) && clip.sealedUtc !== null),
    SLOW_MS,
    () => product.said(),
  );
  return sealed as PageClip & { durationMs: number };
}

test('post-roll and sensitivity set through the twin are obeyed by the next clip, without a restart, and reported', async () => {
  const first = await nextClip();
  assert.ok(Math.abs(first.durationMs - 14_000) <= GOP_MS, `${first.durationMs} ms`);
  const pids = pidsOf(place.data);

  await hub(
    place.data,
    'desired',
    'dacha-1',
    'recording.postRollMs=4000',
    'cameras.demo.sensitivity=7',
    '--wait',
    '120',
  );
  const reported = await twin();
  assert.equal(reported.recording.postRollMs, 4_000);
  assert.equal(reported.cameras['demo']?.settings?.sensitivity, 7);
  assert.deepEqual(reported.refused, []);

  // The clip that ran while the change came keeps its length; the one after it obeys.
  await until(
    'no clip runs',
    async () => (await clipsOf(page)).every(({ state }) => state !== 'recording'),
    SLOW_MS,
  );
  const second = await nextClip();
  assert.ok(Math.abs(second.durationMs - 6_000) <= GOP_MS, `${second.durationMs} ms`);
  for (const name of ['agent', 'capture'])
    assert.equal(pidsOf(place.data).get(name), pids.get(name), `${name} was restarted`);
});

test('a nonsense value is refused with its path and a reason, and nothing else changes', async () => {
  const before = await twin();
  const changes = ['cameras.demo.sensitivity=99', 'recording.preRollMs=3000'];
  await assert.rejects(
    hub(place.data, 'desired', 'dacha-1', ...changes, '--wait', '120', '--json'),
    (error: { code: number; stdout: string }) =>
      error.code === 1 && error.stdout.includes('/cameras/demo/sensitivity'),
  );
  const after = await twin();
  assert.ok(after.desiredVersion > before.desiredVersion);
  assert.deepEqual(
    after.refused.map(({ path }) => path),
    ['/cameras/demo/sensitivity'],
  );
  assert.match(after.refused[0]?.reason ?? '', /from 1 to 10/);
  assert.equal(after.cameras['demo']?.settings?.sensitivity, before.cameras['demo']?.settings?.sensitivity);
  assert.deepEqual(after.recording, { preRollMs: 3_000, postRollMs: before.recording.postRollMs });
});

test('a picture and a recording can be asked for from afar', async () => {
  const snapshot = JSON.parse(await hub(place.data, 'call', 'dacha-1', 'snapshot', '--json')) as {
    status: number;
    payload: { cameraId: string; widthPx: number; jpeg: string };
  };
  assert.equal(snapshot.status, 200);
  assert.equal(snapshot.payload.cameraId, 'demo');
  assert.deepEqual([...Buffer.from(snapshot.payload.jpeg, 'base64').subarray(0, 3)], [0xff, 0xd8, 0xff]);

  const asked = JSON.parse(await hub(place.data, 'call', 'dacha-1', 'recordNow', '--json')) as {
    payload: { clips: { cameraId: string; clipId?: string }[] };
  };
  const clipId = asked.payload.clips[0]?.clipId;
  await until(
    'the clip that was asked for is judged',
    async () => (await clipsOf(page)).find((clip) => clip.clipId === clipId)?.verdict,
    SLOW_MS,
    () => product.said(),
  );
});
