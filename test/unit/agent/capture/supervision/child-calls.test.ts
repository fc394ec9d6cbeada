import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChildCalls } from '../../../../../agent/capture/supervision/child-calls.ts';
import type { Question } from '../../../../../agent/capture/messages.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

function calls() {
  const sent: Question[] = [];
  return { sent, made: createChildCalls({ cameraId: 'gate', send: (question) => sent.push(question) }) };
}
const failing = (kind: string, code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind && error.code === code;

test('an answer finds its question, in any order', async () => {
  const { made, sent } = calls();
  const first = made.ask('record', 1000);
  const second = made.ask('pause', 1000);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['record', 'pause'],
  );
  const [one, two] = sent.map(({ requestId }) => requestId) as [number, number];
  made.take({ type: 'paused', requestId: two });
  made.take({ type: 'recording', requestId: one, clipId: 'c1' });
  assert.deepEqual(await first, { type: 'recording', requestId: one, clipId: 'c1' });
  assert.deepEqual(await second, { type: 'paused', requestId: two });
});

test('what a child refuses with is told with its kind and code, and with the camera', async () => {
  const { made, sent } = calls();
  const asked = made.ask('record', 1000);
  const requestId = sent[0]?.requestId ?? 0;
  made.take({ type: 'refused', requestId, kind: 'exhausted', code: 'capture.no-room', message: 'no room' });
  await assert.rejects(
    asked,
    (error) => failing('exhausted', 'capture.no-room')(error) && /camera gate: no room/.test(String(error)),
  );
});

test('a child that says nothing is not waited for, and what it says later harms nobody', async () => {
  const { made, sent } = calls();
  await assert.rejects(made.ask('snapshot', 20), failing('transient', 'capture.deadline'));
  made.take({ type: 'paused', requestId: sent[0]?.requestId ?? 0 });
  made.take({ type: 'paused', requestId: 4711 });
});

test('a child that ends fails all that was asked', async () => {
  const { made } = calls();
  const asked = [made.ask('snapshot', 60_000), made.ask('record', 60_000)];
  made.end('camera gate: the capture process ended (SIGKILL)');
  asked.push(made.ask('pause', 60_000));
  for (const one of asked) await assert.rejects(one, failing('transient', 'capture.no-picture'));
});
