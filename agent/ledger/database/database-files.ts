import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';
import { freeName } from '../../kernel/files/move-aside.ts';

export const ledgerFile = (dir: string) => join(dir, 'ledger.sqlite');
/** The last online backup (`backup.ts`). */
export const backupFile = (dir: string) => join(dir, 'ledger.backup.sqlite');
/** The new database while it is being filled. */
export const buildingFile = (dir: string) => join(dir, 'ledger.sqlite.building');
/** A copy of the damaged one, for trying. */
export const scratchFile = (dir: string) => join(dir, 'ledger.sqlite.scratch');
/** The new database, whole, before it takes the place of the damaged one. */
export const rebuiltFile = (dir: string) => join(dir, 'ledger.sqlite.rebuilt');
/** One sentence: why the ledger was begun anew the last time, and what became of the clips. */
export const rebuiltNote = (dir: string) => join(dir, 'ledger.rebuilt.txt');
export const setAsideDir = (dir: string) => join(dir, 'set-aside');

/** What belongs to one database in WAL mode. */
const PARTS = ['', '-wal', '-shm', '-journal'] as const;
/** Beginning of the names of folders in `set-aside`: of ledgers that were read when they were replaced, and of those
 *  that could not be. */
const READ = 'ledger-';
const UNREAD = 'unread-ledger-';
/** Damaged databases of either kind kept for whoever wants to look at them. */
const KEPT = 3;

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Removes the files of a database that is ours alone. What stands under their names and is no file is moved away. */
export function removeDatabase(file: string): void {
  for (const part of PARTS) {
    moveStrange(dirname(file), `${file}${part}`);
    rmSync(`${file}${part}`, { force: true });
  }
}

/** Moves the files of a database that is not ours to `set-aside`. */
export function setDatabaseAside(dir: string, file: string): void {
  for (const part of PARTS) if (isThere(`${file}${part}`)) setAside(dir, `${file}${part}`);
}

/** @throws Failure `corrupt` `ledger.not-regular` when SQLite would open something that is no file: to read a pipe is
 *  to wait for ever. The database itself may be a link to one. */
export function requireRegular(file: string): void {
  for (const part of PARTS) {
    const path = `${file}${part}`;
    const entry = (part === '' ? statSync : lstatSync)(path, { throwIfNoEntry: false });
    if (entry?.isFile() === false)
      throw new Failure(
        'corrupt',
        'ledger.not-regular',
        `${path} is not read: it is a link, a pipe, a folder or a device`,
      );
  }
}

/** Puts the rebuilt database in the place of the damaged one, which is moved to a dated folder with all that belongs
 *  to it. At most three such folders are kept.
 *  Procedure: 1. move the parts of the damaged one · 2. rename the new one · 3. fsync the folder.
 *  The new one was given its name only when it was whole on disk. The database itself is moved before its WAL: a cut in
 *  between leaves no database, and a new one that names it as its source; running this again goes on.
 *  @param isUnread nothing was read of it: it is kept apart from those that were, which are many times replaced
 *  @returns the folder, relative to `dir`; undefined when there was nothing to set aside */
export function swapDatabases(dir: string, nowMs: number, isUnread = false): string | undefined {
  const present = PARTS.filter((part) => isThere(`${ledgerFile(dir)}${part}`));
  let folder: string | undefined;
  if (present.length > 0) {
    folder = newFolder(dir, nowMs, isUnread);
    for (const part of present)
      renameSync(`${ledgerFile(dir)}${part}`, join(dir, folder, `ledger.sqlite${part}`));
    fsyncFolder(join(dir, folder));
    fsyncFolder(setAsideDir(dir));
  }
  renameSync(rebuiltFile(dir), ledgerFile(dir));
  fsyncFolder(dir);
  keepNewest(dir);
  return folder;
}

/** Moves what is no file out of the places of the backup, of the note, and beside a database that SQLite would use. */
export function clearPlaces(dir: string): void {
  for (const path of [backupFile(dir), rebuiltNote(dir)]) moveStrange(dir, path);
  for (const file of [ledgerFile(dir), backupFile(dir)])
    for (const part of PARTS.slice(1)) moveStrange(dir, `${file}${part}`);
}

/** Moves what is there and is no file to `set-aside`, under its own name and a number. Nobody knows whose it is: it is
 *  never deleted. */
export function moveStrange(dir: string, path: string): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry?.isFile() === false) setAside(dir, path);
}

/** Moves what nobody knows the origin of to `set-aside`, under its own name and a number. */
export function setAside(dir: string, path: string): void {
  makeSetAside(dir);
  renameSync(path, freeName(`${join(setAsideDir(dir), basename(path))}.`));
}

function makeSetAside(dir: string): void {
  const folder = setAsideDir(dir);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && isThere(folder)) renameSync(folder, freeName(`${folder}.`));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Whether the database with this inode has been set aside. */
export const isSetAside = (dir: string, inode: number): boolean =>
  lstatSync(setAsideDir(dir), { throwIfNoEntry: false })?.isDirectory() === true &&
  readdirSync(setAsideDir(dir)).some(
    (name) =>
      lstatSync(join(setAsideDir(dir), name, 'ledger.sqlite'), { throwIfNoEntry: false })?.ino === inode,
  );

function newFolder(dir: string, nowMs: number, isUnread: boolean): string {
  makeSetAside(dir);
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-');
  const first = `${isUnread ? UNREAD : READ}${stamp}Z`;
  let name = first;
  for (let copy = 1; existsSync(join(setAsideDir(dir), name)); copy++) name = `${first}-${copy}`;
  mkdirSync(join(setAsideDir(dir), name), { recursive: true, mode: 0o700 });
  return join('set-aside', name);
}

function keepNewest(dir: string): void {
  if (!existsSync(setAsideDir(dir))) return;
  for (const kind of [READ, UNREAD]) {
    const folders = readdirSync(setAsideDir(dir))
      .filter((name) => name.startsWith(kind))
      .toSorted();
    for (const name of folders.slice(0, Math.max(0, folders.length - KEPT)))
      rmSync(join(setAsideDir(dir), name), { recursive: true, force: true });
  }
}

/** Words for a sentence, when `swapDatabases` has set one aside. */
export const wasSetAside = (folder: string | undefined) =>
  folder === undefined ? '' : `, set aside in ${folder}`;
