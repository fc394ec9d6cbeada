import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fsyncFolder } from '../kernel/durable-file.ts';

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
/** Damaged databases kept for whoever wants to look at them. */
const KEPT = 3;
/** Things of one name that are kept, which lay where a file of ours belongs. */
const STRANGE_KEPT = 9;

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

export function removeDatabase(file: string): void {
  for (const part of PARTS) rmSync(`${file}${part}`, { recursive: true, force: true });
}

/** Puts the rebuilt database in the place of the damaged one, which is moved to a dated folder with all that belongs
 *  to it. At most three such folders are kept.
 *  Procedure: 1. move the parts of the damaged one · 2. rename the new one · 3. fsync the folder.
 *  The new one was given its name only when it was whole on disk. The database itself is moved before its WAL: a cut in
 *  between leaves no database, and a new one that names it as its source; running this again goes on.
 *  @returns the folder, relative to `dir`; undefined when there was nothing to set aside */
export function swapDatabases(dir: string, nowMs: number): string | undefined {
  const present = PARTS.filter((part) => isThere(`${ledgerFile(dir)}${part}`));
  let folder: string | undefined;
  if (present.length > 0) {
    folder = newFolder(dir, nowMs);
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

/** Moves what is no file out of the places beside a database that SQLite would use. */
export function clearPlaces(dir: string): void {
  for (const file of [ledgerFile(dir), backupFile(dir)])
    for (const part of PARTS.slice(1)) moveStrange(dir, `${file}${part}`);
}

/** Moves what is there and is no file to `set-aside`, under its own name and a number. */
export function moveStrange(dir: string, path: string): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (!entry || entry.isFile()) return;
  makeSetAside(dir);
  renameSync(path, freeName(join(setAsideDir(dir), basename(path))));
}

function makeSetAside(dir: string): void {
  const folder = setAsideDir(dir);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && isThere(folder)) renameSync(folder, freeName(folder));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** The last of the numbers is used again and again. */
function freeName(path: string): string {
  for (let number = 1; number < STRANGE_KEPT; number += 1)
    if (!isThere(`${path}.${number}`)) return `${path}.${number}`;
  const last = `${path}.${STRANGE_KEPT}`;
  rmSync(last, { recursive: true, force: true });
  return last;
}

/** Whether the database with this inode has been set aside. */
export const isSetAside = (dir: string, inode: number): boolean =>
  lstatSync(setAsideDir(dir), { throwIfNoEntry: false })?.isDirectory() === true &&
  readdirSync(setAsideDir(dir)).some(
    (name) =>
      lstatSync(join(setAsideDir(dir), name, 'ledger.sqlite'), { throwIfNoEntry: false })?.ino === inode,
  );

function newFolder(dir: string, nowMs: number): string {
  makeSetAside(dir);
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-');
  let name = `ledger-${stamp}Z`;
  for (let copy = 1; existsSync(join(setAsideDir(dir), name)); copy++) name = `ledger-${stamp}Z-${copy}`;
  mkdirSync(join(setAsideDir(dir), name), { recursive: true, mode: 0o700 });
  return join('set-aside', name);
}

function keepNewest(dir: string): void {
  if (!existsSync(setAsideDir(dir))) return;
  const folders = readdirSync(setAsideDir(dir))
    .filter((name) => name.startsWith('ledger-'))
    .toSorted();
  for (const name of folders.slice(0, Math.max(0, folders.length - KEPT)))
    rmSync(join(setAsideDir(dir), name), { recursive: true, force: true });
}
