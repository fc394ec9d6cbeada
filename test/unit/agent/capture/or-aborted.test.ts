import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orAborted } from '../../../../agent/capture/or-aborted.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';

const isDeadline = (error: unknown) =>
  error instanceof Failure && error.kind === 'transient' && error.code === 'capture.deadline';

test('who gives up is let go at once, before and while waiting', async () => {
  const never = new Promise<void>(() => undefined);
  await assert.rejects(orAborted(never, AbortSignal.abort(), 'it'), isDeadline);
  const patience = new AbortController();
  const waiting = orAborted(never, patience.signal, 'it');
  patience.abort();
  await assert.rejects(waiting, isDeadline);
});

test('what is done in time is handed on, also an error', async () => {
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(5), signal, 'it'), 5);
  await assert.rejects(orAborted(Promise.reject(new Error('broken')), signal, 'it'), /broken/);
});
