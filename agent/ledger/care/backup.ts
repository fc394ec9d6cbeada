import { closeSync, fsyncSync, openSync, renameSync, statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';
import { freeBytesOf } from '../disk/disk-use.ts';
import { backupFile, ledgerFile, removeDatabase } from '../database/database-files.ts';
import { examineDatabase } from './examine.ts';

/** Pages of one step: 1 MiB. */
const STEP_PAGES = 256;
/** So much is written before it is brought to the disk, with a pause behind it: a card that is kept busy makes the
 *  recorder wait. */
const STEPS_A_SYNC = 4;
const PAUSE_MS = 20;
/** Bytes of the disk that a backup leaves free. */
const LEAVE_FREE_BYTES = 64 * 1024 * 1024;

const partOf = (dir: string) => `${backupFile(dir)}.part`;

/** Copies the ledger as it is at this moment, beside its owner, with SQLite's online backup. For a process of its own:
 *  it blocks.
 *  Procedure: copy within one read transaction, so that no commit of the owner makes it begin again · check the copy ·
 *  fsync · rename · fsync the folder. Whatever ends it, the backup of before stays until a whole one takes its place.
 *  @throws Failure `exhausted` without enough room, `corrupt` when the copy is not whole */
export async function backUpDatabase(
  dir: string,
  onStep: (what: string) => void = () => undefined,
): Promise<void> {
  const part = partOf(dir);
  removeDatabase(part);
  const { size } = statSync(ledgerFile(dir));
  if (freeBytesOf(dir) < size + LEAVE_FREE_BYTES)
    throw new Failure('exhausted', 'ledger.backup-room', 'the disk is too full for a backup of the ledger');
  try {
    await copy(ledgerFile(dir), part, onStep);
    const found = examineDatabase(part, { onStep });
    if (found.state !== 'whole')
      throw new Failure(
        'corrupt',
        'ledger.backup',
        `the backup of the ledger is not whole: ${'why' in found ? found.why : 'it is empty'}`,
      );
    const fd = openSync(part, 'r+');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, backupFile(dir));
    fsyncFolder(dir);
  } finally {
    removeDatabase(part);
  }
}

async function copy(from: string, to: string, onStep: (what: string) => void): Promise<void> {
  const db = new Sqlite(from, { readonly: true, fileMustExist: true });
  try {
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    let steps = 0;
    await db.backup(to, {
      progress: () => {
        steps += 1;
        onStep('copying');
        if (steps % STEPS_A_SYNC === 0) {
          const fd = openSync(to, 'r');
          fsyncSync(fd);
          closeSync(fd);
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
        }
        return STEP_PAGES;
      },
    });
  } finally {
    db.close();
  }
}
