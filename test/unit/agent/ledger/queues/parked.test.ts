import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchLedger } from '../bench.ts';

const HOUR_MS = 3_600_000;

function parkedBench(t: Parameters<typeof benchLedger>[0]) {
  const bench = benchLedger(t);
  const { clipId } = bench.sealed();
  bench.ledger.settleParked(bench.ledger.leaseNext()!, 'refused');
  return { ...bench, bench, clipId };
}

test('a restart neither forgets the time a parked clip has waited nor makes it wait for ever', async (t) => {
  const { bench, clock, clipId } = parkedBench(t);
  await clock.advance(HOUR_MS / 2);
  assert.equal(bench.reopen().returnParked(), undefined);
  await clock.advance(HOUR_MS / 2);
  assert.equal(bench.ledger.returnParked(), clipId);
  assert.equal(bench.ledger.returnParked(), undefined);
  assert.equal(bench.ledger.leaseNext()?.clip.clipId, clipId);
});

test('a wall clock that jumps makes a parked clip neither come at once nor wait longer than its time', async (t) => {
  const { bench, clock, clipId } = parkedBench(t);
  clock.setWall(clock.nowMs() + 365 * 24 * HOUR_MS);
  assert.equal(bench.ledger.returnParked(), undefined, 'within a process only the monotonic clock counts');
  clock.setWall(0);
  const ledger = bench.reopen();
  assert.equal(ledger.returnParked(), undefined);
  await clock.advance(HOUR_MS);
  assert.equal(ledger.returnParked(), clipId);
});

test('it waits twice as long each time, a day at most, and custody tells of every try', async (t) => {
  const { bench, clock, clipId } = parkedBench(t);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    let hours = 0;
    while (bench.ledger.returnParked() === undefined) {
      await clock.advance(HOUR_MS);
      hours++;
    }
    waits.push(hours);
    bench.ledger.settleParked(bench.ledger.leaseNext()!, 'refused again');
    if (i % 2 === 0) bench.reopen();
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 24, 24, 24]);
  const told = bench.ledger.custody(clipId).filter(({ event }) => event === 'requeue');
  assert.equal(told.length, 8);
  assert.match(told[0]?.detail ?? '', /tried again by itself; it was refused: refused/);
});

test('it is told how many clips are parked, and why the newest of them is; others do not count', (t) => {
  const { ledger, sealed } = benchLedger(t);
  assert.deepEqual(ledger.parked(), { clips: 0, reason: null });
  sealed();
  assert.deepEqual(ledger.parked(), { clips: 0, reason: null }, 'one that waits is none');
  for (const reason of ['first', 'second']) {
    sealed();
    ledger.settleParked(ledger.leaseNext()!, reason);
  }
  assert.deepEqual(ledger.parked(), { clips: 2, reason: 'second' });
  const { clipId } = sealed();
  ledger.loseClip(clipId, 'gone');
  assert.equal(ledger.parked().clips, 2);
});

test('the operator is told what a clip is: unknown, waiting, uploaded, lost', async (t) => {
  const { ledger, sealed, open } = benchLedger(t);
  assert.equal(ledger.retryClip('01ARYZ6S410000000000000000'), 'unknown-clip');
  assert.equal(ledger.retryClip('../../etc/passwd'), 'unknown-clip');
  assert.equal(ledger.retryClip(open().clipId), 'waiting');
  const clip = sealed();
  ledger.settleFailed(ledger.leaseNext()!, 'storage is away', 300_000);
  assert.equal(ledger.leaseNext(), undefined);
  assert.equal(ledger.retryClip(clip.clipId), 'waiting');
  const lease = ledger.leaseNext()!;
  assert.equal(lease.clip.clipId, clip.clipId, 'its wait is over');
  assert.equal(ledger.retryClip(clip.clipId), 'waiting');
  ledger.settleUploaded(lease, 'https://x/y');
  assert.equal(ledger.retryClip(clip.clipId), 'uploaded');
  const gone = sealed();
  ledger.loseClip(gone.clipId, 'gone');
  assert.equal(ledger.retryClip(gone.clipId), 'lost');
});

test('an operator who asks twice for a clip leaves one line in its history', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  const lease = ledger.leaseNext();
  assert.ok(lease && ledger.settleFailed(lease, 'the link went', 3_600_000));
  for (let turn = 0; turn < 2; turn += 1) assert.equal(ledger.retryClip(clipId), 'waiting');
  assert.equal(ledger.custody(clipId).filter(({ event }) => event === 'retry').length, 1);
});
