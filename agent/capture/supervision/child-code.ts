import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CHILD_PROGRAM } from './fork-child.ts';

/** It takes a second or two of a slow machine. */
const COMPILES_WITHIN_MS = 20_000;
/** Each release leaves what it compiled, some hundred files: then all is compiled anew. */
const MOST_FILES = 4_000;

/** Compiles the program of the children into Node's cache of compiled code (`NODE_COMPILE_CACHE` of their environment),
 *  so that not one of them has to load Node's compiler of TypeScript, which stays in memory once it was needed: 15 MB of
 *  each child. Runs the program once, without a channel: it loads everything and ends.
 *  Without such a cache nothing is done. Never rejects: a child that finds nothing compiled compiles by itself.
 *  @param signal aborted: it is not waited for any more */
export async function compileChildCode(
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const folder = environment['NODE_COMPILE_CACHE'];
  if (folder === undefined) return;
  await boundFiles(folder);
  const { promise, resolve } = Promise.withResolvers<void>();
  execFile(
    process.execPath,
    [fileURLToPath(CHILD_PROGRAM)],
    { env: { ...environment }, timeout: COMPILES_WITHIN_MS, killSignal: 'SIGKILL', signal },
    () => resolve(),
  );
  await promise;
}

async function boundFiles(folder: string): Promise<void> {
  try {
    const files = await readdir(folder, { recursive: true });
    if (files.length > MOST_FILES) await rm(folder, { recursive: true, force: true });
  } catch {
    // There is none yet, or it is not ours to read: then Node does not use it either.
  }
}
