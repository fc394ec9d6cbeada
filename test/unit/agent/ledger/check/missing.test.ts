import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { besideLedger, benchLedger, uploadNext, writeClip } from '../bench.ts';

test('a clip folder that is away at one start loses nothing', async (t) => {
  const bench = benchLedger(t);
  const clips = [bench.sealed(), bench.sealed(), bench.sealed()];
  uploadNext(bench.ledger);
  const torn = [bench.open('gate'), bench.open('yard')];
  for (const { partFile } of torn) writeClip(partFile, 100);
  const rows = () => clips.map(({ clipId }) => bench.ledger.clip(clipId));
  const before = rows();
  const contents = clips.map(({ file }) => readFileSync(file));
  renameSync(join(bench.dir, 'clips'), join(bench.dir, 'elsewhere'));
  const away = await bench.reopen().check({ repair: true });
  assert.equal(away.repaired, 0);
  assert.match(
    away.problems[0]?.problem ?? '',
    /3 of 3 clip files of gate are not there \(2 of them are nowhere else\)/,
  );
  assert.deepEqual(rows(), before, 'rows are as they were');
  assert.ok(torn.every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'recording'));
  assert.deepEqual(bench.standing(), ['clips-missing']);
  // What is recorded meanwhile is kept beside.
  rmSync(join(bench.dir, 'clips'), { recursive: true, force: true });
  renameSync(join(bench.dir, 'elsewhere'), join(bench.dir, 'clips'));
  const back = await bench.reopen().check({ repair: true, deep: true });
  assert.deepEqual(back.problems, []);
  assert.deepEqual(rows(), before);
  assert.ok(torn.every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'sealed'));
  assert.deepEqual(
    clips.map(({ file }) => readFileSync(file)),
    contents,
  );
  assert.deepEqual(bench.standing(), []);
});

test('the folder of one camera that is away, or emptied, or replaced by a file, costs no clip either', async (t) => {
  const ways: readonly ((folder: string) => void)[] = [
    () => undefined,
    (folder) => mkdirSync(folder),
    (folder) => writeFileSync(folder, 'no folder'),
    (folder) => symlinkSync('nowhere', folder),
    (folder) => symlinkSync(folder, folder),
  ];
  for (const replace of ways) {
    const bench = benchLedger(t);
    const gate = [bench.sealed(1_000, 'gate'), bench.sealed(1_000, 'gate')];
    bench.sealed(1_000, 'yard');
    const folder = join(bench.dir, 'clips', 'gate');
    renameSync(folder, `${bench.dir}/away`);
    replace(folder);
    const report = await bench.reopen().check({ repair: true });
    assert.equal(report.problems.length, 1, JSON.stringify(report.problems));
    assert.equal(report.ok, 1, 'the other camera has nothing to do with it');
    assert.ok(gate.every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'sealed'));
    rmSync(folder, { recursive: true, force: true });
    renameSync(`${bench.dir}/away`, folder);
    assert.deepEqual((await bench.ledger.check({ repair: true, deep: true })).problems, []);
  }
});

test('while files are away they are looked for again and again, and the trouble ends by itself', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  bench.sealed();
  renameSync(join(bench.dir, 'clips'), join(bench.dir, 'elsewhere'));
  await bench.ledger.check({ repair: true });
  assert.deepEqual(bench.standing(), ['clips-missing']);
  await bench.clock.advance(61_000);
  await bench.ledger.tend();
  assert.deepEqual(bench.standing(), ['clips-missing']);
  rmSync(join(bench.dir, 'clips'), { recursive: true, force: true });
  renameSync(join(bench.dir, 'elsewhere'), join(bench.dir, 'clips'));
  await bench.clock.advance(61_000);
  await bench.ledger.tend();
  assert.deepEqual(bench.standing(), []);
  assert.equal(bench.ledger.summary().waiting, 2);
});

test('files that go while the agent runs are noticed within the hour', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  bench.sealed();
  renameSync(join(bench.dir, 'clips'), join(bench.dir, 'elsewhere'));
  await bench.clock.advance(60 * 60_000);
  await bench.ledger.tend();
  assert.deepEqual(bench.standing(), ['clips-missing']);
});

test('a single file that was missing once and comes back is taken up again, and uploaded', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  bench.sealed();
  const clip = bench.sealed();
  renameSync(clip.file, `${clip.file}.away`);
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'lost');
  assert.equal(bench.ledger.clip(clip.clipId)?.reason, 'its file was missing at check');
  renameSync(`${clip.file}.away`, clip.file);
  const look = await bench.ledger.check({ repair: false });
  assert.equal(look.repairable, 1);
  const report = await bench.reopen().check({ repair: true });
  assert.equal(report.repaired, 1);
  assert.match(report.problems[0]?.problem ?? '', /taken up again/);
  const again = bench.ledger.clip(clip.clipId);
  assert.deepEqual([again?.state, again?.reason], ['sealed', null]);
  assert.ok(existsSync(clip.file));
  assert.equal(
    bench.ledger.outgoing(100).filter(({ event }) => event === 'clip.sealed').length,
    4,
    'told as kept',
  );
  assert.deepEqual((await bench.ledger.check({ repair: true, deep: true })).problems, []);
  assert.equal(uploadNext(bench.ledger).clipId, clip.clipId);
});

test('what comes back under the name of a lost clip and is another file is set aside, never deleted', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  bench.sealed();
  const clip = bench.sealed(1_000);
  rmSync(clip.file);
  await bench.ledger.check({ repair: true });
  writeFileSync(clip.file, Buffer.alloc(1_000, 'other'));
  const report = await bench.ledger.check({ repair: true });
  assert.match(report.problems[0]?.problem ?? '', /is not the clip that was given up; it lies in/);
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'lost');
  const [kept] = readdirSync(join(bench.dir, 'quarantine'));
  assert.deepEqual(readFileSync(join(bench.dir, 'quarantine', kept!)), Buffer.alloc(1_000, 'other'));
  assert.deepEqual((await bench.ledger.check({ repair: true })).problems, []);
});

test('a recording that was given up, and whose file is there after all, is recovered', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.open();
  await bench.ledger.recoverClip(clip.clipId);
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'lost');
  writeClip(clip.partFile, 3_000);
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
  assert.ok(existsSync(clip.file));
});

test('a removal that a cut ended between file and row is finished without a word of alarm', async (t) => {
  const { ledger, sealed, dir } = benchLedger(t);
  const clip = sealed();
  sealed();
  sealed();
  const db = besideLedger(dir);
  // The state of the ledger between the first and the last step of a removal.
  db.prepare(
    "INSERT INTO custody (clip_id, at_ms, event, state, detail) VALUES (?, 0, 'remove', 'sealed', ?)",
  ).run(clip.clipId, 'file removed: byte budget');
  db.close();
  rmSync(clip.file);
  const report = await ledger.check({ repair: true });
  assert.deepEqual([report.problems, report.repaired], [[], 1]);
  assert.equal(ledger.clip(clip.clipId)?.reason, 'file removed: byte budget');
});

test('a disk that comes back after many new clips were recorded brings its clips back', async (t) => {
  const bench = benchLedger(t);
  const old = [bench.sealed(), bench.sealed(), bench.sealed()];
  const folder = join(bench.dir, 'clips', 'gate');
  renameSync(folder, `${bench.dir}/away`);
  const fresh = Array.from({ length: 10 }, () => bench.sealed());
  await bench.reopen().check({ repair: true });
  assert.ok(
    old.every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'lost'),
    'too few to tell of a disk',
  );
  for (const { file } of old) renameSync(file.replace(folder, `${bench.dir}/away`), file);
  await bench.reopen().check({ repair: true });
  assert.ok([...old, ...fresh].every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'sealed'));
  assert.deepEqual((await bench.ledger.check({ repair: true, deep: true })).problems, []);
});
