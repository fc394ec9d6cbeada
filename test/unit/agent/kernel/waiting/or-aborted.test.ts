import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tookTooLong } from '../../../../../agent/capture/took-too-long.ts';
import { orAborted } from '../../../../../agent/kernel/waiting/deadline.ts';

test('who gives up is let go at once, before and while waiting', async () => {
  const never = new Promise<void>(() => undefined);
  const late = { kind: 'transient', code: 'capture.deadline', message: 'it took too long' };
  await assert.rejects(orAborted(never, AbortSignal.abort(), tookTooLong('it')), late);
  const patience = new AbortController();
  const waiting = orAborted(never, patience.signal, tookTooLong('it'));
  patience.abort();
  await assert.rejects(waiting, late);
});

test('who says nothing else gets the reason of the signal, also when the promise is done already', async () => {
  const reason = new Error('the link is gone');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(orAborted(new Promise(() => undefined), signal), reason);
  await assert.rejects(orAborted(Promise.resolve(5), signal), reason);
});

test('what is done in time is handed on, also an error', async () => {
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(5), signal), 5);
  await assert.rejects(orAborted(Promise.reject(new Error('broken')), signal), /broken/);
});
