import { lstatSync, renameSync } from 'node:fs';
import { Failure } from '../failure.ts';

/** Things of one name that may lie aside. */
const ASIDE_MAX = 1_000;

/** Moves what stands under the name of a file of ours and is none (a link, a folder, a pipe, a device) to
 *  `<path>.aside-<number>`. Nobody knows whose it is: it is never deleted.
 *  @returns where it lies now; undefined when there was nothing to move
 *  @throws the system's error; as `freeName` */
export function moveAsideUnlessFile(path: string): string | undefined {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (!entry || entry.isFile()) return undefined;
  const aside = freeName(`${path}.aside-`);
  renameSync(path, aside);
  return aside;
}

/** @param beginning what the name begins with; a number follows
 *  @throws Failure `exhausted` `file.too-many-aside` when a thousand such names are taken */
export function freeName(beginning: string): string {
  for (let number = 1; number <= ASIDE_MAX; number += 1) {
    const name = `${beginning}${number}`;
    if (!lstatSync(name, { throwIfNoEntry: false })) return name;
  }
  throw new Failure(
    'exhausted',
    'file.too-many-aside',
    `${ASIDE_MAX} things were moved aside to ${beginning}1 and so on: look at them, and take them away`,
  );
}
