/** Folders and files that a person names: what is wrong with them, in one sentence. */
import { accessSync, constants, mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { repoRoot } from '../places.ts';
import { Refusal } from './ends.ts';

const WHY: Readonly<Record<string, string>> = {
  EROFS: 'its file system is mounted read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk quota is used up',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENOTDIR: 'a part of that path is a file, not a folder',
  EEXIST: 'it is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'there is no such file or folder',
  ENAMETOOLONG: 'that name is too long',
  ELOOP: 'its links lead in a circle',
};

/** Why something about a file did not work; the system's own words when it is rare. */
export function whyNot(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return WHY[code] ?? message;
}

/** Makes a folder unless it is there, and sees that it can be written.
 *  @param what names it in the sentence, like `the data folder`
 *  @throws Refusal */
export function needFolder(what: string, dir: string): void {
  try {
    makeFolder(dir);
    // Root may write everywhere but where the file system itself is read-only, and this says so, too.
    accessSync(dir, constants.W_OK);
  } catch (error) {
    throw new Refusal(`${what} ${dir} cannot be used: ${whyNot(error)}`);
  }
}

/** Step by step: where the system refuses with ENOENT, as in /proc, Node's own recursion never ends. */
function makeFolder(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(dir) !== dir) makeFolder(dirname(dir));
  mkdirSync(dir, { mode: 0o700 });
}

/** @param what names it in the sentence, like `--settings`
 *  @throws Refusal when there is no such file that can be read */
export function needFile(what: string, file: string): void {
  try {
    if (statSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(file, constants.R_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EACCES' ? 'this user may not read it' : whyNot(error);
    throw new Refusal(`${what} ${file} cannot be read: ${why}`);
  }
}

/** @param what names it in the sentence, like `--save`
 *  @throws Refusal when that file could not be written; it is not touched */
export function needWritable(what: string, file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw new Refusal(`${what} ${file} cannot be written: ${whyNot(error)}`);
  }
}

/** State, keys and clips do not belong into a checkout, where the next commit would take them along.
 *  @throws Refusal */
export function refuseInCheckout(what: string, dir: string): void {
  const real = realOf(dir);
  const checkout = realOf(repoRoot);
  if (real === checkout || real.startsWith(checkout + sep))
    throw new Refusal(`${what} ${dir} lies in the checkout ${repoRoot}: name one elsewhere`);
}

/** What the system calls its own; `/srv`, and what is mounted under another name, are not. */
const OF_THE_SYSTEM =
  /^\/(?:bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|sbin|sys|tmp|usr|var)?$/;

/** A folder that holds much else is never meant: it comes of "$DIR/" with an unset variable, or of a forgotten name.
 *  @throws Refusal */
export function refuseShared(what: string, dir: string): void {
  const real = realOf(dir);
  if (OF_THE_SYSTEM.test(real) || real === realOf(homedir()))
    throw new Refusal(`${what} ${dir} holds much else: name one of its own; is a variable unset?`);
}

/** Where a path leads, links followed, also when it is not there yet. */
function realOf(path: string): string {
  const whole = resolve(path);
  const missing: string[] = [];
  for (let at = whole; ; at = dirname(at)) {
    try {
      return join(realpathSync(at), ...missing);
    } catch {
      if (at === dirname(at)) return whole;
      missing.unshift(at.slice(dirname(at).length).replace(/^\/+/, ''));
    }
  }
}
