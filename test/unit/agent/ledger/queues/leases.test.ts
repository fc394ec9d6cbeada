import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchLedger, uploadNext, verdictFor } from '../bench.ts';

test('an expired lease returns the clip, and the late owner can no longer settle it', async (t) => {
  const { ledger, clock, sealed } = benchLedger(t, { leaseMs: 60_000 });
  const { clipId } = sealed();
  const late = ledger.leaseNext()!;
  assert.equal(ledger.leaseNext(), undefined);
  assert.equal(ledger.nextLeaseInMs(), 60_000);
  await clock.advance(60_000);
  const second = ledger.leaseNext()!;
  assert.equal(second.clip.clipId, clipId);
  assert.equal(second.attempt, late.attempt + 1);
  assert.equal(ledger.settleUploaded(late, 'https://x/y'), false);
  assert.equal(ledger.settleFailed(late, 'late', 0), false);
  assert.equal(ledger.settleParked(late, 'late'), false);
  assert.equal(ledger.clip(clipId)?.state, 'uploading');
  assert.equal(ledger.settleUploaded(second, 'https://x/y'), true);
  assert.equal(ledger.settleUploaded(second, 'https://x/y'), false);
});

test('a jump of the wall clock neither ends a lease nor shortens a backoff', (t) => {
  const { ledger, clock, sealed } = benchLedger(t);
  sealed();
  const lease = ledger.leaseNext()!;
  clock.setWall(clock.nowMs() + 365 * 86_400_000);
  assert.equal(ledger.leaseNext(), undefined);
  ledger.settleFailed(lease, 'storage is away', 30_000);
  clock.setWall(0);
  assert.equal(ledger.leaseNext(), undefined);
  assert.equal(ledger.nextLeaseInMs(), 30_000);
});

test('a failed clip waits for its time and says why; another one goes meanwhile', async (t) => {
  const { ledger, clock, sealed } = benchLedger(t);
  const old = sealed();
  const young = sealed();
  const lease = ledger.leaseNext()!;
  assert.equal(lease.clip.clipId, young.clipId);
  ledger.settleFailed(lease, 'storage is away', 10_000);
  assert.equal(ledger.clip(young.clipId)?.reason, 'storage is away');
  assert.equal(ledger.leaseNext()?.clip.clipId, old.clipId);
  await clock.advance(10_000);
  assert.equal(ledger.leaseNext()?.clip.clipId, young.clipId);
});

test('newest goes first, and every third lease takes the clip that waits longest', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const ids = Array.from({ length: 7 }, () => sealed().clipId);
  const order = ids.map(() => uploadNext(ledger).clipId);
  assert.deepEqual(order, [ids[6], ids[5], ids[0], ids[4], ids[3], ids[1], ids[2]]);
});

test('a parked clip is kept, says why, and is not leased again by itself', async (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  ledger.settleParked(ledger.leaseNext()!, 'the hub refuses the name');
  assert.equal(ledger.clip(clipId)?.state, 'parked');
  assert.equal(ledger.clip(clipId)?.reason, 'the hub refuses the name');
  assert.equal(ledger.leaseNext(), undefined);
  assert.equal(ledger.nextLeaseInMs(), null);
  await ledger.returnToQueue(clipId, 'asked for by the operator');
  assert.equal(ledger.leaseNext()?.clip.clipId, clipId);
});

test('a lease of an earlier process is void when the ledger is opened', (t) => {
  const bench = benchLedger(t);
  const { clipId } = bench.sealed();
  const lease = bench.ledger.leaseNext()!;
  const ledger = bench.reopen();
  assert.equal(ledger.clip(clipId)?.state, 'sealed');
  assert.equal(ledger.nextLeaseInMs(), 0);
  const again = ledger.leaseNext()!;
  assert.equal(again.attempt, lease.attempt + 1);
  assert.equal(ledger.settleUploaded(lease, 'https://x/y'), false);
  assert.ok(ledger.custody(clipId).some((entry) => entry.event === 'expire'));
});

test('a verdict that overtakes the upload makes the clip judged as soon as it is settled', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  const lease = ledger.leaseNext()!;
  assert.equal(ledger.applyVerdict(verdictFor(clipId)), 'applied');
  assert.equal(ledger.clip(clipId)?.state, 'uploading');
  ledger.settleUploaded(lease, 'https://x/y');
  assert.equal(ledger.clip(clipId)?.state, 'judged');
});

test('given up while it is uploaded, the owner cannot settle it any more', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const { clipId } = sealed();
  const lease = ledger.leaseNext()!;
  ledger.loseClip(clipId, 'forgotten by the operator');
  assert.equal(ledger.settleUploaded(lease, 'https://x/y'), false);
  assert.equal(ledger.clip(clipId)?.state, 'lost');
});

test('a restart ends the wait of a clip whose upload failed', (t) => {
  const bench = benchLedger(t);
  const { clipId } = bench.sealed();
  bench.ledger.settleFailed(bench.ledger.leaseNext()!, 'storage is away', 300_000);
  assert.equal(bench.ledger.leaseNext(), undefined);
  assert.equal(bench.reopen().leaseNext()?.clip.clipId, clipId);
});

test('what storage said in an attempt that is over is not noted', async (t) => {
  const { ledger, clock, sealed } = benchLedger(t);
  const { clipId } = sealed();
  const notes = () => ledger.custody(clipId).filter(({ event }) => event === 'not-in-storage');
  const first = ledger.leaseNext()!;
  ledger.noteNotInStorage(first, 'no blob');
  assert.deepEqual(
    notes().map(({ detail }) => detail),
    ['no blob'],
  );
  ledger.settleFailed(first, 'file missing', 0);
  ledger.noteNotInStorage(first, 'its lease is settled');
  await clock.advance(1);
  assert.equal(ledger.leaseNext()?.attempt, 2);
  ledger.noteNotInStorage(first, 'another attempt is under way');
  assert.equal(notes().length, 1);
});
