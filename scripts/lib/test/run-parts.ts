import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { repoRoot } from '../places.ts';
import { selectParts, summaryTable, type PartResult } from './parts.ts';
import { testFiles } from './selection.ts';

const FAILED_FILES = join(import.meta.dirname, 'failed-files.ts');
const bin = (name: string) => join(repoRoot, 'node_modules/.bin', name);
const CHECKS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  lint: [
    [bin('oxlint'), '--type-aware'],
    [bin('biome'), 'format', '.'],
  ],
  types: [[bin('tsc')]],
};

const running = new Set<ChildProcess>();
let stopping = false;
/** Hundreds of processes load the same files: what one has compiled, types stripped, the next need not. Node looks at
 *  the content of a file, so it is never an older one. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(repoRoot, 'node_modules/.cache/compiled') };

/** Exit code of one command, run from the checkout. Its words go where `out` is, ours when absent. */
function run(
  [command = '', ...args]: readonly string[],
  out: number | 'inherit' = 'inherit',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repoRoot, env, stdio: ['ignore', out, out] });
    running.add(child);
    child.once('error', reject).once('exit', (code) => {
      running.delete(child);
      resolve(code ?? 1);
    });
  });
}

async function runPart(
  name: string,
  filters: readonly string[],
  out: number | 'inherit' = 'inherit',
): Promise<PartResult> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const checks = CHECKS[name];
  if (checks) {
    let failed = false;
    for (const command of checks) failed = (await run(command, out)) !== 0 || failed;
    return { name, files: undefined, outcome: failed ? 'failed' : 'passed', seconds: seconds() };
  }
  const files = testFiles(name, filters);
  if (files.length === 0) return { name, files: 0, outcome: 'empty', seconds: 0 };
  // The tests of processes and servers mostly wait: more files than processors keep a small machine busy. None of
  // them asserts on speed, ports are the system's, folders their own.
  const concurrency = availableParallelism() * (name === 'integration' ? 2 : 1);
  const longest = name === 'unit' ? 600_000 : 1_800_000;
  const flags = [`--test-timeout=${longest}`, '--test-reporter=spec', '--test-reporter-destination=stdout'];
  const listDir = mkdtempSync(join(tmpdir(), 'dachawatch-test-'));
  const list = join(listDir, 'failed-files');
  const listing = [`--test-reporter=${FAILED_FILES}`, `--test-reporter-destination=${list}`];
  try {
    const test = [process.execPath, '--test', `--test-concurrency=${concurrency}`, ...flags, ...listing];
    let outcome: PartResult['outcome'] = (await run([...test, ...files], out)) === 0 ? 'passed' : 'failed';
    const failed = existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : [];
    if (outcome === 'passed' || !PROCESSES.includes(name) || !isPlayedAgain(failed))
      return { name, files: files.length, outcome, seconds: seconds() };
    const again = failed.map((file) => relative(repoRoot, file));
    say(out, `\n== ${name}: once more, one after the other: ${again.join(' ')} ==\n`);
    outcome =
      (await run([process.execPath, '--test', '--test-concurrency=1', ...flags, ...failed], out)) === 0
        ? 'passed'
        : 'failed';
    return { name, files: files.length, outcome, seconds: seconds(), again };
  } finally {
    rmSync(listDir, { recursive: true });
  }
}

/** Parts whose tests run processes and servers, which other work on the machine can hold up. Their failed files are
 *  played once more, and named in the summary whatever comes of it; unit tests have no such excuse. */
const PROCESSES: readonly string[] = ['integration', 'system', 'faults'];
/** More than these fail for a reason. */
const AGAIN_MAX = 3;
const isPlayedAgain = (failed: readonly string[]) =>
  failed.length > 0 && failed.length <= AGAIN_MAX && !stopping;
const say = (out: number | 'inherit', text: string) =>
  void (out === 'inherit' ? process.stdout.write(text) : writeSync(out, text));

/** Parts whose tests wait for restarts and batteries more than they compute. They run behind the parts before them,
 *  and say what they have to say when their turn comes. */
const PATIENT: readonly string[] = ['system', 'faults'];

/** Begins a part behind the others. Resolves with its result when it has ended and its words are printed. */
function runBehind(name: string, filters: readonly string[]): () => Promise<PartResult> {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-test-'));
  const file = join(dir, `${name}.log`);
  const fd = openSync(file, 'w');
  const result = runPart(name, filters, fd);
  return async () => {
    try {
      return await result;
    } finally {
      closeSync(fd);
      process.stdout.write(readFileSync(file));
      rmSync(dir, { recursive: true });
    }
  };
}

/** What stands in `scripts/test`; its words have been looked at by `words.ts`. */
export async function testProject(args: readonly string[], signal: AbortSignal): Promise<number> {
  // Who ends us ends what we run; the parts that have not begun are left out.
  signal.addEventListener('abort', () => {
    stopping = true;
    for (const child of running) child.kill('SIGTERM');
  });
  const { parts, filters } = selectParts(args);
  const results: PartResult[] = [];
  const behind = new Map<string, () => Promise<PartResult>>();
  for (const name of parts) {
    if (signal.aborted && !behind.has(name)) break;
    // Beside the integration tests, not beside the checks and unit tests, which take the whole machine.
    if (name === 'integration')
      for (const other of parts) if (PATIENT.includes(other)) behind.set(other, runBehind(other, filters));
    process.stdout.write(`\n== ${name} ==\n`);
    results.push(await (behind.get(name) ?? (() => runPart(name, filters)))());
  }
  process.stdout.write(`\n${summaryTable(results)}\n`);
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}
