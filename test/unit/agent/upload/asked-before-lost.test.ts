import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
import { besideLedger } from '../ledger/bench.ts';
import { benchUpload, DEVICE, passTime, until } from './bench.ts';

const ASKED = 'clips-asked-for';

/** A house that has tried to upload a clip, with the link down since. Three other clips show that no disk is away.
 *  @param arrives whether the clip got to storage before its answer was lost */
async function afterLostAnswer(t: TestContext, arrives: boolean) {
  const bench = benchUpload(t);
  const clip = bench.sealed(2_000);
  bench.store.fault = (call, name) => {
    if (call !== 'commit') return;
    if (arrives) bench.store.put(name, readFileSync(clip.file), clip.sha256!);
    bench.link.online = false;
    throw new Failure('transient', 'upload.commit.econnreset', 'the answer was lost');
  };
  await bench.uploader.start();
  await until(() => bench.ledger.clip(clip.clipId)?.reason !== null, 'the answer was lost');
  bench.store.fault = undefined;
  for (let others = 0; others < 3; others++) bench.sealed();
  const state = () => bench.ledger.clip(clip.clipId)?.state;
  const { conditions } = bench;
  const told = () => conditions.list().map(({ code }) => code);
  const look = () => bench.ledger.check({ repair: true });
  const online = () => {
    bench.link.online = true;
    bench.uploader.wake();
  };
  return { ...bench, clip, state, told, look, online };
}

/** The ledger of the bench tells another register than its uploader. */
const standing = (bench: { standing: () => string[] }) => bench.standing().includes(ASKED);

const WAYS: Record<string, (clip: Clip) => void> = {
  'is missing': ({ file }) => rmSync(file),
  'is empty': ({ file }) => truncateSync(file, 0),
  'was cut short': ({ file }) => truncateSync(file, 100),
};

for (const [what, spoil] of Object.entries(WAYS)) {
  test(`a clip whose file ${what} is not lost before storage was asked, and is uploaded when it is there`, async (t) => {
    const house = await afterLostAnswer(t, true);
    const { clip, state, clock, look, online, ledger } = house;
    spoil(clip);
    for (let hours = 0; hours < 5; hours++) {
      const { problems } = await look();
      assert.match(
        problems.find(({ clipId }) => clipId === clip.clipId)?.problem ?? '',
        /asked before it is called lost/,
      );
      assert.equal(state(), 'sealed', 'the link is down: nobody could be asked');
      assert.deepEqual([standing(house), house.standing().includes('clips-lost')], [true, false]);
      await clock.advance(3_600_000);
    }
    online();
    await passTime(clock, 5_000, () => state() === 'uploaded', 'it was in storage all the time');
    await look();
    assert.equal(state(), 'uploaded');
    assert.deepEqual([standing(house), house.standing().includes('clips-lost')], [false, false]);
    assert.ok(!ledger.custody(clip.clipId).some(({ event }) => event === 'lose' || event === 'park'));
  });

  test(`a clip whose file ${what} and that storage does not have is told as lost once storage has said so`, async (t) => {
    const house = await afterLostAnswer(t, false);
    const { clip, state, clock, look, online, ledger } = house;
    spoil(clip);
    await look();
    assert.equal(state(), 'sealed');
    online();
    await passTime(
      clock,
      5_000,
      () => ledger.custody(clip.clipId).some(({ event }) => event === 'not-in-storage'),
      'storage was asked',
    );
    await look();
    assert.ok(house.standing().includes('clips-lost'));
    assert.equal(standing(house), false);
    if (what !== 'was cut short') assert.equal(state(), 'lost');
  });
}

test('when storage has another content under the name of a clip whose file is missing, the clip is lost', async (t) => {
  const house = await afterLostAnswer(t, false);
  const { clip, state, clock, look, online, store } = house;
  rmSync(clip.file);
  store.put(`${DEVICE}/${clip.blobName}`, 'something else', 'f'.repeat(64));
  await look();
  assert.equal(state(), 'sealed');
  online();
  await passTime(clock, 5_000, () => state() === 'parked', 'storage was asked');
  await look();
  assert.equal(state(), 'lost');
});

test('a row of a damaged ledger, which may have forgotten its upload, is asked for', async (t) => {
  const { ledger, clock, sealed, uploader, store, dir } = benchUpload(t);
  const [clip] = [sealed(), sealed(), sealed()];
  const db = besideLedger(dir);
  db.prepare("INSERT INTO custody (clip_id, at_ms, event, state) VALUES (?, 0, 'taken-over', 'sealed')").run(
    clip.clipId,
  );
  db.close();
  store.put(`${DEVICE}/${clip.blobName}`, readFileSync(clip.file), clip.sha256!);
  rmSync(clip.file);
  await ledger.check({ repair: true });
  assert.equal(ledger.clip(clip.clipId)?.state, 'sealed');
  await uploader.start();
  await passTime(clock, 5_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
});

test('a clip that was never tried is lost with its file at once: storage cannot have it', async (t) => {
  const { ledger, sealed, link } = benchUpload(t);
  link.online = false;
  const [clip] = [sealed(), sealed(), sealed()];
  rmSync(clip.file);
  await ledger.check({ repair: true });
  assert.equal(ledger.clip(clip.clipId)?.state, 'lost');
});

test('a parked clip whose file goes is asked for, too', async (t) => {
  const { ledger, clock, sealed, uploader, store } = benchUpload(t);
  const clip = sealed();
  store.fault = () => {
    throw new Failure('rejected', 'upload.head.http-400', 'refused');
  };
  await uploader.start();
  await until(() => ledger.clip(clip.clipId)?.state === 'parked', 'parked');
  store.fault = undefined;
  sealed();
  sealed();
  store.put(`${DEVICE}/${clip.blobName}`, readFileSync(clip.file), clip.sha256!);
  rmSync(clip.file);
  await ledger.check({ repair: true });
  assert.equal(ledger.clip(clip.clipId)?.state, 'parked');
  await passTime(clock, 60_000, () => ledger.clip(clip.clipId)?.state === 'uploaded', 'uploaded');
});

test('an answer of an earlier attempt says nothing about a later one', async (t) => {
  const house = await afterLostAnswer(t, false);
  const { clip, state, clock, look, online, ledger, store, link } = house;
  const away = `${clip.file}.away`;
  renameSync(clip.file, away);
  online();
  const asked = () => ledger.custody(clip.clipId).some(({ event }) => event === 'not-in-storage');
  await passTime(clock, 5_000, asked, 'storage was asked');
  renameSync(away, clip.file);
  const content = readFileSync(clip.file);
  store.fault = (call, name) => {
    if (call !== 'commit' || !name.endsWith(clip.blobName)) return;
    store.put(name, content, clip.sha256!);
    link.online = false;
    throw new Failure('transient', 'upload.commit.econnreset', 'the answer was lost');
  };
  await passTime(clock, 5_000, () => !link.online, 'it arrived, and its answer did not');
  store.fault = undefined;
  rmSync(clip.file);
  await look();
  assert.equal(state(), 'sealed');
  online();
  await passTime(clock, 5_000, () => state() === 'uploaded', 'uploaded');
});
