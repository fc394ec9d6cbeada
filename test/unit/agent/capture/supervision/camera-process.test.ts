import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCameraRig, liveFor, nextAsk, withinJitter } from './rig/camera-process-rig.ts';
import { pictureless, clip, login, timings, trigger, settingsOf } from './rig/camera-settings.ts';
import { until } from './rig/told-children.ts';

test('a child is told the camera, its logins, and whether recording is paused', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  const { config: camera, recording } = settingsOf();
  assert.deepEqual(child.got, [
    {
      type: 'configure',
      camera,
      credentials: { main: login, sub: login },
      recording,
      timings,
      paused: false,
      sparing: false,
    },
  ]);
  assert.equal(child.environment['UV_THREADPOOL_SIZE'], '16');
  assert.equal(child.environment['HOME'], undefined);
  assert.deepEqual(it.probe.asked[0]?.streams, [
    { name: 'main', address: 'rtsp://camera/main', credential: login },
    { name: 'sub', address: 'rtsp://camera/sub', credential: login },
  ]);
  assert.equal(it.status().pid, child.pid);
});

test('a camera without a login has none for either stream; the sub-stream may have its own', async (t) => {
  const without = await createCameraRig(t, { settings: { ...settingsOf(), credential: undefined } });
  without.process.start();
  assert.deepEqual((await (await without.child()).received('configure')).credentials, {
    main: null,
    sub: null,
  });
  const own = { username: 'sub', password: 'other' };
  const other = await createCameraRig(t, { settings: { ...settingsOf(), subCredential: own } });
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
  assert.deepEqual(it.probe.asked, []);
  assert.equal(it.forks(), 0);
  resolve();
  await it.child();
});

test('a camera that cannot be watched forks nobody, says why, and is left alone for as long as it says', async (t) => {
  const it = await createCameraRig(t);
  it.probe.unwatchable = { detail: 'the login is refused', absence: 'refused', waitMs: 300_000 };
  it.process.start();
  await it.clock.advance(0);
  assert.deepEqual(
    [it.status().state, it.status().detail, it.status().pid],
    ['refused', 'the login is refused', null],
  );
  await it.clock.advance(299_999);
  assert.equal(it.probe.asked.length, 1);
  it.probe.unwatchable = undefined;
  await it.clock.advance(1);
  assert.equal(it.probe.asked.length, 2);
  await it.child();
  assert.equal(it.status().state, 'starting');
  assert.equal(it.status().detail, 'the login is refused');
});

test('a camera that cannot be reached is asked again less and less often', async (t) => {
  const it = await createCameraRig(t);
  it.probe.unwatchable = { detail: 'no route', absence: 'unreachable' };
  it.process.start();
  await it.clock.advance(100_000);
  assert.equal(it.status().state, 'unreachable');
  const times = it.probe.asked.map(({ atMs }) => atMs);
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
    it.probe.unwatchable = { detail: 'no route', absence: 'unreachable' };
    it.process.start();
    await it.clock.advance(0);
    for (const wait of [1_500, 3_000]) await nextAsk(it, wait);
    it.probe.unwatchable = undefined;
    await nextAsk(it, 6_000);
    await liveFor(it, await it.child(), liveMs);
    const ms = await nextAsk(it, middle * 1.5);
    assert.ok(withinJitter(ms, middle), `${ms} ms instead of ${middle}`);
  });

test('a child that is never live proves nothing, however long it runs', async (t) => {
  const it = await createCameraRig(t);
  it.probe.unwatchable = { detail: 'no route', absence: 'unreachable' };
  it.process.start();
  await it.clock.advance(0);
  it.probe.unwatchable = undefined;
  await nextAsk(it, 1_500);
  const child = await it.child();
  for (let time = 0; time < 10; time++) {
    await it.beat(child, pictureless);
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
    store: {
      open: () => ({ clipId: 'c1', partFile: '/clips/c1' }),
      written: () => undefined,
      thumbnail: () => undefined,
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

test('a login that is refused to a running process is waited for as the probe says', async (t) => {
  const it = await createCameraRig(t);
  it.process.start();
  const child = await it.child();
  child.send({ type: 'failing', detail: '401', refused: 'sub' });
  child.tell({ exit: 1 });
  await it.isDown();
  assert.deepEqual(it.probe.refusals, ['sub']);
  assert.equal(it.status().detail, 'the login is refused');
  await it.clock.advance(59_999);
  assert.equal(it.probe.asked.length, 1);
  await it.clock.advance(1);
  assert.equal(it.probe.asked.length, 2);
});

test('a capture process that the system cannot start is tried again', async (t) => {
  // Larger than one variable may be: the system refuses the call itself, as it does when it has no memory left.
  const environment = { TOO_LARGE: 'x'.repeat(1 << 20) };
  const it = await createCameraRig(t, { environment });
  it.process.start();
  await until('it was tried', () => it.status().state === 'stalled');
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
