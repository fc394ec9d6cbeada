import { globSync } from 'node:fs';
import { quoted, readArguments } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { repoRoot } from '../places.ts';
import { isSuite, selectParts } from './parts.ts';

/** The test files of a part whose path contains one of the filters; all without one. */
export function testFiles(part: string, filters: readonly string[]): string[] {
  const files = globSync(`test/${part}/**/*.test.ts`, { cwd: repoRoot });
  const wanted = (file: string) => filters.length === 0 || filters.some((filter) => file.includes(filter));
  return files.filter(wanted).toSorted();
}

/** @throws Refusal for a word that is neither a part nor in the path of a test file of the parts */
export async function refuseUselessWords(args: readonly string[]): Promise<number> {
  const { words } = readArguments('scripts/test', args, {});
  const { parts, filters } = selectParts(words);
  const suites = parts.filter(isSuite);
  for (const filter of filters) {
    if (filter.trim() === '') throw new Refusal('a word is empty; is a variable unset?');
    if (suites.length === 0)
      throw new Refusal(
        `${quoted(filter)} has no effect: ${parts.join(' and ')} ${parts.length > 1 ? 'have' : 'has'} no test files`,
      );
    if (!suites.some((suite) => testFiles(suite, [filter]).length > 0))
      throw new Refusal(
        `${quoted(filter)} is no part and in no path of a test file of ${suites.join(', ')}; scripts/test --help lists the parts`,
      );
  }
  return 0;
}
