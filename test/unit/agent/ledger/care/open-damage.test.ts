import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { isBug } from '../../../../../agent/kernel/is-bug.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { verdictFor, writeClip } from '../bench.ts';
import { serviceBench } from '../service-bench.ts';
import { damageBench } from './damage-bench.ts';

/** A ledger that is open and checked, and used by a house that goes on whatever it is told. */
async function house(t: TestContext) {
  const { dir, clips } = damageBench(t);
  const { create, until, codes, opened, lines, logged } = serviceBench(dir);
  const ledger = create();
  t.after(() => ledger.stop());
  await ledger.start();
  const bugs: unknown[] = [];
  /** What every room asks of it. An error that is a bug would end the process. */
  async function use(): Promise<void> {
    const calls: readonly (() => unknown)[] = [
      () => ledger.clips({ limit: 100 }),
      () => ledger.summary(),
      () => ledger.leaseNext(),
      () => ledger.awaitingVerdict(0, 10),
      () => ledger.applyVerdict(verdictFor(clips[0]?.clipId ?? '')),
      () => ledger.drainInbox(),
      () => ledger.custody(clips[0]?.clipId ?? ''),
      () => ledger.outgoing(10),
      () => ledger.tend(),
    ];
    for (const call of calls)
      try {
        await call();
      } catch (error) {
        if (isBug(error)) bugs.push(error);
      }
  }
  const checked = () => logged('ledger.checked');
  await until('it is open', () => checked() === 1);
  // Into the database itself, where the damage is done.
  await ledger.tend();
  return { dir, clips, ledger, bugs, use, until, checked, codes, opened, lines };
}

function change(dir: string, sql: string): void {
  const db = new Sqlite(ledgerFile(dir));
  try {
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.exec(sql);
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

const SCHEMA: Readonly<Record<string, string>> = {
  'the table of clips gone': 'PRAGMA foreign_keys = OFF; DROP TABLE clips',
  'the table of custody gone': 'DROP TABLE custody',
  'the facts gone': 'DROP TABLE facts',
  'an index gone': 'DROP INDEX clips_by_state',
  'a trigger gone': 'DROP TRIGGER clip_totals_insert',
  'a column with another name': 'ALTER TABLE clips RENAME COLUMN lease_until TO lease_untiL2',
  'a table that SQLite cannot read':
    "UPDATE sqlite_master SET sql = 'CREATE TABLE clips (' WHERE name = 'clips'",
  'all tables forgotten': 'DELETE FROM sqlite_master',
};
for (const [what, sql] of Object.entries(SCHEMA))
  test(`a ledger whose schema is damaged while it is open (${what}) ends no process: it is told, begun anew, and used again`, async (t) => {
    const { dir, clips, ledger, bugs, use, until, checked, codes, lines } = await house(t);
    change(dir, sql);
    await until('it is looked over and checked', () => checked() > 1, use);
    assert.deepEqual(bugs, []);
    assert.ok(codes().includes('ledger-rebuilt'), codes().join());
    assert.ok(!codes().includes('ledger-unavailable'));
    assert.ok(
      lines.some(({ fields }) => fields['event'] === 'ledger.unavailable'),
      'it was told',
    );
    const now = new Map(ledger.clips({ limit: 100 }).map((clip) => [clip.clipId, clip]));
    for (const { clipId } of clips) assert.ok(now.has(clipId), clipId);
    const opened = ledger.openClip({ cameraId: 'gate', triggeredMs: 1, clockQuality: 'synchronised' });
    assert.equal(ledger.sealClip(opened.clipId, writeClip(opened.partFile, 100))?.state, 'sealed');
  });

for (const part of [0, 0.3, 0.6, 1])
  test(`a page that is zeroed while the ledger is open (${part * 100} % of the way) ends no process, and is found when it is asked for or backed up`, async (t) => {
    const { dir, clips, ledger, bugs, use, until, checked } = await house(t);
    const last = statSync(ledgerFile(dir)).size / 4096 - 1;
    const fd = openSync(ledgerFile(dir), 'r+');
    writeSync(fd, Buffer.alloc(4096), 0, 4096, Math.floor(part * last) * 4096);
    closeSync(fd);
    await until('it is found', () => checked() > 1, use);
    assert.deepEqual(bugs, []);
    const ids = new Set(ledger.clips({ limit: 100 }).map(({ clipId }) => clipId));
    for (const { clipId } of clips) assert.ok(ids.has(clipId), clipId);
  });

test('a mistake of the program is told as one when the database was found whole and it comes again', async (t) => {
  const { ledger, until, checked, opened } = await house(t);
  const nothing = { startedMs: 0, preRollMs: 0, durationMs: 0, bytes: 0, sha256: '' };
  const mistake = () => ledger.sealClip('01BX5ZZKBKACTAV9WEVGEMMVRZ', nothing);
  assert.throws(mistake, { kind: 'transient', code: 'ledger.doubtful' });
  await until('it is open again', () => checked() > 1 && opened() > 1);
  assert.throws(mistake, { kind: 'bug', code: 'ledger.unknown-clip' });
});
