import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const LOADING_MS = 60_000;

/** Stands in for what only the Functions host has, and prints the names of what the app registers. */
const LISTENER = `
const Module = require('node:module');
const names = [];
const disposable = { dispose() {} };
const core = {
  version: '3.13.0',
  hostVersion: '4.1044.400.0',
  log() {},
  setProgrammingModel() {},
  getProgrammingModel() {},
  registerFunction(metadata) {
    names.push(metadata.name);
    return disposable;
  },
  registerHook: () => disposable,
  Disposable: class { dispose() {} },
};
const load = Module._load;
Module._load = (request, ...rest) => (request === '@azure/functions-core' ? core : load.call(Module, request, ...rest));
require(process.argv[2]);
process.stdout.write(JSON.stringify(names.sort()), () => process.exit(0));
`;

/** Loads a bundled functions app as the host does, in a process of its own whose folder and module path hold nothing of
 *  this checkout, and without any setting.
 *  @param file its entry, CommonJS
 *  @returns names of its functions, sorted
 *  @throws Error with what the process said, when the app cannot be loaded or registers nothing */
export async function registeredFunctions(file: string): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-package-'));
  try {
    const listener = join(dir, 'listen.cjs');
    writeFileSync(listener, LISTENER);
    const { stdout } = await promisify(execFile)(process.execPath, [listener, file], {
      cwd: dir,
      env: {},
      timeout: LOADING_MS,
    });
    const names = JSON.parse(stdout) as string[];
    if (names.length === 0) throw new Error(`${file} registers no function`);
    return names;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
