import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { openLedger, restore } from './damage-bench.ts';

/** A folder as a kill leaves it in the middle of a database's first transaction: part of the pages, and the journal that
 *  undoes them. */
function cutOff(t: TestContext, edit: (database: string) => void = () => undefined): string {
  const root = mkdtempSync(join(tmpdir(), 'dachawatch-cut-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [begun, dir] = [join(root, 'begun.sqlite'), join(root, 'house')];
  mkdirSync(dir);
  const db = new Sqlite(begun);
  db.pragma('journal_mode = DELETE');
  db.pragma('cache_size = 1');
  db.exec('BEGIN; CREATE TABLE first (content BLOB)');
  // More than is held in memory: SQLite begins to write, behind the journal.
  for (let row = 0; row < 50; row++) db.prepare('INSERT INTO first VALUES (zeroblob(8000))').run();
  copyFileSync(begun, ledgerFile(dir));
  copyFileSync(`${begun}-journal`, `${ledgerFile(dir)}-journal`);
  db.close();
  edit(ledgerFile(dir));
  return dir;
}

async function opens(dir: string): Promise<void> {
  assert.deepEqual(await restore(dir), { state: 'whole' });
  const ledger = openLedger(dir);
  try {
    const clip = ledger.openClip({
      cameraId: 'gate',
      triggeredMs: 1_700_000_000_000,
      clockQuality: 'synchronised',
    });
    assert.equal(ledger.clip(clip.clipId)?.state, 'recording');
    assert.ok(!existsSync(`${ledgerFile(dir)}-journal`));
  } finally {
    ledger.close();
  }
}

test('a ledger whose very first transaction was cut off by a kill opens at the next start', async (t) => {
  await opens(cutOff(t));
});

test('so does one of whose first page only a part was written', async (t) => {
  await opens(cutOff(t, (database) => truncateSync(database, 2_048)));
});
