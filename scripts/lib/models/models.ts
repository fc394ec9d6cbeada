/** `scripts/models`: brings the detectors' weights. Its help stands in `scripts/models`. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { knownModels } from '../../../cloud-fn/yolo/models/manifest.ts';
import { bringModels, type ModelsReport } from './sources.ts';
import { cacheDir, repoRoot } from '../places.ts';

const say = (sentence: string) => process.stderr.write(`scripts/models: ${sentence}\n`);

function readOptions(): { from: string | undefined; json: boolean } | undefined {
  try {
    const { values } = parseArgs({ options: { from: { type: 'string' }, json: { type: 'boolean' } } });
    return { from: values.from, json: values.json ?? false };
  } catch (error) {
    say(`${(error as Error).message} (scripts/models --help lists the options)`);
    return undefined;
  }
}

function print(report: ModelsReport, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${report.chosen} is in ${report.dir}\n`);
}

const options = readOptions();
if (!options) process.exitCode = 2;
else {
  const beside = resolve(repoRoot, '../shared/models');
  const named = options.from ?? (process.env['DACHAWATCH_MODELS'] || undefined);
  try {
    const report = await bringModels({
      dir: join(cacheDir(), 'models'),
      models: knownModels(),
      folders: named === undefined ? [beside].filter((folder) => existsSync(folder)) : [resolve(named)],
      onlyFolders: named !== undefined,
      say,
    });
    print(report, options.json);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
