import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { change, damageBench, restore, restored } from './damage-bench.ts';

const notADatabase: Readonly<Record<string, (file: string) => void>> = {
  garbage: (file) => writeFileSync(file, Buffer.alloc(50_000, 0x5a)),
  'a folder': (file) => {
    rmSync(file);
    mkdirSync(file);
    writeFileSync(join(file, 'x'), 'x');
  },
  'a link to itself': (file) => {
    rmSync(file);
    symlinkSync(file, file);
  },
  'a database of something else': (file) => {
    rmSync(file);
    const db = new Sqlite(file);
    db.exec('CREATE TABLE songs (name TEXT); PRAGMA user_version = 99');
    db.close();
  },
  'half of a schema': (file) => {
    const db = new Sqlite(file);
    db.exec('DROP TABLE outbox');
    db.close();
  },
  'a ledger without its indexes': (file) => {
    const db = new Sqlite(file);
    db.exec('DROP INDEX clips_by_retry');
    db.close();
  },
};
for (const [what, damage] of Object.entries(notADatabase))
  test(`a ledger that is ${what} is set aside and begun anew, and no clip is lost`, async (t) => {
    const { dir, clips } = damageBench(t);
    damage(ledgerFile(dir));
    const { finding } = await restored(t, dir, clips, what);
    assert.equal(finding.state, 'rebuilt');
    assert.equal(readdirSync(join(dir, 'set-aside')).length, 1);
  });

test('a ledger of a newer version is left as it is, damaged or not', async (t) => {
  const { dir } = damageBench(t);
  const db = new Sqlite(ledgerFile(dir));
  db.exec("UPDATE facts SET value = 90 WHERE name = 'oldest_reader'; PRAGMA user_version = 90");
  db.close();
  const before = readFileSync(ledgerFile(dir));
  await assert.rejects(restore(dir), { kind: 'rejected', code: 'ledger.newer' });
  assert.deepEqual(readFileSync(ledgerFile(dir)), before);
  assert.ok(!existsSync(join(dir, 'set-aside')));
});

test('a link to a disk that is not there is waited for, not replaced', async (t) => {
  const { dir } = damageBench(t);
  rmSync(ledgerFile(dir));
  symlinkSync('/nowhere/ledger.sqlite', ledgerFile(dir));
  await assert.rejects(restore(dir), { kind: 'transient', code: 'ledger.link' });
});

test('an empty folder, and a whole ledger, are left as they are', async (t) => {
  const { dir } = damageBench(t);
  const before = readFileSync(ledgerFile(dir));
  assert.deepEqual(await restore(dir), { state: 'whole' });
  assert.deepEqual(readFileSync(ledgerFile(dir)), before);
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true });
  assert.deepEqual(await restore(dir), { state: 'whole' });
});

test('whatever lies under the name of a rebuilt ledger, a whole ledger is not replaced', async (t) => {
  const { dir } = damageBench(t);
  const before = readFileSync(ledgerFile(dir));
  const rebuilt = `${ledgerFile(dir)}.rebuilt`;
  const other = damageBench(t);
  const kinds: readonly (() => void)[] = [
    () => writeFileSync(rebuilt, ''),
    () => writeFileSync(rebuilt, Buffer.alloc(50_000, 0x5a)),
    () => mkdirSync(rebuilt),
    () => copyFileSync(ledgerFile(other.dir), rebuilt),
  ];
  for (const put of kinds) {
    put();
    assert.deepEqual(await restore(dir), { state: 'whole' });
    assert.deepEqual(readFileSync(ledgerFile(dir)), before);
    assert.ok(!existsSync(rebuilt));
  }
});

test('at most three damaged ledgers are kept', async (t) => {
  const { dir } = damageBench(t);
  for (let turn = 0; turn < 5; turn++) {
    change(ledgerFile(dir), (bytes) => bytes.fill(0, 0, 50));
    await restore(dir);
  }
  assert.equal(readdirSync(join(dir, 'set-aside')).length, 3);
});

for (const name of [
  'ledger.sqlite-wal',
  'ledger.sqlite-shm',
  'ledger.sqlite-journal',
  'ledger.owner-journal',
])
  for (const kind of ['folder', 'pipe'])
    test(`a ${kind} in the place of ${name} is moved away, and the ledger opens`, async (t) => {
      const { dir, clips } = damageBench(t);
      const path = join(dir, name);
      rmSync(path, { force: true });
      if (kind === 'pipe') execFileSync('mkfifo', [path]);
      else mkdirSync(join(path, 'x'), { recursive: true });
      const { finding } = await restored(t, dir, clips, name);
      assert.equal(finding.state, 'whole');
      assert.ok(readdirSync(join(dir, 'set-aside')).includes(`${name}.1`));
    });

test('a file in the place of the folder for what is set aside does not keep a damaged ledger from being replaced', async (t) => {
  const { dir, clips } = damageBench(t);
  writeFileSync(join(dir, 'set-aside'), 'x');
  change(ledgerFile(dir), (bytes) => bytes.fill(0, 0, 50));
  const { finding } = await restored(t, dir, clips, 'set-aside');
  assert.equal(finding.state, 'rebuilt');
  assert.equal(readFileSync(join(dir, 'set-aside.1'), 'utf8'), 'x');
});
