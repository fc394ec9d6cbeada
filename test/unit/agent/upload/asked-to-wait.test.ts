import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { BLOCK_BYTES } from '../../../../agent/upload/clip-reader.ts';
import { benchUpload, passTime, until } from './bench.ts';

const asks = (code: string, retryAfterMs: number) => () => {
  throw new Failure('transient', code, 'not now', { retryAfterMs });
};

for (const [who, code] of [
  ['storage, by 429', 'upload.head.http-429'],
  ['storage, by 503', 'upload.block.http-503'],
  ['storage, by 500', 'upload.commit.http-500'],
  ['the hub, by 429', 'hub.ticket.http-429'],
  ['the hub, by whatever status', 'hub.ticket.http-403'],
] as const)
  test(`when ${who}, asks to wait, nothing is asked of anybody until then, and all goes up after it`, async (t) => {
    const { ledger, clock, sealed, uploader, store, hub, link } = benchUpload(t, {
      verdictAfterConnectMs: 0,
    });
    const first = sealed();
    await uploader.start();
    await until(() => ledger.clip(first.clipId)?.state === 'uploaded', 'one waits for its verdict');
    const clips = [sealed(), sealed()];
    const say = asks(code, 600_000);
    if (who.startsWith('storage')) store.fault = say;
    else hub.fault = (call) => (call === 'request' ? say() : undefined);
    uploader.wake();
    await until(() => uploader.status().detail !== null, 'asked to wait');
    store.fault = undefined;
    hub.fault = undefined;
    const asked = () => hub.asked.length + store.calls.length;
    const before = asked();
    for (let s = 0; s < 595; s += 5) {
      uploader.wake();
      // The link comes and goes meanwhile.
      link.online = s % 50 !== 0;
      await clock.advance(5_000);
    }
    assert.equal(asked(), before, 'nothing was asked');
    link.online = true;
    await passTime(
      clock,
      5_000,
      () => clips.every(({ clipId }) => ledger.clip(clipId)?.state === 'uploaded'),
      'both are up',
    );
    for (const { clipId } of clips) assert.ok((ledger.clip(clipId)?.attempt ?? 0) <= 2, 'no attempt in vain');
  });

test('an answer about one blob that asks to wait keeps only that clip waiting', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const held = sealed();
  const other = sealed();
  store.fault = (_call, name) => {
    if (name.endsWith(held.blobName)) asks('upload.commit.http-409', 600_000)();
  };
  await uploader.start();
  await passTime(clock, 5_000, () => ledger.clip(other.clipId)?.state === 'uploaded', 'the other one is up');
  assert.equal(ledger.clip(held.clipId)?.attempt, 1);
  store.fault = undefined;
  await clock.advance(500_000);
  assert.equal(ledger.clip(held.clipId)?.attempt, 1, 'its time is not over');
  await passTime(clock, 5_000, () => ledger.clip(held.clipId)?.state === 'uploaded', 'up after its time');
});

test('a parked clip is not put back while the service asks to wait', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const parked = sealed();
  store.fault = () => {
    throw new Failure('rejected', 'upload.head.http-400', 'refused');
  };
  await uploader.start();
  await until(() => ledger.clip(parked.clipId)?.state === 'parked', 'parked');
  await clock.advance(3_000_000);
  const other = sealed();
  store.fault = asks('upload.head.http-503', 3_600_000);
  uploader.wake();
  await until(() => ledger.clip(other.clipId)?.reason !== null, 'asked to wait');
  await clock.advance(3_000_000);
  assert.equal(ledger.clip(parked.clipId)?.state, 'parked');
  store.fault = undefined;
  await passTime(clock, 15_000, () => ledger.clip(parked.clipId)?.state === 'uploaded', 'up in the end');
});

test('a hub that asks to wait before a ticket is given back gets it after that time; a long wait is left to the hub', async (t) => {
  for (const [waitMs, returns] of [
    [60_000, 2],
    [60_001, 1],
  ] as const) {
    const { ledger, clock, sealed, uploader, hub } = benchUpload(t);
    const clip = sealed();
    let tries = 0;
    hub.fault = (call) => {
      if (call === 'return' && ++tries === 1) asks('hub.ticket.http-429', waitMs)();
    };
    await uploader.start();
    await until(() => tries === 1, 'refused once');
    await clock.advance(59_999);
    assert.equal(tries, 1, `${waitMs}: not before its time`);
    await clock.advance(1);
    await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
    await clock.advance(60_000);
    assert.equal(tries, returns);
  }
});

test('what is under way when somebody else is asked to wait ends before its next request, and goes on after it', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t, { concurrency: 2 });
  const large = sealed(6 * BLOCK_BYTES);
  const refused = sealed();
  let staged = 0;
  let go = () => undefined as void;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  store.fault = async (call, name) => {
    if (name.endsWith(large.blobName)) {
      if (call === 'stage' && ++staged === 2) await held;
      return;
    }
    // The large one is in the middle of its blocks.
    await until(() => staged >= 2, 'blocks of the large one');
    asks('upload.head.http-503', 60_000)();
  };
  await uploader.start();
  await until(() => ledger.clip(refused.clipId)?.reason !== null, 'asked to wait');
  go();
  await until(() => ledger.clip(large.clipId)?.state === 'sealed', 'it ended');
  store.fault = undefined;
  const before = store.calls.length;
  await clock.advance(55_000);
  assert.equal(store.calls.length, before);
  await passTime(clock, 5_000, () => ledger.clip(large.clipId)?.state === 'uploaded', 'up after it');
  assert.equal(
    store.calls.filter((call) => call.startsWith('stage') && call.endsWith(large.blobName)).length,
    6,
  );
  assert.equal(ledger.clip(large.clipId)?.attempt, 2);
});
