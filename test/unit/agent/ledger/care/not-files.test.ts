import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backUpDatabase } from '../../../../../agent/ledger/care/backup.ts';
import { openToLook } from '../../../../../agent/ledger/database/database.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { isOwned, takeOwnership } from '../../../../../agent/ledger/database/ownership.ts';
import { damageBench, openLedger, restore } from './damage-bench.ts';

const KINDS: Readonly<Record<string, (path: string) => void>> = {
  folder(path) {
    mkdirSync(path);
    writeFileSync(join(path, 'evidence of somebody'), 'x');
  },
  pipe: (path) => execFileSync('mkfifo', [path]),
  link: (path) => symlinkSync('/dev/null', path),
};

/** Names below the data folder of everything that lies aside. */
const asideIn = (dir: string) =>
  [...readdirSync(dir), ...readdirSync(join(dir, 'set-aside'))].filter((name) => /\.\d+$/.test(name));

for (const [kind, make] of Object.entries(KINDS)) {
  for (const name of [
    'ledger.sqlite.building',
    'ledger.sqlite.building-journal',
    'ledger.sqlite.scratch',
    'ledger.sqlite.rebuilt',
    'ledger.sqlite.rebuilt-wal',
    'ledger.rebuilt.txt',
    'ledger.backup.sqlite',
    'ledger.backup.sqlite.part',
    'ledger.owner',
    'ledger.owner-wal',
  ])
    test(`a ${kind} in the place of ${name} is kept, and the ledger is mended, opened and backed up`, async (t) => {
      const { dir, clips } = damageBench(t);
      const path = join(dir, name);
      rmSync(path, { force: true });
      make(path);
      const was = lstatSync(path).ino;
      // Damaged, so that every file that is needed to begin anew is made.
      execFileSync('dd', ['if=/dev/zero', `of=${ledgerFile(dir)}`, 'bs=4096', 'count=1', 'conv=notrunc'], {
        stdio: 'ignore',
      });
      const ownership = takeOwnership(dir, 0);
      assert.equal((await restore(dir)).state, 'rebuilt');
      const ledger = openLedger(dir, [], { ownership });
      assert.equal(ledger.clips({ limit: 1_000 }).length, clips.length);
      ledger.close();
      ownership.release();
      await backUpDatabase(dir);
      const kept = asideIn(dir).filter((one) => one.startsWith(name));
      assert.equal(kept.length, 1, `${name}: ${asideIn(dir).join()}`);
      assert.equal(lstatSync(join(dir, 'set-aside', String(kept[0]))).ino, was, 'it is the same one');
    });

  for (const name of ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm', 'ledger.sqlite-journal'])
    test(`a ${kind} in the place of ${name} is refused at once by who only looks`, (t) => {
      const { dir } = damageBench(t);
      rmSync(join(dir, name), { force: true });
      make(join(dir, name));
      assert.throws(() => openToLook(dir), { kind: 'corrupt', code: 'ledger.not-regular' });
      assert.ok(lstatSync(join(dir, name)), 'nothing was changed');
    });

  for (const name of ['ledger.owner', 'ledger.owner-journal'])
    test(`a ${kind} in the place of ${name} makes nobody wait who asks for the owner`, (t) => {
      const { dir } = damageBench(t);
      rmSync(join(dir, name), { force: true });
      make(join(dir, name));
      assert.equal(isOwned(dir), false);
    });
}

test('what stood in the way time after time is all kept', async (t) => {
  const { dir } = damageBench(t);
  for (let turn = 1; turn <= 12; turn += 1) {
    mkdirSync(join(dir, 'ledger.sqlite.scratch'));
    writeFileSync(join(dir, 'ledger.sqlite.scratch', String(turn)), 'x');
    execFileSync('dd', ['if=/dev/zero', `of=${ledgerFile(dir)}`, 'bs=4096', 'count=1', 'conv=notrunc'], {
      stdio: 'ignore',
    });
    await restore(dir);
  }
  assert.equal(asideIn(dir).filter((name) => name.startsWith('ledger.sqlite.scratch')).length, 12);
});

test('a file that is no lock, and a database under the name of a rebuilt one, are kept', async (t) => {
  const { dir } = damageBench(t);
  const other = damageBench(t);
  rmSync(join(dir, 'ledger.owner'), { force: true });
  writeFileSync(
    join(dir, 'ledger.owner'),
    'notes of somebody, a little longer than the header of a database is',
  );
  renameSync(ledgerFile(other.dir), join(dir, 'ledger.sqlite.rebuilt'));
  takeOwnership(dir, 0).release();
  assert.deepEqual(await restore(dir), { state: 'whole' });
  for (const name of ['ledger.owner.1', 'ledger.sqlite.rebuilt.1'])
    assert.ok(asideIn(dir).includes(name), asideIn(dir).join());
});
