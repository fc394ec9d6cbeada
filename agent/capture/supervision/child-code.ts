import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHILD_PROGRAM } from './fork-child.ts';

/** It takes a second or two of a slow machine. */
const COMPILES_WITHIN_MS = 20_000;
/** Each release leaves what it compiled, some hundred files: then all is compiled anew. */
const MOST_FILES = 4_000;
/** Folders that Node makes in it: version, processor, kind of build, user. */
const NODES_OWN = /^v\d+\.\d+\.\d+-[a-z0-9]+-[0-9a-f]+-\d+$/;
/** In the cache: which program was compiled into it. */
const NOTE = 'capture-child';

/** Compiles the program of the children into Node's cache of compiled code (`NODE_COMPILE_CACHE` of their environment),
 *  so that not one of them has to load Node's compiler of TypeScript, which stays in memory once it was needed: 15 MB of
 *  each child. Runs the program once, without a channel: it loads everything and ends. A program that was compiled at an
 *  earlier start is not run again: cameras would wait for it at each start.
 *  Without such a cache nothing is done. Never rejects: a child that finds nothing compiled compiles by itself.
 *  @param signal aborted: it is not waited for any more */
export async function compileChildCode(
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const folder = environment['NODE_COMPILE_CACHE'];
  if (folder === undefined) return;
  const program = fileURLToPath(CHILD_PROGRAM);
  // Each release has a folder of its own, so the path says which one it is.
  const compiled = `${process.version} ${program}\n`;
  const note = join(folder, NOTE);
  if ((await readNote(note)) === compiled) return;
  await boundFiles(folder);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  execFile(
    process.execPath,
    [program],
    { env: { ...environment }, timeout: COMPILES_WITHIN_MS, killSignal: 'SIGKILL', signal },
    (error) => resolve(error === null),
  );
  // A note that cannot be written costs the next start the same again.
  if (await promise) await writeFile(note, compiled).catch(() => undefined);
}

/** @returns undefined: there is none, or it cannot be read */
const readNote = (file: string) => readFile(file, 'utf8').catch(() => undefined);

/** Of what else lies in the folder nothing is touched: whoever set the variable may keep other things there. */
async function boundFiles(folder: string): Promise<void> {
  try {
    const caches = (await readdir(folder))
      .filter((name) => NODES_OWN.test(name))
      .map((name) => join(folder, name));
    const files = await Promise.all(caches.map((cache) => readdir(cache)));
    if (files.flat().length <= MOST_FILES) return;
    for (const cache of caches) await rm(cache, { recursive: true, force: true });
  } catch {
    // There is none yet, or it is not ours to read: then Node does not use it either.
  }
}
