import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openDatabase, openToLook } from '../../../../../agent/ledger/database/database.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import {
  MIGRATIONS,
  type Migration,
  SCHEMA_VERSION,
} from '../../../../../agent/ledger/database/migrations.ts';
import { createClipRows } from '../../../../../agent/ledger/clips/clip-rows.ts';
import { systemClock } from '../../../../../agent/kernel/clock.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-db-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

const later = (oldestReader: number): Migration[] => [
  ...MIGRATIONS,
  { version: SCHEMA_VERSION + 1, oldestReader, sql: 'ALTER TABLE clips ADD COLUMN new_column TEXT' },
];

test('every commit is on disk: WAL with synchronous FULL, also when opened again', (t) => {
  const dir = folder(t);
  for (let round = 0; round < 2; round++) {
    const db = openDatabase(dir);
    assert.equal(db.pragma('synchronous', { simple: true }), 2);
    assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
    assert.equal(db.pragma('foreign_keys', { simple: true }), 1);
    db.close();
  }
});

test('a ledger that needs a newer program is refused with one sentence and left as it is', (t) => {
  const dir = folder(t);
  openDatabase(dir, later(SCHEMA_VERSION + 1)).close();
  for (const open of [openDatabase, openToLook])
    assert.throws(
      () => open(dir),
      (error) =>
        error instanceof Failure && error.code === 'ledger.newer' && /newer version/.test(error.message),
    );
  const db = openDatabase(dir, later(SCHEMA_VERSION + 1));
  assert.equal(db.pragma('user_version', { simple: true }), SCHEMA_VERSION + 1);
  db.close();
});

test('after an update was rolled back, the old program uses a ledger that only gained columns', (t) => {
  const dir = folder(t);
  openDatabase(dir, later(1)).close();
  const db = openDatabase(dir);
  assert.equal(db.pragma('user_version', { simple: true }), SCHEMA_VERSION + 1);
  db.close();
});

test('a file that is no database is reported as corrupt and not overwritten', (t) => {
  const dir = folder(t);
  writeFileSync(
    ledgerFile(dir),
    'these are not the bytes of a database, but somebody wrote them here'.repeat(100),
  );
  assert.throws(
    () => openDatabase(dir),
    (error) => error instanceof Failure && error.kind === 'corrupt',
  );
});

test('looking at a folder without a ledger says so and makes none', (t) => {
  const dir = folder(t);
  assert.throws(
    () => openToLook(dir),
    (error) => error instanceof Failure && error.code === 'ledger.none',
  );
  assert.throws(() => openToLook(dir), /is missing/);
});

test('who looks beside the owner reads rows by the same statements as the owner', (t) => {
  const dir = folder(t);
  const owner = openDatabase(dir);
  t.after(() => owner.close());
  const looking = openToLook(dir);
  t.after(() => looking.close());
  const rows = createClipRows({ db: looking, dir, clock: systemClock });
  assert.throws(() => rows.require('01JD3V7Q8ZK4M6N8P0R2S4T9ZZ'), Failure);
});
