import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { benchUpload, DEVICE, passTime, until } from './bench.ts';

const HOUR_MS = 3_600_000;

function parking(t: Parameters<typeof benchUpload>[0]) {
  const bench = benchUpload(t);
  const clip = bench.sealed();
  const name = `${DEVICE}/${clip.blobName}`;
  bench.store.put(name, 'something else', 'f'.repeat(64));
  const state = () => bench.ledger.clip(clip.clipId)?.state;
  return { ...bench, clip, name, state };
}

const triesOf = ({ ledger, clip }: ReturnType<typeof parking>) =>
  ledger.custody(clip.clipId).filter(({ event }) => event === 'lease').length;

test('a parked clip is told, tried again by itself after hours, and goes up when its fault is gone', async (t) => {
  const bench = parking(t);
  const { clock, uploader, store, name, state, conditions } = bench;
  await uploader.start();
  await until(() => state() === 'parked', 'parked');
  await clock.advance(60_000);
  const [condition] = conditions.list();
  assert.equal(condition?.code, 'clips-parked');
  assert.match(condition?.detail ?? '', /another content/);
  store.blobs.delete(name);
  await clock.advance(HOUR_MS - 120_000);
  assert.equal(triesOf(bench), 1, 'not before an hour');
  await passTime(clock, 60_000, () => state() === 'uploaded', 'uploaded');
  await passTime(clock, 15_000, () => conditions.list().length === 0, 'no longer told');
});

test('a clip that stays refused is tried ever more seldom, and at least once a day', async (t) => {
  const bench = parking(t);
  await bench.uploader.start();
  await until(() => bench.state() === 'parked', 'parked');
  const tries: number[] = [];
  for (let day = 0; day < 5; day++) {
    for (let hour = 0; hour < 24; hour++) {
      await bench.clock.advance(HOUR_MS);
      await passTime(bench.clock, 1_000, () => bench.state() === 'parked', 'parked again');
    }
    tries.push(triesOf(bench));
  }
  assert.ok(tries[0]! >= 4 && tries[0]! <= 7, `${tries[0]} tries on the first day`);
  const last = tries[4]! - tries[3]!;
  assert.ok(last >= 1 && last <= 2, `${last} tries on the fifth day`);
});

test('many parked clips keep no fresh one waiting', async (t) => {
  const bench = parking(t);
  const { ledger, clock, sealed, uploader, store } = bench;
  const bad = Array.from({ length: 40 }, () => sealed());
  for (const one of bad) store.put(`${DEVICE}/${one.blobName}`, 'something else', 'f'.repeat(64));
  // Two are believed at once, the others are taken for a fault of the other side: the operator's patience is ours.
  for (let lease = ledger.leaseNext(); lease; lease = ledger.leaseNext())
    ledger.settleParked(lease, 'refused, before the uploader began');
  await clock.advance(25 * HOUR_MS);
  await uploader.start();
  const fresh = Array.from({ length: 10 }, () => sealed());
  uploader.wake();
  await passTime(
    clock,
    1_000,
    () => fresh.every((one) => ledger.clip(one.clipId)?.state === 'uploaded'),
    'the fresh ones went up',
  );
  const tried = bad.filter((one) => ledger.custody(one.clipId).some(({ event }) => event === 'requeue'));
  assert.ok(tried.length <= 3, `${tried.length} parked clips were tried meanwhile`);
});

test('the operator returns a parked clip at once; twice is once; what is up already is said', async (t) => {
  const { ledger, clip, name, uploader, store, state } = parking(t);
  await uploader.start();
  await until(() => state() === 'parked', 'parked');
  store.blobs.delete(name);
  assert.equal(ledger.retryClip(clip.clipId), 'returned');
  assert.equal(ledger.retryClip(clip.clipId), 'waiting');
  uploader.wake();
  await until(() => state() === 'uploaded', 'uploaded');
  assert.equal(ledger.retryClip(clip.clipId), 'uploaded');
  const asked = ledger.custody(clip.clipId).filter(({ detail }) => detail?.includes('by the operator'));
  assert.equal(asked.length, 1);
});

test('a refusal that comes again and again for one clip is not taken for a fault of the other side', async (t) => {
  const bench = parking(t);
  const { uploader, ledger, clip, state } = bench;
  await uploader.start();
  for (let i = 0; i < 6; i++) {
    await until(() => state() === 'parked', `parked for the ${i + 1}th time`);
    ledger.retryClip(clip.clipId);
    uploader.wake();
  }
});

test('an error that nobody thought of costs one clip a wait, and the uploader lives', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const [bad, good] = [sealed(), sealed()];
  store.fault = (_call, name) => {
    if (name.includes(bad.clipId)) throw new Failure('bug', 'upload.odd', 'a broken promise');
  };
  await uploader.start();
  await passTime(clock, 1_000, () => ledger.clip(good.clipId)?.state === 'uploaded', 'the other is up');
  store.fault = undefined;
  await passTime(clock, 5_000, () => ledger.clip(bad.clipId)?.state === 'uploaded', 'both are up');
});
