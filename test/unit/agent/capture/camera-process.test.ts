import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import type { SuppressedRecord } from '../../../../agent/motion/motion.ts';
import {
  blind,
  createCameraRig,
  isAlive,
  login,
  timings,
  type ToldChild,
  until,
  wishOf,
} from './camera-process-rig.ts';

const clip = { startedMs: 1, preRollMs: 2, durationMs: 3, bytes: 4, sha256: 'x' };
const trigger = (requestId: number, triggeredMs: number) =>
  ({ type: 'trigger', requestId, triggeredMs, cause: { kind: 'zone', id: 'drive' } }) as const;

/** Ends a child that was live for so long. */
async function liveFor(it: Awaited<ReturnType<typeof createCameraRig>>, child: ToldChild, ms: number) {
  await it.beat(child);
  for (let left = ms; left > 0; left -= 4_000) {
    await it.clock.advance(Math.min(left, 4_000));
    if (left > 4_000) await it.beat(child);
  }
  child.tell({ exit: 1 });
  await it.isDown();
}
/** When the door was asked next, waiting at most so long. */
async function nextAsk(it: Awaited<ReturnType<typeof createCameraRig>>, withinMs: number): Promise<number> {
  const before = it.clock.monotonicMs();
  const { length } = it.door.asked;
  // In steps shorter than any wait, so that it is the next one and none behind it.
  for (let left = withinMs; left > 0 && it.door.asked.length === length; left -= 50)
    await it.clock.advance(Math.min(50, left));
  const next = it.door.asked[length] ?? assert.fail('it was not asked');
  return next.atMs - before;
}
const withinJitter = (ms: number, middle: number) => ms >= middle * 0.5 && ms <= middle * 1.5;

test('a child is told the camera, its logins, and whether recording is paused', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const { config: camera, recording } = wishOf();
  assert.deepEqual(child.got, [
    {
      type: 'configure',
      camera,
      credentials: { main: login, sub: login },
      recording,
      timings,
      paused: false,
    },
  ]);
  assert.equal(child.environment['UV_THREADPOOL_SIZE'], '16');
  assert.equal(child.environment['HOME'], undefined);
  assert.deepEqual(it.door.asked[0]?.streams, [
    { name: 'main', address: 'rtsp://camera/main', credential: login },
    { name: 'sub', address: 'rtsp://camera/sub', credential: login },
  ]);
  assert.equal(it.status().pid, child.pid);
});

test('a camera without a login has none for either stream; the sub-stream may have its own', async (t) => {
  const without = await createCameraRig(t, { wish: { ...wishOf(), credential: undefined } });
  without.process.start();
  assert.deepEqual((await (await without.child()).received('configure')).credentials, {
    main: null,
    sub: null,
  });
  const own = { username: 'sub', password: 'other' };
  const other = await createCameraRig(t, { wish: { ...wishOf(), subCredential: own } });
  other.process.start();
  assert.deepEqual((await (await other.child()).received('configure')).credentials, {
    main: login,
    sub: own,
  });
});

test('nothing is asked or forked before the process of the same camera that still ends is gone', async (t) => {
  const { promise: after, resolve } = Promise.withResolvers<void>();
  const it = await createCameraRig(t, { after });
  it.process.start();
  await it.clock.advance(60_000);
  assert.deepEqual(it.door.asked, []);
  assert.equal(it.forks(), 0);
  resolve();
  await it.child();
});

test('a closed door forks nobody, says why, and is left alone for as long as it says', async (t) => {
  const it = await createCameraRig(t);
  it.door.closed = { detail: 'the login is refused', waitMs: 300_000 };
  it.process.start();
  await it.clock.advance(0);
  assert.deepEqual(
    [it.status().state, it.status().detail, it.status().pid],
    ['down', 'the login is refused', null],
  );
  await it.clock.advance(299_999);
  assert.equal(it.door.asked.length, 1);
  it.door.closed = undefined;
  await it.clock.advance(1);
  assert.equal(it.door.asked.length, 2);
  await it.child();
  assert.equal(it.status().state, 'starting');
  assert.equal(it.status().detail, 'the login is refused');
});

test('a camera that cannot be reached is asked again less and less often', async (t) => {
  const it = await createCameraRig(t);
  it.door.closed = { detail: 'no route' };
  it.process.start();
  await it.clock.advance(100_000);
  assert.equal(it.status().state, 'down');
  const times = it.door.asked.map(({ atMs }) => atMs);
  for (const [index, middle] of [1_000, 2_000, 4_000, 8_000, 16_000].entries()) {
    const ms = (times[index + 1] ?? 0) - (times[index] ?? 0);
    assert.ok(withinJitter(ms, middle), `${ms} ms instead of ${middle}`);
  }
  const warnings = it.book.lines.filter(({ fields }) => fields['event'] === 'camera.state');
  assert.equal(warnings.filter(({ level }) => level === 'warn').length, 1, 'an outage is one warning');
});

for (const [what, liveMs, middle] of [
  ['that was live for half a minute is connected to again at once', 30_000, 1_000],
  ['that was live for less goes on with the longer waits', 29_999, 8_000],
] as const)
  test(`a camera ${what}`, async (t) => {
    const it = await createCameraRig(t);
    it.door.closed = { detail: 'no route' };
    it.process.start();
    await it.clock.advance(0);
    for (const wait of [1_500, 3_000]) await nextAsk(it, wait);
    it.door.closed = undefined;
    await nextAsk(it, 6_000);
    await liveFor(it, await it.child(), liveMs);
    const ms = await nextAsk(it, middle * 1.5);
    assert.ok(withinJitter(ms, middle), `${ms} ms instead of ${middle}`);
  });

test('a child that is never live proves nothing, however long it runs', async (t) => {
  const it = await createCameraRig(t);
  it.door.closed = { detail: 'no route' };
  it.process.start();
  await it.clock.advance(0);
  it.door.closed = undefined;
  await nextAsk(it, 1_500);
  const child = await it.child();
  for (let time = 0; time < 10; time++) {
    await it.beat(child, blind);
    await it.clock.advance(4_000);
  }
  assert.equal(it.status().state, 'starting');
  child.tell({ exit: 1 });
  await it.isDown();
  const ms = await nextAsk(it, 3_000);
  assert.ok(withinJitter(ms, 2_000), `${ms} ms`);
});

test('the next child is forked only when the last one is gone and its clips are dealt with', async (t) => {
  const { promise: dealtWith, resolve } = Promise.withResolvers<void>();
  const reasons: string[] = [];
  const it = await createCameraRig(t, {
    keeper: {
      open: () => ({ clipId: 'c1', partFile: '/clips/c1' }),
      written: () => undefined,
      abandoned: (clipId, reason) => {
        reasons.push(`${clipId}: ${reason}`);
        return dealtWith;
      },
    },
  });
  it.process.start();
  const child = await it.child();
  child.send(trigger(1, 5));
  await child.received('place');
  child.tell({ exit: 3 });
  await until('the clip was given up', () => reasons.length > 0);
  await it.clock.advance(600_000);
  assert.equal(it.forks(), 1);
  assert.equal(it.status().state, 'starting');
  resolve();
  await it.isDown();
  await it.clock.advance(1_500);
  await it.child(1);
  assert.deepEqual(reasons, ['c1: camera gate: the capture process ended (code 3)']);
});

test('every place is settled once, also when the child dies, and others are not touched', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  for (const [request, at] of [1, 2, 3].entries()) child.send(trigger(request, at));
  assert.deepEqual(await child.received('place', 2), {
    type: 'place',
    requestId: 2,
    clipId: 'c3',
    partFile: '/clips/c3',
  });
  child.send({ type: 'written', clipId: 'c1', clip });
  child.send({ type: 'abandoned', clipId: 'c2', reason: 'exhausted: no room' });
  child.send({ type: 'written', clipId: 'c9', clip });
  await until('two are settled', () => it.kept.length === 2);
  process.kill(child.pid, 'SIGKILL');
  await it.isDown();
  assert.deepEqual(it.kept, [
    'written c1',
    'abandoned c2: exhausted: no room',
    'abandoned c3: camera gate: the capture process ended (SIGKILL)',
  ]);
  assert.equal(it.status().detail, 'camera gate: the capture process ended (SIGKILL)');
  assert.equal(it.status().pid, null);
});

test('what a child says with its last breath counts', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send(trigger(1, 5));
  await child.received('place');
  child.send({ type: 'written', clipId: 'c5', clip });
  child.send({ type: 'failing', detail: 'camera gate: the stream ended' });
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(it.kept, ['written c5']);
  assert.equal(it.status().detail, 'camera gate: the stream ended');
});

test('a child that never says anything is killed when the camera had time to connect and more', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.clock.advance(timings.connectMs + timings.killMs - 1);
  assert.ok(isAlive(child.pid));
  assert.equal(it.status().state, 'starting');
  await it.clock.advance(1);
  await it.isDown();
  assert.ok(!isAlive(child.pid));
  assert.equal(it.status().detail, 'camera gate: the capture process did not answer and was killed');
});

test('a child that falls silent is stalled first and killed then, by a signal that it cannot refuse', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  assert.equal(it.status().state, 'live');
  await it.clock.advance(timings.stalledMs - 1);
  assert.equal(it.status().state, 'live');
  await it.clock.advance(1);
  assert.equal(it.status().state, 'stalled');
  assert.equal(it.status().detail, 'no new picture comes from the camera');
  await it.clock.advance(timings.killMs - timings.stalledMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(1);
  await it.isDown();
  assert.ok(!isAlive(child.pid));
});

test('what a child says about a silent camera counts as much as its own silence', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  await it.clock.advance(1_000);
  await it.beat(child, {
    silentMs: timings.killMs - 2_000,
    lastFragmentAgeMs: 18_000,
    lastFrameAgeMs: 100,
  });
  assert.equal(it.status().state, 'stalled');
  await it.clock.advance(1_000);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(1_000);
  await it.isDown();
  assert.match(it.status().detail ?? '', /did not answer and was killed/);
});

test('a camera is live while both its streams bring something new, and comes back when they do again', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child, { lastFrameAgeMs: null });
  assert.equal(it.status().state, 'starting');
  await it.beat(child, { lastFragmentAgeMs: null });
  assert.equal(it.status().state, 'starting');
  await it.beat(child, { lastFragmentAgeMs: timings.stalledMs });
  assert.equal(it.status().state, 'starting');
  await it.beat(child, { lastFragmentAgeMs: timings.stalledMs - 1 });
  assert.equal(it.status().state, 'live');
  assert.equal(it.status().detail, null);
  const since = it.status().sinceMs;
  assert.equal(since, it.clock.nowMs());
  await it.clock.advance(1_000);
  await it.beat(child);
  assert.equal(it.status().sinceMs, since);
  await it.beat(child, { lastFrameAgeMs: timings.stalledMs });
  assert.equal(it.status().state, 'stalled');
  assert.equal(it.status().sinceMs, since + 1_000);
  await it.beat(child);
  assert.equal(it.status().state, 'live');
});

test('a child that failed and does not end is killed, and what it said stays the reason', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  child.send({ type: 'failing', detail: 'camera gate: connection reset', words: 'Could not read' });
  await until('it was heard', () => it.book.events('info').includes('capture.gstreamer'));
  await it.clock.advance(timings.stopMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(timings.heartbeatMs);
  await it.isDown();
  assert.equal(it.status().detail, 'camera gate: connection reset');
});

test('a login that is refused to a running process is waited for as the door says', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send({ type: 'failing', detail: '401', refused: 'sub' });
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(it.door.refusals, ['sub']);
  assert.equal(it.status().detail, 'the login is refused');
  await it.clock.advance(59_999);
  assert.equal(it.door.asked.length, 1);
  await it.clock.advance(1);
  assert.equal(it.door.asked.length, 2);
});

test('a pause gives no place, closes what runs, and the next child is forked paused', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const pausing = it.process.pause();
  const { requestId } = await child.received('pause');
  child.send(trigger(7, 1));
  assert.deepEqual(await child.received('no-place'), { type: 'no-place', requestId: 7 });
  child.send({ type: 'paused', requestId });
  await pausing;
  child.tell({ exit: 1 });
  await it.isDown();
  await it.clock.advance(1_500);
  const next = await it.child(1);
  assert.equal((await next.received('configure')).paused, true);
  it.process.resume();
  await next.received('resume');
  next.send(trigger(8, 2));
  assert.equal((await next.received('place')).clipId, 'c2');
});

test('a child that does not pause is killed with the reason, and its clip is given up', async (t) => {
  const it = await createCameraRig(t, { timings: { ...timings, stopMs: 50 } });
  it.process.start();
  const child = await it.child();
  child.send(trigger(1, 4));
  await child.received('place');
  await it.process.pause();
  await it.isDown();
  assert.deepEqual(it.kept, [
    'abandoned c4: camera gate: the capture process did not close its clip in time and was killed',
  ]);
});

test('a camera that is forked paused gives no place from its first moment', async (t) => {
  const it = await createCameraRig(t, { paused: true });
  it.process.start();
  const child = await it.child();
  assert.equal((await child.received('configure')).paused, true);
  await assert.rejects(it.process.record(), { code: 'capture.paused' });
  child.send(trigger(1, 1));
  await child.received('no-place');
});

test('pictures and clips are asked of the child that runs; without one the reason is told', async (t) => {
  const it = await createCameraRig(t);
  await assert.rejects(it.process.snapshot(), /camera gate is starting/);
  it.process.start();
  const child = await it.child();
  const recording = it.process.record();
  const { requestId } = await child.received('record');
  child.send({ type: 'recording', requestId, clipId: 'c1' });
  assert.equal(await recording, 'c1');
  const picture = it.process.snapshot();
  const { requestId: pictureId } = await child.received('snapshot');
  child.send({
    type: 'picture',
    requestId: pictureId,
    jpeg: Buffer.from('ffd80000ffd9', 'hex').toString('base64'),
    widthPx: 2,
    heightPx: 2,
    takenMs: 9,
  });
  assert.equal((await picture).takenMs, 9);
  const second = it.process.snapshot();
  const { requestId: refusedId } = await child.received('snapshot', 1);
  child.send({
    type: 'refused',
    requestId: refusedId,
    kind: 'transient',
    code: 'capture.no-picture',
    message: 'nothing yet',
  });
  await assert.rejects(second, /nothing yet/);
  const late = it.process.snapshot();
  await child.received('snapshot', 2);
  child.tell({ exit: 5 });
  await assert.rejects(late, (error) => error instanceof Failure && /code 5/.test(error.message));
  await it.isDown();
  await assert.rejects(it.process.snapshot(), /ended \(code 5\)/);
});

test('other settings are told to the child that runs; the next one knows them from the start', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const wish = { ...wishOf({ sensitivity: 9 }), recording: { preRollMs: 1_000, postRollMs: 2_000 } };
  it.process.apply(wish);
  const told = await child.received('reconfigure');
  assert.deepEqual(told, { type: 'reconfigure', camera: wish.config, recording: wish.recording });
  it.process.apply({ ...wish, config: { ...wish.config, title: 'Front gate' } });
  assert.equal(it.status().title, 'Front gate');
  child.tell({ exit: 1 });
  await it.isDown();
  it.process.apply({ ...wish, config: { ...wish.config, sensitivity: 3 } });
  await it.clock.advance(1_500);
  const next = await (await it.child(1)).received('configure');
  assert.deepEqual([next.camera.sensitivity, next.recording], [3, wish.recording]);
  assert.deepEqual(
    child.got.map(({ type }) => type),
    ['configure', 'reconfigure'],
  );
});

test('another address ends the child in good order, and the next one is forked without a wait', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  it.process.apply(wishOf({ main: 'rtsp://camera/other' }));
  await child.received('stop');
  assert.equal(it.forks(), 1);
  child.tell({ exit: 0 });
  const next = await it.child(1);
  assert.equal((await next.received('configure')).camera.main, 'rtsp://camera/other');
  assert.equal(it.door.asked[1]?.streams[0]?.address, 'rtsp://camera/other');
  assert.deepEqual([it.status().state, it.status().detail], ['starting', null]);
});

test('a child that is to make place and does not is killed', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  it.process.apply(wishOf({ main: 'rtsp://camera/other' }));
  await child.received('stop');
  await it.clock.advance(timings.stopMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(timings.heartbeatMs);
  await it.child(1);
  assert.ok(!isAlive(child.pid));
});

test('another address ends the wait, and the waits begin anew with it', async (t) => {
  const it = await createCameraRig(t);
  it.door.closed = { detail: 'no route' };
  it.process.start();
  await it.clock.advance(0);
  for (const middle of [1_000, 2_000, 4_000]) await nextAsk(it, middle * 1.5);
  await it.clock.advance(0);
  const { length } = it.door.asked;
  it.process.apply(wishOf({ main: 'rtsp://camera/other' }));
  await it.clock.advance(0);
  assert.equal(it.door.asked.length, length + 1);
  const ms = await nextAsk(it, 1_500);
  assert.ok(withinJitter(ms, 1_000), `${ms} ms`);
});

test('another address while the door is being asked: the old one is given up, the new one is asked', async (t) => {
  const it = await createCameraRig(t);
  it.door.holds = new Promise(() => undefined);
  it.process.start();
  await it.clock.advance(0);
  it.door.holds = undefined;
  it.process.apply(wishOf({ main: 'rtsp://camera/other' }));
  const child = await it.child();
  assert.equal((await child.received('configure')).camera.main, 'rtsp://camera/other');
  assert.equal(it.forks(), 1);
  assert.deepEqual(
    it.door.asked.map(({ streams }) => streams[0]?.address),
    ['rtsp://camera/main', 'rtsp://camera/other'],
  );
});

test('a stop ends the wait between two children, and nothing is asked any more', async (t) => {
  const it = await createCameraRig(t);
  it.door.closed = { detail: 'locked out', waitMs: 3_600_000 };
  it.process.start();
  await it.clock.advance(0);
  await it.process.stop();
  assert.deepEqual([it.status().state, it.status().detail], ['down', 'stopped']);
  await it.clock.advance(7_200_000);
  assert.equal(it.door.asked.length, 1);
  assert.equal(it.clock.sleepers(), 0);
});

test('a stop while the door is being asked forks nobody', async (t) => {
  const it = await createCameraRig(t);
  it.door.holds = new Promise(() => undefined);
  it.process.start();
  await it.clock.advance(0);
  await it.process.stop();
  assert.equal(it.forks(), 0);
  assert.equal(it.status().detail, 'stopped');
});

test('a stop lets the child close its clip, and waits for it', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send(trigger(1, 5));
  await child.received('place');
  let stopped = false;
  const stopping = it.process.stop().then(() => (stopped = true));
  await child.received('stop');
  child.send({ type: 'written', clipId: 'c5', clip });
  await until('the clip', () => it.kept.length === 1);
  assert.equal(stopped, false);
  child.tell({ exit: 0 });
  await stopping;
  assert.deepEqual(it.kept, ['written c5']);
  assert.equal(it.forks(), 1);
  assert.equal(it.status().detail, 'stopped');
});

test('a child that does not end when it is told to is killed', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const stopping = it.process.stop();
  await child.received('stop');
  await it.clock.advance(timings.stopMs - 1);
  assert.ok(isAlive(child.pid));
  await it.clock.advance(timings.heartbeatMs);
  await stopping;
  assert.ok(!isAlive(child.pid));
});

test('what is wrong with key frames is a condition of the camera until it is not, or the camera is not watched', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const advice = 'a key frame every 60 s is too seldom: set 2 s';
  await it.beat(child, { ...blind, keyFrames: advice });
  assert.equal(it.status().detail, advice);
  assert.equal(it.status().state, 'starting');
  const standing = () => it.conditions.list().map(({ code, subject, detail }) => [code, subject, detail]);
  assert.deepEqual(standing(), [['camera-keyframes', 'gate', advice]]);
  await it.beat(child);
  assert.deepEqual(standing(), []);
  await it.beat(child, { lastFragmentAgeMs: 60_000, keyFrames: advice });
  assert.deepEqual([it.status().state, it.status().detail], ['stalled', advice]);
  assert.equal(standing().length, 1);
  await it.beat(child, { keyFrames: advice });
  assert.deepEqual([it.status().state, it.status().detail], ['live', null]);
  const stopping = it.process.stop();
  child.tell({ exit: 0 });
  await stopping;
  assert.deepEqual(standing(), []);
});

test('what was suppressed is kept, and counted over all children', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send({ type: 'suppressed', record: { reason: 'swaying' } as unknown as SuppressedRecord });
  await it.beat(child, { suppressed: { swaying: 2, flat: 1 } });
  assert.deepEqual(it.suppressed.kept, [{ reason: 'swaying' }]);
  assert.deepEqual(it.status().suppressed, { swaying: 2, flat: 1 });
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(it.status().suppressed, { swaying: 2, flat: 1 });
  await it.clock.advance(1_500);
  await it.beat(await it.child(1), { suppressed: { swaying: 3 } });
  assert.deepEqual(it.status().suppressed, { swaying: 5, flat: 1 });
  assert.deepEqual(it.suppressed.counted.at(-1), { swaying: 5, flat: 1 });
});

test('the status tells what the child said last, and how old it has become', async (t) => {
  const { title: _title, ...untitled } = wishOf().config;
  const it = await createCameraRig(t, { wish: { ...wishOf(), config: untitled } });
  assert.deepEqual(it.status(), {
    cameraId: 'gate',
    title: 'gate',
    state: 'starting',
    sinceMs: 0,
    detail: null,
    pid: null,
    lastFragmentAgeMs: null,
    lastFrameAgeMs: null,
    recording: false,
    unrecordedMs: null,
    suppressed: {},
  });
  it.process.start();
  const child = await it.child();
  const startedMs = it.clock.nowMs();
  assert.equal(it.status().sinceMs, startedMs);
  await it.beat(child, { recording: true, unrecordedMs: 700 });
  await it.clock.advance(400);
  const { lastFragmentAgeMs, lastFrameAgeMs, recording, unrecordedMs } = it.status();
  assert.deepEqual([lastFragmentAgeMs, lastFrameAgeMs, recording, unrecordedMs], [500, 450, true, 700]);
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(
    [it.status().lastFragmentAgeMs, it.status().recording, it.status().unrecordedMs],
    [null, false, null],
  );
});

test('an outage is one warning, the next one is another', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const states = () =>
    it.book.lines.flatMap(({ level, fields }) =>
      fields['event'] === 'camera.state' ? [`${level} ${String(fields['state'])}`] : [],
    );
  let child = await it.child();
  child.tell({ exit: 1 });
  await it.isDown();
  await it.clock.advance(1_500);
  child = await it.child(1);
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(states(), ['info starting', 'warn down', 'debug starting', 'debug down']);
  await it.clock.advance(3_000);
  child = await it.child(2);
  await it.beat(child);
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(states().slice(4), ['debug starting', 'info live', 'warn down']);
});

test('what a child writes is in the log, and its lines are cut', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.tell({ say: 'x'.repeat(600) });
  const line = await until('the line', () =>
    it.book.lines.find(({ fields }) => fields['event'] === 'capture.said'),
  );
  assert.deepEqual([line.level, line.fields['cameraId']], ['warn', 'gate']);
  assert.equal(String(line.fields['line']).length, 500);
});

test('a child that let go of its parent is not sent anything, and is killed for its silence', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  await it.beat(child);
  child.tell({ disconnect: true });
  await it.clock.advance(timings.killMs);
  await it.isDown();
  assert.ok(!isAlive(child.pid));
});

test('a capture process that the system cannot start is tried again', async (t) => {
  // Larger than one variable may be: the system refuses the call itself, as it does when it has no memory left.
  const environment = { TOO_LARGE: 'x'.repeat(1 << 20) };
  const it = await createCameraRig(t, { environment });
  it.process.start();
  await until('it was tried', () => it.status().state === 'down');
  assert.match(it.status().detail ?? '', /^camera gate: the capture process could not be started: .*E2BIG/);
  assert.equal(it.status().pid, null);
  await it.clock.advance(1_499);
  assert.equal(it.forks(), 2);
});

test('a capture process that ends before it says anything is a reason, too', async (t) => {
  const it = await createCameraRig(t, { environment: { NODE_OPTIONS: '--require=/not/there.js' } });
  it.process.start();
  await it.isDown();
  assert.match(it.status().detail ?? '', /^camera gate: the capture process ended \(code 1\)$/);
});
