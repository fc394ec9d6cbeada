import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCameraRequests } from '../../../../../agent/capture/supervision/camera-requests.ts';
import { createChildCalls } from '../../../../../agent/capture/supervision/child-calls.ts';
import type { Question } from '../../../../../agent/capture/messages.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

/** A child that is answered for by the test. */
function rig({ runs = true, pauseMs = 60_000 } = {}) {
  const sent: Question[] = [];
  const killed: string[] = [];
  const gone = Promise.withResolvers<void>();
  const idle = Promise.withResolvers<void>();
  const calls = createChildCalls({ cameraId: 'gate', send: (question) => sent.push(question) });
  const child = {
    calls,
    broker: { take: () => undefined, settle: async () => undefined, idle: () => idle.promise },
    gone: gone.promise,
    kill: (why: string) => killed.push(why),
  };
  const requests = createCameraRequests({
    paused: false,
    pauseMs,
    running: () => (runs ? child : undefined),
    absence: () => 'camera gate: no connection',
  });
  const paused = (nth = 0) => calls.take({ type: 'paused', requestId: sent[nth]?.requestId ?? 0 });
  return { requests, sent, killed, gone, idle, paused, calls };
}
const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.finally(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};
const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('a pause is over when the child says so and the store has dealt with its clips', async () => {
  const it = rig();
  const pausing = it.requests.pause();
  assert.equal(it.requests.paused, true);
  it.paused();
  assert.equal(await settled(pausing), false);
  it.idle.resolve();
  await pausing;
  assert.deepEqual(it.killed, []);
});

test('a second pause shares the first; after a resume it is asked for anew', async () => {
  const it = rig();
  it.idle.resolve();
  const first = it.requests.pause();
  const second = it.requests.pause();
  assert.equal(it.sent.length, 1);
  it.requests.resume();
  assert.equal(it.requests.paused, false);
  const third = it.requests.pause();
  assert.equal(it.sent.length, 2);
  it.paused(0);
  await Promise.all([first, second]);
  assert.equal(await settled(third), false);
  it.paused(1);
  await third;
});

test('a child that does not pause is killed, and the pause is over when it is gone', async () => {
  const it = rig({ pauseMs: 20 });
  const pausing = it.requests.pause();
  await assert.rejects(it.calls.ask('snapshot', 40));
  assert.equal(it.killed.length, 1);
  assert.equal(await settled(pausing), false);
  it.gone.resolve();
  await pausing;
});

test('a child that dies while it pauses is no error', async () => {
  const it = rig();
  const pausing = it.requests.pause();
  it.calls.end('camera gate: the capture process ended');
  it.gone.resolve();
  await pausing;
});

test('without a child there is nothing to pause, and no picture, for the reason that is known', async () => {
  const it = rig({ runs: false });
  await it.requests.pause();
  it.requests.resume();
  await assert.rejects(
    it.requests.snapshot(),
    (error) => refusedWith('capture.no-picture')(error) && /no connection/.test(String(error)),
  );
  await assert.rejects(it.requests.record(), refusedWith('capture.no-picture'));
});

test('while it is paused no clip is asked for', async () => {
  const it = rig();
  const pausing = it.requests.pause();
  await assert.rejects(it.requests.record(), refusedWith('capture.paused'));
  assert.deepEqual(
    it.sent.map(({ type }) => type),
    ['pause'],
  );
  it.idle.resolve();
  it.paused();
  await pausing;
});

test('many who ask make one question; who asks after the answer makes the next', async () => {
  const it = rig();
  const both = [it.requests.record(), it.requests.record()];
  await settled(Promise.resolve());
  assert.equal(it.sent.length, 1);
  it.calls.take({ type: 'recording', requestId: it.sent[0]?.requestId ?? 0, clipId: 'c1' });
  assert.deepEqual(await Promise.all(both), ['c1', 'c1']);
  void it.requests.record().catch(() => undefined);
  await settled(Promise.resolve());
  assert.equal(it.sent.length, 2);
  it.calls.end('over');
});
