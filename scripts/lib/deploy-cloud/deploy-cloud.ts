/** `scripts/deploy-cloud`: puts the cloud up. Its help stands in `scripts/deploy-cloud`. */
import { resolve } from 'node:path';
import { flag, readArguments, text } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { needFolder, refuseInCheckout } from '../command/folders.ts';
import { runCommand } from '../command/run-command.ts';
import { type FunctionsPackage, makePackage } from './functions-package.ts';

async function deployCloud(args: readonly string[]): Promise<number> {
  const { values, words } = readArguments('scripts/deploy-cloud', args, { package: text, json: flag });
  if (words.length > 0 || values.package === undefined)
    throw new Refusal('usage: scripts/deploy-cloud --package DIR [--json]');
  const dir = resolve(values.package);
  refuseInCheckout('--package', dir);
  needFolder('--package', dir);
  const made = await makePackage(dir);
  process.stdout.write(`${values.json ? JSON.stringify(made) : told(made)}\n`);
  return 0;
}

const MB = 1e6;
const told = ({ zip, zipBytes, sha256, appBytes, packages, functions }: FunctionsPackage): string =>
  [
    `${zip}: ${(zipBytes / MB).toFixed(1)} MB (${(appBytes / MB).toFixed(1)} MB unpacked)`,
    `SHA-256 ${sha256}`,
    `holds ${packages} npm packages, and registers ${functions.join(', ')}`,
  ].join('\n');

await runCommand('scripts/deploy-cloud', async () => deployCloud, { onSignal: 'exit' });
