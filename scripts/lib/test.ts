/** `scripts/test`: its help stands in `scripts/test`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from './places.ts';
import { selectParts, summaryTable, type PartResult } from './test-parts.ts';

const bin = (name: string) => join(repoRoot, 'node_modules/.bin', name);
const CHECKS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  lint: [
    [bin('oxlint'), '--type-aware'],
    [bin('biome'), 'format', '.'],
  ],
  types: [[bin('tsc')]],
};

let running: ChildProcess | undefined;
/** Who ends us ends what we run; the parts that have not begun are left out. */
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    ended.abort();
    running?.kill('SIGTERM');
  });
}

/** Exit code of one command, run from the checkout with our streams. */
function run([command = '', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repoRoot, stdio: ['ignore', 'inherit', 'inherit'] });
    running = child;
    child.once('error', reject).once('exit', (code) => resolve(code ?? 1));
  });
}

async function testFiles(part: string, filters: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(`test/${part}/**/*.test.ts`, { cwd: repoRoot })) files.push(file);
  const wanted = (file: string) => filters.length === 0 || filters.some((filter) => file.includes(filter));
  return files.filter(wanted).toSorted();
}

async function runPart(name: string, filters: readonly string[]): Promise<PartResult> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const checks = CHECKS[name];
  if (checks) {
    let failed = false;
    for (const command of checks) failed = (await run(command)) !== 0 || failed;
    return { name, files: undefined, outcome: failed ? 'failed' : 'passed', seconds: seconds() };
  }
  const files = await testFiles(name, filters);
  if (files.length === 0) return { name, files: 0, outcome: 'empty', seconds: 0 };
  // The tests of processes and servers mostly wait: twice as many files as processors keep a small machine busy.
  // None of them asserts on speed, ports are the system's, folders their own.
  const concurrency = availableParallelism() * (name === 'unit' ? 1 : 2);
  const longest = name === 'unit' ? 120_000 : 900_000;
  const flags = [`--test-concurrency=${concurrency}`, `--test-timeout=${longest}`, '--test-reporter=spec'];
  const code = await run([process.execPath, '--test', ...flags, ...files]);
  return { name, files: files.length, outcome: code === 0 ? 'passed' : 'failed', seconds: seconds() };
}

const { parts, filters } = selectParts(process.argv.slice(2));
const results: PartResult[] = [];
for (const name of parts) {
  if (ended.signal.aborted) break;
  process.stdout.write(`\n== ${name} ==\n`);
  results.push(await runPart(name, filters));
}
process.stdout.write(`\n${summaryTable(results)}\n`);
const nothingFound = filters.length > 0 && results.every(({ outcome }) => outcome === 'empty');
if (nothingFound)
  process.stderr.write(`scripts/test: no test file's path contains ${filters.join(' or ')}\n`);
const failed = results.some(({ outcome }) => outcome === 'failed');
process.exitCode = nothingFound ? 2 : failed ? 1 : 0;
if (ended.signal.aborted) process.exitCode = 130;
