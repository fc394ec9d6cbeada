import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, type FailureKind } from '../../../../agent/kernel/failure.ts';
import { createOutcomes } from '../../../../agent/upload/outcomes.ts';

const RETRY = { minMs: 10, maxMs: 100 };
const PAUSE = { minMs: 1_000, maxMs: 5_000 };
const failure = (kind: FailureKind) => new Failure(kind, 'test', 'it failed');

/** Waits are exact. */
const bench = () => createOutcomes({ retry: RETRY, pause: PAUSE, random: () => 0.5 });

test('a failure that passes is tried again, later with each attempt, and slows all down while they come in a row', () => {
  const outcomes = bench();
  assert.equal(outcomes.pauseMs(), 0);
  const waits = [1, 2, 3, 4, 5, 6].map((attempt) => {
    const outcome = outcomes.failed(failure('transient'), { clipId: 'a', attempt });
    return [outcome.do === 'retry' && outcome.inMs, outcomes.pauseMs()];
  });
  assert.deepEqual(waits, [
    [10, 1_000],
    [20, 2_000],
    [40, 4_000],
    [80, 5_000],
    [100, 5_000],
    [100, 5_000],
  ]);
  outcomes.succeeded('b');
  assert.equal(outcomes.pauseMs(), 0);
});

test('a full disk and a bug of ours are tried again, too', () => {
  for (const kind of ['exhausted', 'bug'] as const)
    assert.deepEqual(bench().failed(failure(kind), { clipId: 'a', attempt: 1 }), { do: 'retry', inMs: 10 });
});

test('a file read in vain is read again past the cache, three times; the fourth parks its clip and nothing slows down', () => {
  const outcomes = bench();
  assert.equal(outcomes.wasBadRead('a'), false);
  const read = () => outcomes.failed(failure('corrupt'), { clipId: 'a', attempt: 9 });
  for (const inMs of [10, 20, 40]) {
    assert.deepEqual(read(), { do: 'retry', inMs });
    assert.equal(outcomes.wasBadRead('a'), true);
    assert.equal(outcomes.wasBadRead('b'), false);
  }
  assert.deepEqual(read(), { do: 'park' });
  assert.equal(outcomes.wasBadRead('a'), false, 'when it is tried again it begins anew');
  assert.deepEqual(read(), { do: 'retry', inMs: 10 });
  outcomes.succeeded('a');
  assert.equal(outcomes.wasBadRead('a'), false);
  assert.equal(outcomes.pauseMs(), 0);
});

test('of a thousand clips it is known that they were read in vain; then the one longest known is forgotten', () => {
  const outcomes = bench();
  for (let n = 0; n < 1_000; n++) outcomes.failed(failure('corrupt'), { clipId: `clip ${n}`, attempt: 1 });
  assert.equal(outcomes.wasBadRead('clip 0'), true);
  outcomes.failed(failure('corrupt'), { clipId: 'clip 0', attempt: 2 });
  outcomes.failed(failure('corrupt'), { clipId: 'one more', attempt: 1 });
  assert.equal(outcomes.wasBadRead('clip 0'), true, 'it was read in vain just now');
  assert.equal(outcomes.wasBadRead('clip 1'), false);
  assert.equal(outcomes.wasBadRead('clip 2'), true);
  assert.equal(outcomes.wasBadRead('one more'), true);
});

test('two clips refused in a row are parked; a third tells of a fault of the other side, until one is accepted', () => {
  const outcomes = bench();
  const refuse = (clipId: string) => outcomes.failed(failure('rejected'), { clipId, attempt: 1 }).do;
  assert.deepEqual(['a', 'b', 'b', 'a', 'c', 'd', 'a'].map(refuse), [
    'park',
    'park',
    'park',
    'park',
    'retry',
    'retry',
    'retry',
  ]);
  assert.ok(outcomes.pauseMs() > 0);
  outcomes.succeeded('e');
  assert.equal(refuse('f'), 'park');
  assert.equal(outcomes.pauseMs(), 0, 'one that is parked keeps nobody else waiting');
});
