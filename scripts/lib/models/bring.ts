import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { knownModels } from '../../../cloud-fn/yolo/models/manifest.ts';
import { flag, readArguments, requireNoWords, text } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { cacheDir, repoRoot } from '../places.ts';
import { bringModels } from './sources.ts';

const say = (sentence: string) => process.stderr.write(`scripts/models: ${sentence}\n`);

/** What stands in `scripts/models`. */
export async function bring(args: readonly string[]): Promise<number> {
  const { values, words } = readArguments('scripts/models', args, { from: text, json: flag });
  requireNoWords(words);
  const beside = resolve(repoRoot, '../shared/models');
  const named = folderNamed('--from', values.from) ?? folderNamed('DACHAWATCH_MODELS', modelsVariable());
  const report = await bringModels({
    dir: join(cacheDir(), 'models'),
    models: knownModels(),
    folders: named === undefined ? [beside].filter((folder) => existsSync(folder)) : [named],
    onlyFolders: named !== undefined,
    say,
  });
  process.stdout.write(
    values.json ? `${JSON.stringify(report)}\n` : `${report.chosen} is in ${report.dir}\n`,
  );
  return 0;
}

/** An empty variable counts as unset. */
const modelsVariable = () => process.env['DACHAWATCH_MODELS'] || undefined;

function folderNamed(what: string, folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  const whole = resolve(folder);
  if (!statSync(whole, { throwIfNoEntry: false })?.isDirectory())
    throw new Refusal(`${what}: there is no folder ${whole}`);
  return whole;
}
