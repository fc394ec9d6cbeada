import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { moveAsideUnlessFile } from './move-aside.ts';

/** Makes what was done to the entries of a folder survive a power cut. */
export function fsyncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unlinkIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Puts a small text in a file of its owner alone; folder and file are made when they are not there.
 *  Procedure: write `….tmp` beside, fsync, rename, fsync the folder. Whatever ends it, the name stands for a whole file,
 *  the old one or the new one; when it returns, for the new one, also after a power cut. One writer at a time.
 *  What stands under either name and is no file is moved aside.
 *  @throws the system's error, with the old file in place unless only the last fsync failed */
export function replaceDurably(file: string, text: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const beside = `${file}.tmp`;
  for (const path of [file, beside]) moveAsideUnlessFile(path);
  // What a killed writer left.
  unlinkIfThere(beside);
  writeFileSync(beside, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(beside, file);
  fsyncFolder(folder);
}
