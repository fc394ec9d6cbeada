import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FromChild, ToChild } from '../../../agent/capture/messages.ts';
import { exitOf, forkChild } from '../../../agent/capture/supervision/fork-child.ts';
import { type CameraEvent, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { prepareFootage } from '../../../hardware/simulators/camera/footage.ts';
import { makeVideo } from '../../fakes/media.ts';
import { timings } from '../../unit/agent/capture/supervision/rig/camera-settings.ts';
import { createRig, probe, sliceHashes, until } from './capture-rig.ts';

const FPS = 10;
/** Two seconds between key pictures. */
const GOP_MS = 2000;
/** A box walks through the picture from here on; until then nothing moves. */
const ENTERS_S = 24;
const LEAVES_S = 30;
const PRE_ROLL_MS = 5000;

type Said<T extends FromChild['type']> = Extract<FromChild, { type: T }>;

test('only key pictures of a quiet scene are decoded, and who walks in is recorded with the whole pre-roll, in the camera’s own pictures', async (t) => {
  const rig = await createRig();
  t.after(() => rig.close());
  const video = join(rig.dir, 'walk.mp4');
  await makeVideo(video, { seconds: 36, fps: FPS, fromS: ENTERS_S, toS: LEAVES_S });
  const startedMs: number[] = [];
  const onEvent = ({ event, atMs }: CameraEvent) =>
    void (event === 'footage-started' && startedMs.push(atMs));
  const camera = await startCamera({ video, leadInS: 4, loop: false, cacheDir: rig.dir, onEvent });
  t.after(() => camera.stop());

  const heard: { readonly atMs: number; readonly said: FromChild }[] = [];
  const child = forkChild(process.env as Record<string, string>, () => undefined);
  const gone = exitOf(child);
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const file = join(rig.dir, 'clip.part');
  const tell = (message: ToChild) => child.send(message);
  child.on('message', (said: FromChild) => {
    heard.push({ atMs: performance.now(), said });
    if (said.type === 'trigger') {
      const { requestId } = said;
      if (heard.some((one) => one.said.type === 'written')) tell({ type: 'no-place', requestId });
      else tell({ type: 'place', requestId, clipId: 'clip-0', partFile: file });
    }
  });
  const all = <T extends FromChild['type']>(type: T) =>
    heard.flatMap(({ said }) => (said.type === type ? [said as Said<T>] : []));
  tell({
    type: 'configure',
    camera: { id: 'gate', main: camera.mainUrl, sub: camera.subUrl, sensitivity: 5 },
    credentials: { main: null, sub: null },
    recording: { preRollMs: PRE_ROLL_MS, postRollMs: 5000 },
    timings: { ...timings, connectMs: 60_000, giveUpMs: 60_000, heartbeatMs: 200 },
    paused: false,
  });
  const [written] = await until(
    'a clip',
    () => (all('written').length > 0 ? all('written') : undefined),
    180_000,
  );
  tell({ type: 'stop' });
  await gone;
  assert.deepEqual(all('failing'), []);

  await t.test('while it was quiet, no more than key pictures went to the decoder', (t) => {
    const beats = heard.flatMap(({ atMs, said }) => (said.type === 'heartbeat' ? [{ ...said, atMs }] : []));
    const first = beats.findIndex(({ alertness, recording }) => alertness === 'quiet' && !recording);
    const length = beats.slice(first).findIndex(({ alertness }) => alertness !== 'quiet');
    const [from, to] = [beats[first], beats[first + length - 1]];
    assert.ok(first >= 0 && length > 1 && from && to, 'it never was quiet before the event');
    const quietMs = to.atMs - from.atMs;
    const decoded = to.decoded - from.decoded;
    t.diagnostic(`${decoded} pictures of ${Math.round(quietMs / (1000 / FPS))} in ${Math.round(quietMs)} ms`);
    assert.ok(quietMs > 4 * GOP_MS, `quiet for only ${quietMs} ms`);
    // Two more: heartbeats of a busy machine come late.
    assert.ok(decoded <= quietMs / GOP_MS + 2, `${decoded} pictures in ${quietMs} ms`);
    assert.ok(decoded >= 3, `${decoded} pictures in ${quietMs} ms`);
  });

  await t.test('the event was seen soon after it began, and recorded from before it', (t) => {
    const [trigger] = all('trigger');
    const seenMs = (trigger?.triggeredMs ?? 0) - (startedMs[0] ?? 0) - ENTERS_S * 1000;
    t.diagnostic(`seen ${Math.round(seenMs)} ms after it entered`);
    assert.ok(seenMs > 0 && seenMs < (LEAVES_S - ENTERS_S) * 1000, `${seenMs} ms`);
    const { preRollMs } = written?.clip ?? assert.fail();
    assert.ok(preRollMs >= PRE_ROLL_MS - 100, `pre-roll ${preRollMs} ms`);
    assert.ok(preRollMs <= PRE_ROLL_MS + GOP_MS + 1000, `pre-roll ${preRollMs} ms`);
  });

  await t.test('the recorded pictures are those of the camera, without a hole', async () => {
    const footage = await prepareFootage({ video, cacheDir: rig.dir });
    const sent = (await sliceHashes(footage.mainFile)).map(({ hash }) => hash);
    const recorded = (await sliceHashes(file)).map(({ hash }) => hash);
    const at = sent.indexOf(recorded[0] ?? '');
    assert.ok(at >= 0 && recorded.length >= 10 * FPS, `${recorded.length} pictures`);
    assert.deepEqual(recorded, sent.slice(at, at + recorded.length));
    assert.equal(
      written?.clip.sha256,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
    assert.equal((await probe(file)).warnings, '');
  });
});
