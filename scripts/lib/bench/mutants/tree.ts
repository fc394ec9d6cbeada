/** A copy of the tree in which mutants are tried: the checkout is only read. */
import { spawn } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

/** What tests read besides the tree is installed, and is never changed: it is linked. */
const INSTALLED = 'node_modules';
/** Our own packages among it must be those of the copy. */
const OURS = '@dachawatch';
const NOT_COPIED = new Set(['.git', '.cache', INSTALLED]);

export interface MutantTree {
  readonly root: string;
  /** Runs one test file. @returns whether it passed; false also when it took longer than `withinMs` */
  passes(testFile: string, withinMs: number, signal: AbortSignal): Promise<boolean>;
  remove(): void;
}

export function copyTree(checkout: string): MutantTree {
  const scratch = mkdtempSync(join(tmpdir(), 'mutants-'));
  const root = join(scratch, 'tree');
  cpSync(checkout, root, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !NOT_COPIED.has(relative(checkout, path)),
  });
  linkInstalled(checkout, root);
  // What a killed test leaves behind goes with the copy.
  const temporary = join(scratch, 't');
  mkdirSync(temporary);
  return {
    root,
    passes: (testFile, withinMs, signal) => runTest(root, temporary, testFile, withinMs, signal),
    remove: () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function linkInstalled(checkout: string, root: string): void {
  const from = join(checkout, INSTALLED);
  mkdirSync(join(root, INSTALLED, OURS), { recursive: true });
  for (const name of readdirSync(from))
    if (name !== OURS) symlinkSync(resolve(from, name), join(root, INSTALLED, name));
  for (const name of globSync(`${INSTALLED}/${OURS}/*`, { cwd: checkout }))
    symlinkSync(join('../..', name.split('/').at(-1) ?? ''), join(root, name));
}

function runTest(
  root: string,
  temporary: string,
  testFile: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const child = spawn(process.execPath, [testFile], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: 'ignore',
    // A group of its own: what the test has started ends with it.
    detached: true,
  });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const deadline = setTimeout(end, withinMs);
  signal.addEventListener('abort', end, { once: true });
  return new Promise<boolean>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0));
  }).finally(() => {
    clearTimeout(deadline);
    signal.removeEventListener('abort', end);
    end();
  });
}
