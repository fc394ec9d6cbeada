import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '../places.ts';
import { type PartResult, selectParts, summaryTable, type Trouble } from './parts.ts';
import { createSlots, type FileResult, playFiles, type Slots } from './play-file.ts';
import { testFiles } from './selection.ts';
import { closingLines } from './totals.ts';

const bin = (name: string) => join(repoRoot, 'node_modules/.bin', name);
const CHECKS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  lint: [
    [bin('oxlint'), '--type-aware'],
    [bin('biome'), 'format', '.'],
  ],
  types: [[bin('tsc')]],
};

interface Suite {
  /** How many of its files at once. Tests of processes and servers mostly wait: more files than processors keep a small
   *  machine busy. None of them asserts on speed, ports are the system's, folders their own. */
  readonly atOnce: number;
  /** For each file: several times what the slowest takes beside the others on two processors. One that has not ended
   *  by then is ended, and named in the summary. */
  readonly deadlineMs: number;
  /** Runs processes, which other work on the machine can hold up: up to three files that did not pass are played once
   *  more, and named in the summary whatever comes of it. Unit tests have no such excuse, and more than three fail for a reason. */
  readonly again: boolean;
  /** Waits for restarts and batteries more than it computes: runs beside the suites before it, and says what it has to
   *  say when its turn comes. */
  readonly behind: boolean;
}
const minutes = (n: number) => n * 60_000;
const cores = availableParallelism();
const SUITES: Readonly<Record<string, Suite>> = {
  unit: { atOnce: cores, deadlineMs: minutes(5), again: false, behind: false },
  integration: { atOnce: 4 * cores, deadlineMs: minutes(15), again: true, behind: false },
  system: { atOnce: cores, deadlineMs: minutes(15), again: true, behind: true },
  faults: { atOnce: cores, deadlineMs: minutes(15), again: true, behind: true },
};
const AGAIN_MAX = 3;
/** How many files at once, of all suites together. */
const SLOTS = 4 * cores;

type Tell = (text: string) => void;

interface Running {
  readonly filters: readonly string[];
  readonly signal: AbortSignal;
  readonly slots: Slots;
  readonly tell: Tell;
}

/** Exit code of a check, run from the checkout. */
function check([command = '', ...args]: readonly string[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repoRoot, stdio: ['ignore', 'inherit', 'inherit'] });
    const end = () => child.kill('SIGTERM');
    signal.addEventListener('abort', end);
    child.once('error', reject).once('exit', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code ?? 1);
    });
  });
}

async function runChecks(name: string, signal: AbortSignal): Promise<PartResult> {
  const began = performance.now();
  let failed = false;
  for (const command of CHECKS[name] ?? []) failed = (await check(command, signal)) !== 0 || failed;
  const seconds = (performance.now() - began) / 1000;
  return { name, files: undefined, outcome: failed ? 'failed' : 'passed', seconds };
}

async function runSuite(
  name: string,
  suite: Suite,
  { filters, signal, slots, tell }: Running,
): Promise<PartResult> {
  const began = performance.now();
  const files = testFiles(name, filters);
  const notPassed = (results: readonly FileResult[]) => results.filter(({ outcome }) => outcome !== 'passed');
  const play = async (some: readonly string[], atOnce: number) => {
    const from = performance.now();
    const results = await playFiles(
      some,
      { ...suite, atOnce, slots, signal },
      ({ file, outcome, seconds, said }) =>
        tell(`${said}${outcome === 'passed' ? '' : `${outcome}: `}${file} (${seconds.toFixed(1)} s)\n`),
    );
    const totals = results.map((result) => result.totals);
    tell(`\n${closingLines(totals, (performance.now() - from) / 1000)}`);
    return results;
  };
  const first = notPassed(await play(files, suite.atOnce));
  let last = first;
  if (suite.again && first.length > 0 && first.length <= AGAIN_MAX && !signal.aborted) {
    tell(`\n== ${name}: once more, one after the other: ${first.map(({ file }) => file).join(' ')} ==\n`);
    last = notPassed(
      await play(
        first.map(({ file }) => file),
        1,
      ),
    );
  }
  const outcome = files.length === 0 ? 'empty' : last.length > 0 || signal.aborted ? 'failed' : 'passed';
  const troubles = first.map(
    ({ file, outcome: at }): Trouble => ({
      file,
      first: at === 'hung' ? at : 'failed',
      last: last === first ? undefined : (last.find((other) => other.file === file)?.outcome ?? 'passed'),
    }),
  );
  return { name, files: files.length, outcome, seconds: (performance.now() - began) / 1000, troubles };
}

/** Begins a suite behind the parts before it. Resolves with its result when it has ended and its words are printed. */
function runBehind(begin: (tell: Tell) => Promise<PartResult>, tell: Tell): () => Promise<PartResult> {
  const words: string[] = [];
  let isItsTurn = false;
  const result = begin((text) => (isItsTurn ? tell(text) : void words.push(text)));
  // Looked at in its turn, which may be later than its failure.
  result.catch(() => undefined);
  return () => {
    isItsTurn = true;
    tell(words.join(''));
    return result;
  };
}

/** What stands in `scripts/test`; its words have been looked at by `words.ts`.
 *  @param signal ends what runs; the parts that have not begun are left out */
export async function testProject(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { parts, filters } = selectParts(args);
  const slots = createSlots(SLOTS);
  const tell: Tell = (text) => void process.stdout.write(text);
  const begin = (name: string, to: Tell) => {
    const suite = SUITES[name];
    return suite ? runSuite(name, suite, { filters, signal, slots, tell: to }) : runChecks(name, signal);
  };
  const results: PartResult[] = [];
  const behind = new Map<string, () => Promise<PartResult>>();
  for (const name of parts) {
    if (signal.aborted && !behind.has(name)) break;
    if (SUITES[name] && behind.size === 0)
      for (const other of parts)
        if (SUITES[other]?.behind)
          behind.set(
            other,
            runBehind((to) => begin(other, to), tell),
          );
    tell(`\n== ${name} ==\n`);
    results.push(await (behind.get(name) ?? (() => begin(name, tell)))());
  }
  tell(`\n${summaryTable(results)}\n`);
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}
