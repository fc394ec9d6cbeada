import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectMethods } from '../../../agent/hub/hub.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createLogBook } from '../../fakes/log-book.ts';
import { eventually, QUICK, useHub } from './hub-fixture.ts';

const house = useHub();
const CLIP = '01KB3E4Q9Z0000000000000000';

/** Cameras whose picture has so many bytes. */
const cameraMethods = (bytes = 30_000) =>
  createDirectMethods({
    cameras: () => [{ cameraId: 'yard' }],
    snapshot: async () => ({
      jpeg: new Uint8Array(bytes).fill(0xd8),
      widthPx: 640,
      heightPx: 360,
      takenMs: Date.UTC(2026, 5, 1, 12),
    }),
    recordNow: async () => CLIP,
    checkCamera: async () => ({ usable: true, streams: [], advice: [] }),
    retryClip: (clipId) => (clipId === CLIP ? 'returned' : 'unknown-clip'),
  });

test('a snapshot and a recording are answered with what the cameras gave', async () => {
  await house.onlineLink({ methods: cameraMethods() });
  const { status, payload } = await house.operator.call('snapshot', { cameraId: 'yard' });
  const { jpeg, ...rest } = payload as { jpeg: string };
  assert.equal(status, 200);
  assert.deepEqual(rest, {
    cameraId: 'yard',
    takenUtc: '2026-06-01T12:00:00.000Z',
    widthPx: 640,
    heightPx: 360,
  });
  assert.equal(Buffer.from(jpeg, 'base64').length, 30_000);
  assert.deepEqual(await house.operator.call('recordNow'), {
    status: 200,
    payload: { clips: [{ cameraId: 'yard', clipId: CLIP }] },
  });
});

test('an operator returns a clip to the queue over the link; an unknown one is said to be unknown', async () => {
  await house.onlineLink({ methods: cameraMethods() });
  assert.deepEqual(await house.operator.call('retryClip', { clipId: CLIP }), {
    status: 200,
    payload: { clipId: CLIP, outcome: 'returned' },
  });
  const { status, payload } = await house.operator.call('retryClip', { clipId: CLIP.replace(/0$/, '1') });
  assert.equal(status, 404);
  assert.match(JSON.stringify(payload), /method\.no-such-clip/);
});

test('payloads that nobody would send are answered with a problem that names the place', async () => {
  await house.onlineLink({ methods: cameraMethods() });
  for (const payload of ['yard', 7, [], { cameraId: 7 }, { cameraId: { $ne: 1 } }]) {
    const { status, payload: answer } = await house.operator.call('snapshot', payload);
    assert.equal(status, 400, JSON.stringify(payload));
    assert.match(JSON.stringify(answer), /method\.payload.*snapshot-request\/1/);
  }
  assert.equal((await house.operator.call('snapshot', null)).status, 200);
});

test('a picture too large for an answer is a problem that says so, and the link lives', async () => {
  const link = await house.onlineLink({ methods: cameraMethods(120_000) });
  const { status, payload } = await house.operator.call('snapshot');
  assert.equal(status, 500);
  assert.match(JSON.stringify(payload), /answer-too-large.*IoT Hub carries at most 131072/);
  assert.equal(link.counts.online, 1);
});

test('a method that does not exist is answered by us, not left to a deadline of the hub', async () => {
  await house.onlineLink({ methods: cameraMethods() });
  for (const name of ['reboot', 'constructor', 'snap shot', 'снимок']) {
    const { status, payload } = await house.operator.call(name);
    assert.equal(status, 404, name);
    assert.deepEqual(payload, {
      code: 'method.unknown',
      message: `there is no method ${name}; there are: snapshot, recordNow, retryClip, checkCamera`,
    });
  }
});

test('a method that throws or hangs is answered, and the next call finds the link alive', async () => {
  const book = createLogBook();
  let isTold = false;
  const link = await house.onlineLink({
    log: book.log,
    timings: { ...QUICK, methodMs: 200 },
    methods: {
      throws: async () => {
        throw new Error('out of paper');
      },
      hangs: (_payload, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            isTold = true;
          });
        }),
      paused: async () => {
        throw new Failure('transient', 'capture.paused', 'paused');
      },
      works: async (payload) => ({ status: 200, payload }),
    },
  });
  assert.equal((await house.operator.call('throws')).status, 500);
  assert.equal((await house.operator.call('paused')).status, 500);
  assert.equal((await house.operator.call('hangs')).status, 503);
  assert.equal(isTold, true);
  assert.deepEqual(await house.operator.call('works', { a: 'ü' }), { status: 200, payload: { a: 'ü' } });
  assert.equal(link.counts.online, 1);
  assert.deepEqual(book.events('error'), ['method.failed', 'method.failed']);
});

test('a method whose caller went is told to stop, and its answer disturbs nobody', async () => {
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const link = await house.onlineLink({
    methods: {
      slow: async (_payload, signal) => {
        asked.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        told.resolve();
        return { status: 200, payload: 'too late' };
      },
    },
  });
  const rejected = assert.rejects(house.operator.call('slow', null, 1));
  await asked.promise;
  house.hub.mqtt.drop();
  await told.promise;
  await eventually('the second connection', () => link.counts.online === 2);
  await rejected;
});
