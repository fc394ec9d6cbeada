import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { backupFile, ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import type { Clip } from '../../../../../agent/ledger/ledger.ts';
import { uploadNext } from '../bench.ts';
import {
  change,
  damageBench,
  damagedCopy,
  movedTo,
  openLedger,
  PAGE,
  restore,
  restored,
} from './damage-bench.ts';

test('whichever page of the database is zeroed, no clip is lost, and the ledger is in order again', async (t) => {
  const { dir, clips } = damageBench(t);
  const pages = statSync(ledgerFile(dir)).size / PAGE;
  for (let page = 0; page < pages; page++) {
    const copy = damagedCopy(t, dir, (file) =>
      change(file, (bytes) => bytes.fill(0, page * PAGE, (page + 1) * PAGE)),
    );
    const { finding, ledger } = await restored(t, copy, movedTo(copy, dir, clips), `page ${page + 1}`);
    assert.equal(finding.state, 'rebuilt');
    ledger.close();
  }
});

test('at whatever length the database is cut off, no clip is lost, and the ledger is in order again', async (t) => {
  const { dir, clips } = damageBench(t);
  const { size } = statSync(ledgerFile(dir));
  for (const length of [
    0,
    1,
    99,
    100,
    512,
    PAGE - 1,
    PAGE,
    PAGE + 1,
    3 * PAGE,
    size / 2,
    size - PAGE,
    size - 1,
  ]) {
    const copy = damagedCopy(t, dir, (file) => truncateSync(file, length));
    const { ledger } = await restored(t, copy, movedTo(copy, dir, clips), `${length} bytes`);
    ledger.close();
  }
});

test('forty flipped bits anywhere in the database cost no clip, and leave nothing wrong behind', async (t) => {
  const { dir, clips } = damageBench(t);
  for (let seed = 1; seed <= 12; seed++) {
    let state = seed;
    const random = () => (state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff) / 0x8000_0000;
    const copy = damagedCopy(t, dir, (file) =>
      change(file, (bytes) => {
        for (let bit = 0; bit < 40; bit++) {
          const at = Math.floor(random() * bytes.length);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
        }
      }),
    );
    const { ledger } = await restored(t, copy, movedTo(copy, dir, clips), `seed ${seed}`);
    ledger.close();
  }
});

test('what a damaged ledger still says of custody, verdicts and uploads is kept, and custody tells from where', async (t) => {
  const { dir, clips } = damageBench(t);
  // The first page names all others; nothing else is damaged.
  change(ledgerFile(dir), (bytes) => bytes.fill(0xff, 0, PAGE));
  const before = new Map(clips.map((clip) => [clip.clipId, clip]));
  const { finding, ledger, now } = await restored(t, dir, clips, 'the first page');
  assert.equal(finding.state, 'rebuilt');
  assert.equal(now.size, clips.length);
  for (const [clipId, clip] of now) {
    const was = before.get(clipId);
    assert.ok(was);
    if (was.state !== 'recording')
      assert.deepEqual([clip.state, clip.verdict, clip.blobUrl], [was.state, was.verdict, was.blobUrl]);
    const events = ledger.custody(clipId).map(({ event }) => event);
    assert.equal(events[0], 'open');
    assert.ok(events.includes('taken-over'), events.join());
  }
  assert.ok(ledger.outgoing(1_000).length > 0, 'events for the hub still wait');
  assert.deepEqual(ledger.drainInbox(), { applied: 0, refused: 1 }, 'the message that waited was read');
  const [aside = ''] = readdirSync(join(dir, 'set-aside'));
  assert.ok(
    readFileSync(join(dir, 'set-aside', aside, 'ledger.sqlite')).length > 0,
    'the damaged one is kept',
  );
});

test('what cannot be read any more comes from the backup, and what is newer from the damaged ledger', async (t) => {
  const { dir, clips } = damageBench(t);
  const earlier = openLedger(dir);
  copyFileSync(ledgerFile(dir), backupFile(dir));
  const uploaded = uploadNext(earlier);
  earlier.close();
  change(ledgerFile(dir), (bytes) => {
    // Leaves the rows of clips unreadable in part: each second page.
    for (let at = 2 * PAGE; at < bytes.length; at += 2 * PAGE) bytes.fill(0, at, at + PAGE);
  });
  const { now } = await restored(t, dir, clips, 'each second page');
  for (const clip of clips) {
    if (clip.state === 'recording' || clip.clipId === uploaded.clipId) continue;
    assert.equal(now.get(clip.clipId)?.state, clip.state, clip.clipId);
    assert.deepEqual(now.get(clip.clipId)?.verdict, clip.verdict);
  }
});

test('a ledger that is gone is begun anew from the backup and the clip files', async (t) => {
  const { dir, clips } = damageBench(t);
  const copy = damagedCopy(t, dir, (file) => rmSync(file));
  const without = await restored(t, copy, movedTo(copy, dir, clips), 'without a backup');
  assert.equal(without.finding.state, 'rebuilt');
  const withBackup = damagedCopy(t, dir, (file) => {
    copyFileSync(file, backupFile(join(file, '..')));
    rmSync(file);
  });
  const { now } = await restored(t, withBackup, movedTo(withBackup, dir, clips), 'with a backup');
  assert.equal(now.size, clips.length);
});

test('a clip that was uploaded keeps its name in storage when only its file is left', async (t) => {
  const { dir, clips } = damageBench(t);
  rmSync(ledgerFile(dir));
  // `restored` compares the names.
  const { ledger, now } = await restored(t, dir, clips, 'files only');
  const judged = clips.find(({ state }) => state === 'judged');
  assert.ok(judged);
  assert.deepEqual(
    [now.get(judged.clipId)?.state, now.get(judged.clipId)?.bytes],
    ['sealed', judged.bytes],
    'the uploader looks for it in storage, by name, size and checksum',
  );
  assert.match(ledger.custody(judged.clipId)[0]?.detail ?? '', /the row was made from the file/);
});

const walDamage: Readonly<Record<string, (wal: string) => void>> = {
  garbage: (wal) => writeFileSync(wal, Buffer.alloc(80_000, 0x77)),
  'cut off': (wal) => truncateSync(wal, Math.floor(statSync(wal).size * 0.6)),
  gone: (wal) => rmSync(wal),
};
for (const [what, damage] of Object.entries(walDamage))
  test(`a ledger whose WAL is ${what} loses no clip whose file is there`, async (t) => {
    const { dir, clips } = damageBench(t);
    const ledger = openLedger(dir);
    const more: Clip[] = [];
    for (let turn = 0; turn < 3; turn++) more.push(uploadNext(ledger));
    // As a killed process leaves it: not written back.
    const wal = readFileSync(`${ledgerFile(dir)}-wal`);
    const database = readFileSync(ledgerFile(dir));
    ledger.close();
    writeFileSync(ledgerFile(dir), database);
    writeFileSync(`${ledgerFile(dir)}-wal`, wal);
    damage(`${ledgerFile(dir)}-wal`);
    await restored(t, dir, clips, what);
  });

test('an index that does not fit the rows is made again, and nothing else is touched', async (t) => {
  const { dir, clips } = damageBench(t);
  const db = new Sqlite(ledgerFile(dir));
  const root = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'custody_by_clip'").pluck().get();
  const id = clips[5]?.clipId ?? '';
  db.close();
  change(ledgerFile(dir), (bytes) => {
    const at = bytes.indexOf(id, (Number(root) - 1) * PAGE);
    bytes.write(id.slice(0, -1) + (id.endsWith('0') ? '1' : '0'), at);
  });
  const { finding, now } = await restored(t, dir, clips, 'the index');
  assert.equal(finding.state, 'mended');
  assert.equal(now.size, clips.length);
  assert.ok(!existsSync(join(dir, 'set-aside')));
});

test('a rebuild that ends before the databases change places is begun again; after, it goes on where it was', async (t) => {
  const { dir, clips } = damageBench(t);
  // Refused by SQLite for writing; every row can be read.
  change(ledgerFile(dir), (bytes) => (bytes[18] = 3));
  await assert.rejects(restore(dir, { isWanted: () => false }), { code: 'ledger.not-wanted' });
  assert.ok(existsSync(ledgerFile(dir)), 'the damaged one is where it was');
  // Cut between moving the database and moving what belongs to it.
  mkdirSync(join(dir, 'set-aside', 'ledger-x'), { recursive: true });
  renameSync(ledgerFile(dir), join(dir, 'set-aside', 'ledger-x', 'ledger.sqlite'));
  writeFileSync(`${ledgerFile(dir)}-wal`, Buffer.alloc(80_000, 0x77));
  const { finding, now } = await restored(t, dir, clips, 'cut between');
  assert.equal(finding.state, 'rebuilt');
  for (const clip of clips.filter(({ state }) => state === 'judged'))
    assert.deepEqual(now.get(clip.clipId)?.verdict, clip.verdict);
});

test('a ledger that cannot be read at all is begun from backup and files', async (t) => {
  const { dir, clips } = damageBench(t);
  copyFileSync(ledgerFile(dir), backupFile(dir));
  appendFileSync(ledgerFile(dir), 'x');
  const finding = await restore(dir, { known: 'unreadable' });
  assert.equal(finding.state, 'rebuilt');
  const { now } = await restored(t, dir, clips, 'from the backup');
  assert.equal(now.size, clips.length);
});
