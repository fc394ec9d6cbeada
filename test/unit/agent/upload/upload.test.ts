import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { BLOCK_BYTES } from '../../../../agent/upload/clip-reader.ts';
import { verdictFor } from '../ledger/bench.ts';
import { benchUpload, DEVICE, passTime, until } from './bench.ts';

const storageAway = () => {
  throw new Failure('transient', 'upload.block.econnrefused', 'connect ECONNREFUSED');
};

test('a sealed clip goes up in blocks with its metadata, and the ticket is given back', async (t) => {
  const { ledger, sealed, uploader, store, hub } = benchUpload(t);
  const clip = sealed(2 * BLOCK_BYTES + 500);
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  const name = `${DEVICE}/${clip.blobName}`;
  assert.equal(store.blobs.get(name)?.body.length, clip.bytes);
  assert.equal(store.blobs.get(name)?.sha256, clip.sha256);
  assert.equal(store.calls.filter((call) => call.startsWith('stage')).length, 3);
  assert.equal(ledger.clip(clip.clipId)?.blobUrl, `https://storage.invalid/dacha-video/${name}`);
  await until(() => hub.open().length === 0, 'ticket back');
  assert.deepEqual(
    hub.returned.map((one) => one.isSuccess),
    [true],
  );
});

test('a clip that is sealed while nothing is to do goes up when the uploader is woken', async (t) => {
  const { ledger, sealed, uploader } = benchUpload(t);
  await uploader.start();
  assert.equal(uploader.status().state, 'idle');
  const clip = sealed();
  assert.equal(uploader.status().state, 'waiting');
  uploader.wake();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
});

test('without a link nothing is asked for; when it is back the clips go up', async (t) => {
  const { ledger, clock, sealed, uploader, link, hub } = benchUpload(t);
  link.online = false;
  const clip = sealed();
  await uploader.start();
  await clock.advance(3_600_000);
  assert.deepEqual(hub.asked, []);
  link.online = true;
  uploader.wake();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
});

test('what was staged before a failure is not sent again', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(4 * BLOCK_BYTES);
  let sent = 0;
  store.fault = (call) => {
    if (call === 'stage' && ++sent === 3) storageAway();
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'failed once');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /ECONNREFUSED/);
  await clock.advance(5_000);
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.equal(sent, 5, 'two before the failure, the failed one, and the two that were missing');
  assert.equal(ledger.clip(clip.clipId)?.attempt, 2);
  assert.equal(ledger.clip(clip.clipId)?.reason, null);
});

test('a commit whose answer was lost is recognised, and nothing is sent twice', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed(BLOCK_BYTES);
  store.fault = (call, name) => {
    if (call !== 'commit') return;
    store.put(name, readFileSync(clip.file), clip.sha256!);
    storageAway();
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'failed once');
  const staged = store.calls.filter((call) => call.startsWith('stage')).length;
  await clock.advance(5_000);
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.equal(store.calls.filter((call) => call.startsWith('stage')).length, staged);
});

test('another content under the same name is never overwritten: the clip is parked', async (t) => {
  const { ledger, sealed, uploader, store, hub } = benchUpload(t);
  const clip = sealed();
  store.put(`${DEVICE}/${clip.blobName}`, 'something else', 'f'.repeat(64));
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'parked', 'parked');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /another content/);
  assert.equal(store.blobs.get(`${DEVICE}/${clip.blobName}`)?.body.toString(), 'something else');
  await until(() => hub.open().length === 0, 'ticket back');
  assert.equal(hub.returned[0]?.isSuccess, false);
});

test('a file that is not what was sealed is not committed: read again a few times, the clip is parked', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const changed = sealed(1_000);
  writeFileSync(changed.file, Buffer.alloc(1_000, 'x'));
  const missing = sealed(1_000);
  rmSync(missing.file);
  await uploader.start();
  await passTime(clock, 5_000, () => ledger.summary().waiting === 0, 'both settled');
  assert.match(ledger.clip(changed.clipId)?.reason ?? '', /has changed/);
  assert.match(ledger.clip(missing.clipId)?.reason ?? '', /is missing/);
  assert.equal(store.blobs.size, 0);
});

test('when clip after clip is refused the fault is not theirs: no more are parked', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clips = [sealed(), sealed(), sealed(), sealed()];
  store.fault = () => {
    throw new Failure('rejected', 'upload.head.http-400', 'a wrong setting in the cloud');
  };
  await uploader.start();
  await clock.advance(30_000);
  const states = () => clips.map((clip) => ledger.clip(clip.clipId)?.state);
  assert.equal(states().filter((state) => state === 'parked').length, 2);
  store.fault = undefined;
  await clock.advance(600_000);
  await until(() => ledger.summary().waiting === 0, 'the others uploaded');
  assert.equal(states().filter((state) => state === 'uploaded').length, 2);
});

test('while storage is away the pause grows, so that it is not hammered', async (t) => {
  const { clock, sealed, uploader, store, hub } = benchUpload(t);
  for (let i = 0; i < 20; i++) sealed();
  store.fault = storageAway;
  await uploader.start();
  await clock.advance(3_600_000);
  assert.ok(hub.asked.length < 80, `${hub.asked.length} tickets in an hour`);
  assert.ok(hub.asked.length > 20, `${hub.asked.length} tickets in an hour`);
});

test('a ticket that cannot be given back is tried again, and the clip counts as uploaded all the same', async (t) => {
  const { ledger, clock, sealed, uploader, hub } = benchUpload(t);
  const clip = sealed();
  let failures = 0;
  hub.fault = (call) => {
    if (call === 'return' && ++failures <= 2) throw new Failure('transient', 'hub.http-500', 'hub away');
  };
  await uploader.start();
  await until(() => failures === 1, 'first return');
  await clock.advance(20_000);
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.deepEqual(hub.open(), []);
});

test('a ticket for another blob is given back unused', async (t) => {
  const { ledger, sealed, uploader, store, hub } = benchUpload(t);
  const clip = sealed();
  hub.issueFor = 'somebody-else';
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'failed');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /upload\.ticket-mismatch/);
  assert.deepEqual(store.calls, []);
  assert.deepEqual(hub.open(), []);
});

test('stopping in mid-upload gives the ticket back, and the clip waits again at once', async (t) => {
  const { ledger, sealed, uploader, store, hub } = benchUpload(t);
  const clip = sealed(BLOCK_BYTES);
  store.fault = (call, _name, signal) =>
    call === 'stage'
      ? new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        })
      : undefined;
  await uploader.start();
  await until(() => store.calls.some((call) => call.startsWith('stage')), 'staging');
  assert.equal(uploader.status().clipId, clip.clipId);
  await uploader.stop();
  assert.equal(ledger.clip(clip.clipId)?.state, 'sealed');
  assert.equal(ledger.nextLeaseInMs(), 0);
  assert.deepEqual(hub.open(), []);
});

test('no signature of a ticket gets into the ledger or the log', async (t) => {
  const { ledger, sealed, uploader, store, lines } = benchUpload(t);
  const clip = sealed();
  store.fault = () => {
    throw new Failure('transient', 'upload.x', 'GET https://s/c/b?sv=1&sig=VERYSECRET failed');
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'failed');
  assert.doesNotMatch(
    JSON.stringify([ledger.clip(clip.clipId), ledger.custody(clip.clipId), lines]),
    /VERYSECRET/,
  );
});

test('two clips go up at the same time when so set', async (t) => {
  const { ledger, sealed, uploader, store } = benchUpload(t, { concurrency: 2 });
  sealed();
  sealed();
  let inside = 0;
  let most = 0;
  store.fault = async (call) => {
    if (call !== 'commit') return;
    most = Math.max(most, ++inside);
    await until(() => most === 2, 'both at the commit');
    inside--;
  };
  await uploader.start();
  await until(() => ledger.summary().awaitingVerdict === 2, 'both uploaded');
});

test('an attempt ends by itself after nine tenths of its lease, while it can still be settled', async (t) => {
  const { ledger, clock, sealed, uploader, store, hub } = benchUpload(t);
  const clip = sealed(BLOCK_BYTES);
  store.fault = (call, _name, signal) =>
    call === 'stage'
      ? new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        })
      : undefined;
  await uploader.start();
  await until(() => store.calls.some((call) => call.startsWith('stage')), 'staging');
  await clock.advance(0.9 * 15 * 60_000 - 1);
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploading', 'it has its time');
  await clock.advance(1);
  await until(() => ledger.clip(clip.clipId)?.state === 'sealed', 'settled');
  assert.match(ledger.clip(clip.clipId)?.reason ?? '', /upload\.lease-over/);
  assert.ok(ledger.custody(clip.clipId).every(({ event }) => event !== 'expire'));
  assert.deepEqual(hub.open(), []);
  store.fault = undefined;
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
});

test('after an upload nothing is left that waits for its lease', async (t) => {
  const { ledger, clock, sealed, uploader } = benchUpload(t);
  await uploader.start();
  // Uploads, parked clips, inbox and verdicts.
  const idle = 4;
  await until(() => clock.sleepers() === idle, 'idle');
  const clip = sealed();
  uploader.wake();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  await until(() => clock.sleepers() === idle, 'as before');
});

test('what the last failure said is told until an upload succeeds', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed();
  store.fault = storageAway;
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.reason !== null, 'failed');
  assert.deepEqual(uploader.status(), {
    state: 'waiting',
    clipId: null,
    detail: 'upload.block.econnrefused: connect ECONNREFUSED',
  });
  store.fault = undefined;
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.deepEqual(uploader.status(), { state: 'idle', clipId: null, detail: null });
});

for (const { code, tells } of [
  // It tells of itself, as a condition; at each start it is away for a moment.
  { code: 'ledger.unavailable', tells: 0 },
  { code: 'sqlite_ioerr', tells: 1 },
])
  test(`a ledger that answers ${code} ends no loop, is told ${tells} times, and is asked again no faster than the uploader looks`, async (t) => {
    const bench = benchUpload(t);
    const { clock, sealed, uploader, lines, ledger } = bench;
    const away = () => {
      throw new Failure('transient', code, 'the ledger is not open');
    };
    const { leaseNext } = ledger;
    let asked = 0;
    Object.assign(ledger, {
      leaseNext: () => {
        asked += 1;
        return away();
      },
    });
    await uploader.start();
    await clock.advance(10 * 60_000);
    const told = (level: number) =>
      lines.filter((line) => line.includes('upload.loop-failed') && line.includes(`"level":${level},`))
        .length;
    assert.equal(told(50), tells);
    assert.ok(asked >= 30 && asked <= 42, `asked ${asked} times in ten minutes`);
    assert.equal(told(20), asked - tells);
    Object.assign(ledger, { leaseNext });
    const clip = sealed();
    uploader.wake();
    await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
    Object.assign(ledger, { leaseNext: away });
    uploader.wake();
    await until(() => told(50) + told(20) === asked + 1, 'the loop has asked again');
    assert.equal(told(50), 2 * tells, 'told again after it had been there');
  });

test('a message that could not be read when it came is read by itself', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed();
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
  assert.ok(store.blobs.size > 0);
  ledger.storeMessage({
    messageId: 'm',
    receivedMs: 1,
    body: Buffer.from(JSON.stringify(verdictFor(clip.clipId))),
  });
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'judged', 'judged');
});
