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
  /** Files that failed and were played once more. */
  readonly again?: readonly string[];
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
  const lines = results.flatMap(({ name, files, outcome, seconds, again = [] }) => {
    const count = files === undefined ? '' : `${files} files`;
    return [
      `${name.padEnd(12)} ${outcome.padEnd(7)} ${count.padStart(9)} ${seconds.toFixed(1).padStart(7)} s`,
      ...again.map(
        (file) => `  ${outcome === 'passed' ? 'only at the second try' : 'also once more'}: ${file}`,
      ),
    ];
  });
  return lines.join('\n');
}
