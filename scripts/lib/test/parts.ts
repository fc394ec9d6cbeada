const CHECKS = ['lint', 'types'] as const;
const SUITES = ['unit', 'integration', 'system', 'faults'] as const;
const PARTS: readonly string[] = [...CHECKS, ...SUITES];

/** Whether a part is made of test files. */
export const isSuite = (part: string): boolean => SUITES.some((suite) => suite === part);

export interface PartResult {
  readonly name: string;
  /** undefined for a part that is not made of test files. */
  readonly files: number | undefined;
  readonly outcome: 'passed' | 'failed' | 'empty';
  readonly seconds: number;
  readonly troubles?: readonly Trouble[];
}

/** A file that did not pass at first. */
export interface Trouble {
  readonly file: string;
  readonly first: 'failed' | 'hung';
  /** What came of it when it was played once more; undefined when it was not. */
  readonly last: 'passed' | 'failed' | 'hung' | undefined;
}

/** Names of parts run those parts, in the order of PARTS; any other word keeps the test files whose path contains
 *  it. Filters alone look through all test files. */
export function selectParts(words: readonly string[]): {
  parts: readonly string[];
  filters: readonly string[];
} {
  const filters = words.filter((word) => !PARTS.includes(word));
  const named = PARTS.filter((part) => words.includes(part));
  if (named.length > 0) return { parts: named, filters };
  return { parts: filters.length > 0 ? SUITES : PARTS, filters };
}

export function summaryTable(results: readonly PartResult[]): string {
  const lines = results.flatMap(({ name, files, outcome, seconds, troubles = [] }) => {
    const count = files === undefined ? '' : `${files} files`;
    return [
      `${name.padEnd(12)} ${outcome.padEnd(7)} ${count.padStart(9)} ${seconds.toFixed(1).padStart(7)} s`,
      ...troubles.map((trouble) => `  ${wordsOf(trouble)}: ${trouble.file}`),
    ];
  });
  return lines.join('\n');
}

function wordsOf({ first, last }: Trouble): string {
  const what = first === 'hung' ? 'no end' : 'failed';
  if (last === undefined) return what;
  if (last === 'passed') return `${what}, passed only at the second try`;
  return last === first ? `${what} twice` : `${what}, then ${last === 'hung' ? 'no end' : 'failed'}`;
}
