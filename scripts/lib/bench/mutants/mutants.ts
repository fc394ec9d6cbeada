/** `scripts/bench mutants`: how many small faults of a program its unit tests notice. */
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { flag, readArguments, requireNoWords, texts, whole } from '../../command/arguments.ts';
import { repoRoot } from '../../places.ts';
import { type Mutant, mutantsOf, mutated } from './sites.ts';
import { copyTree, type MutantTree } from './tree.ts';
import { Refusal } from '../../command/ends.ts';

/** The rooms that hold evidence. */
const ROOMS = [
  'agent/ledger',
  'agent/upload',
  'agent/capture',
  'agent/power/shutdown.ts',
  'agent/power/policy.ts',
  'cloud-fn/orchestrators',
  'cloud-fn/functions',
  'cloud-fn/local/functions-host',
];
/** A test may take so many times what it took without a mutant, and this besides: machines are busy. */
const DEADLINE = { times: 5, moreMs: 20_000 };

export interface Survivor {
  readonly file: string;
  readonly line: number;
  readonly kind: Mutant['kind'];
  readonly before: string;
  readonly after: string;
}
export interface RoomResult {
  readonly room: string;
  readonly mutants: number;
  readonly noticed: number;
  readonly survivors: readonly Survivor[];
}
export interface MutantsOptions {
  readonly checkout: string;
  readonly rooms: readonly string[];
  /** Test files or folders that run besides the room's own. */
  readonly tests: readonly string[];
  /** No others than `tests`: quicker, but what survives may be noticed by others. */
  readonly only?: boolean;
  /** Mutants of each room. */
  readonly sample: number;
  readonly seed: number;
  readonly deadline?: { readonly times: number; readonly moreMs: number };
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export async function benchMutants(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { json, ...options } = readOptions(args);
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const rooms = await tryMutants({ ...options, checkout: repoRoot, tell, signal });
  const sum = (of: (one: RoomResult) => number) => rooms.reduce((total, one) => total + of(one), 0);
  const total = {
    room: rooms.map(({ room }) => room).join(', '),
    mutants: sum(({ mutants }) => mutants),
    noticed: sum(({ noticed }) => noticed),
    survivors: rooms.flatMap(({ survivors }) => survivors),
    rooms: rooms.map(({ room, mutants, noticed }) => ({ room, mutants, noticed })),
  };
  process.stdout.write(`${json ? JSON.stringify(total) : table(rooms)}\n`);
  return 0;
}

function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/bench', args, {
    room: texts,
    tests: texts,
    only: { ...flag, with: ['tests'] },
    sample: whole(1, 999_999),
    seed: whole(1, 999_999),
    json: flag,
  });
  requireNoWords(words);
  return {
    rooms: values.room.length > 0 ? values.room : ROOMS,
    tests: values.tests,
    only: values.only,
    sample: values.sample ?? 20,
    seed: values.seed ?? 1,
    json: values.json,
  };
}

/** Tries a sample of the mutants of each room: one at a time, in a copy of the tree.
 *  The same seed takes the same mutants of the same sources.
 *  @throws Refusal for a room without sources or tests, or whose tests fail without a mutant */
export async function tryMutants(options: MutantsOptions): Promise<RoomResult[]> {
  const plans = options.rooms.map((room) => planOf(room, options));
  const tree = copyTree(options.checkout);
  try {
    const results: RoomResult[] = [];
    for (const plan of plans) results.push(await tryRoom(plan, tree, options));
    return results;
  } finally {
    tree.remove();
  }
}

function planOf(room: string, { checkout, tests, only, sample, seed }: MutantsOptions) {
  const path = join(checkout, room);
  if (!existsSync(path)) throw new Refusal(`--room ${room}: there is no such file or folder`);
  const isFile = statSync(path).isFile();
  const files = isFile ? [room] : globSync(`${room}/**/*.ts`, { cwd: checkout }).toSorted();
  const sources = files.filter((file) => !file.endsWith('.d.ts'));
  const own = only ? [] : [join('test/unit', isFile ? dirname(room) : room)];
  const testFiles = [...own, ...tests].flatMap((one) =>
    one.endsWith('.test.ts') ? [one] : globSync(`${one}/**/*.test.ts`, { cwd: checkout }).toSorted(),
  );
  if (testFiles.length === 0) throw new Refusal(`--room ${room}: it has no tests in test/unit/${room}`);
  const all = sources.flatMap((file) => mutantsOf(file, readFileSync(join(checkout, file), 'utf8')));
  if (all.length === 0) throw new Refusal(`--room ${room}: there is nothing to change in it`);
  return { room, testFiles, mutants: drawn(all, sample, seed) };
}

async function tryRoom(plan: ReturnType<typeof planOf>, tree: MutantTree, options: MutantsOptions) {
  const { tell, signal, deadline = DEADLINE } = options;
  const withinMs = new Map<string, number>();
  for (const testFile of plan.testFiles) {
    const began = performance.now();
    if (!(await tree.passes(testFile, 600_000, signal)))
      throw new Refusal(`${testFile} fails without a mutant: mend it first`);
    withinMs.set(testFile, (performance.now() - began) * deadline.times + deadline.moreMs);
  }
  const quickestFirst = plan.testFiles.toSorted(
    (one, other) => (withinMs.get(one) ?? 0) - (withinMs.get(other) ?? 0),
  );
  const survivors: Survivor[] = [];
  for (const [index, mutant] of plan.mutants.entries()) {
    const file = join(tree.root, mutant.file);
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, mutated(source, mutant));
    let noticed = false;
    try {
      for (const testFile of nearestFirst(quickestFirst, mutant.file)) {
        noticed = !(await tree.passes(testFile, withinMs.get(testFile) ?? deadline.moreMs, signal));
        if (signal.aborted) throw new Error('interrupted');
        if (noticed) break;
      }
    } finally {
      writeFileSync(file, source);
    }
    const { line, kind } = mutant;
    const said = { file: mutant.file, line, kind, ...difference(source, mutant) };
    if (!noticed) survivors.push(said);
    tell(
      `${plan.room} ${index + 1}/${plan.mutants.length} ${noticed ? 'noticed ' : 'SURVIVED'} ` +
        `${said.file}:${line} ${said.before} -> ${said.after}`,
    );
  }
  const mutants = plan.mutants.length;
  return { room: plan.room, mutants, noticed: mutants - survivors.length, survivors };
}

/** The test named after the file is the likeliest to notice; the others stay in their order. */
const nearestFirst = (testFiles: readonly string[], file: string) =>
  testFiles.toSorted((one, other) => nearness(other, file) - nearness(one, file));
const nearness = (testFile: string, file: string) =>
  basename(testFile).startsWith(basename(file, '.ts')) ? 1 : 0;

/** The changed line, and as it was; of a longer change its first line. */
function difference(source: string, mutant: Mutant): { before: string; after: string } {
  const start = source.lastIndexOf('\n', mutant.from - 1) + 1;
  const lineOf = (text: string) => text.slice(start, (text.indexOf('\n', start) + 1 || text.length + 1) - 1);
  return { before: lineOf(source).trim(), after: lineOf(mutated(source, mutant)).trim() };
}

/** `count` of `all`, by the seed (mulberry32), in their order. */
function drawn<T>(all: readonly T[], count: number, seed: number): T[] {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const keys = all
    .map((_, index) => ({ index, key: random() }))
    .toSorted((one, other) => one.key - other.key);
  const chosen = new Set(keys.slice(0, count).map(({ index }) => index));
  return all.filter((_, index) => chosen.has(index));
}

function table(rooms: readonly RoomResult[]): string {
  const rows = rooms.map(
    ({ room, mutants, noticed }) =>
      `${room.padEnd(32)} ${String(noticed).padStart(5)} of ${String(mutants).padStart(5)}  ` +
      `${((100 * noticed) / mutants).toFixed(0).padStart(3)} %`,
  );
  const survivors = rooms.flatMap((one) => one.survivors);
  const lines = survivors.map(({ file, line, before, after }) => `${file}:${line}\n  ${before}\n  ${after}`);
  return [...rows, ...(lines.length > 0 ? ['', 'not noticed:', ...lines] : [])].join('\n');
}
