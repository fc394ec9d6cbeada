import { join, resolve } from 'node:path';
import { flag, readArguments, requireNoWords, text } from '../command/arguments.ts';
import { repoRoot, stateDir } from '../places.ts';
import type { Check } from './check.ts';
import { diskOf, models, packagesOfDebian, packagesOfNpm, versions } from './installed.ts';
import { INSTALLED, openedPage } from './opened-page.ts';
import { hub, page, storage, whoRuns } from './running.ts';

const PACKAGES_VARIABLE = 'DACHAWATCH_RUN_PACKAGES';
const NAME_WIDTH = 16;

/** What stands in `scripts/doctor`. */
export async function examine(args: readonly string[]): Promise<number> {
  const { values, words } = readArguments('scripts/doctor', args, { data: text, json: flag });
  requireNoWords(words);
  const dataDir = resolve(values.data ?? join(stateDir(), 'run'));
  const packages = (process.env[PACKAGES_VARIABLE] ?? '').split(' ').filter(Boolean);
  const [version, debian, ...answers] = await Promise.all([
    ...[versions(), packagesOfDebian(packages)],
    ...[page(dataDir), hub(dataDir), storage(dataDir)],
  ]);
  const checks: readonly Check[] = [
    ...[version, debian, packagesOfNpm(), models()].filter((one) => one !== undefined),
    ...[diskOf('disk, data', dataDir), diskOf('disk, checkout', repoRoot)],
    ...[whoRuns(dataDir), ...answers],
    ...[{ config: join(dataDir, 'appliance.json'), dataDir: join(dataDir, 'agent') }, INSTALLED]
      .map(openedPage)
      .filter((one) => one !== undefined),
  ];
  process.stdout.write(values.json ? `${JSON.stringify({ checks })}\n` : checks.map(lines).join(''));
  return checks.some(({ state }) => state === 'trouble') ? 1 : 0;
}

const lines = ({ name, state, found, fix }: Check): string =>
  [
    `${state.padEnd(8)} ${name.padEnd(NAME_WIDTH)} ${found}`,
    ...(fix ? [`${' '.repeat(9 + NAME_WIDTH)} → ${fix}`] : []),
  ]
    .map((line) => `${line}\n`)
    .join('');
