/** What node:test counts, as it names it. */
const COUNTED = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
export type Totals = Readonly<Record<(typeof COUNTED)[number], number>>;

const TOTAL = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** Whether something that a test file says is one of its totals. */
export const isTotal = ({
  nesting,
  message,
}: {
  readonly nesting: number;
  readonly message: string;
}): boolean => nesting === 0 && TOTAL.test(message);

/** The totals of a file, from the lines of `begun-tests.ts`. One that did not come to them counts as one test, as with
 *  `node --test`. */
export function readTotals(lines: string, passed: boolean): Totals {
  const of = (name: string): number => Number(new RegExp(`^= ${name} (\\d+)$`, 'm').exec(lines)?.[1] ?? 0);
  const totals = Object.fromEntries(COUNTED.map((name) => [name, of(name)])) as Totals;
  return totals.tests > 0 ? totals : { ...totals, tests: 1, pass: passed ? 1 : 0, fail: passed ? 0 : 1 };
}

/** The closing lines of node's own runner, for all files of a suite. */
export function closingLines(files: readonly Totals[], seconds: number): string {
  const sums = COUNTED.map((name) => `ℹ ${name} ${files.reduce((sum, totals) => sum + totals[name], 0)}\n`);
  return `${sums.join('')}ℹ duration_ms ${Math.round(seconds * 1000)}\n`;
}
