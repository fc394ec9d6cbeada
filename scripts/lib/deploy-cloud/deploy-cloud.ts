/** `scripts/deploy-cloud`: puts the cloud up. Its help stands in `scripts/deploy-cloud`. */
import { createInterface } from 'node:readline/promises';
import { Refusal } from '../command/ends.ts';
import { runCommand } from '../command/run-command.ts';
import { createAz } from './az.ts';
import { check, type CloudDeps, down, up, whatIf } from './cloud.ts';
import { allMonths, costsTable, PRICES, readPrices } from './costs.ts';
import { type FunctionsPackage, makePackage } from './functions-package.ts';
import { type DeployCommand, readDeployCommand } from './options.ts';

const print = (text: string) => process.stdout.write(`${text}\n`);

async function deployCloud(args: readonly string[], signal: AbortSignal): Promise<number> {
  const command = readDeployCommand(args);
  const { action, dir, json } = command;
  if (action === 'package' && dir !== undefined) {
    const made = await makePackage(dir);
    print(json ? JSON.stringify(made) : told(made));
    return 0;
  }
  const prices = readPrices(command.pricesFile ?? PRICES);
  if (action === 'costs') {
    const months = allMonths(prices);
    print(json ? JSON.stringify(months) : costsTable(months, prices));
    return 0;
  }
  const deps: CloudDeps = {
    az: createAz(signal, print),
    say: print,
    agree: agreement(command, signal),
    prices,
    nowMs: Date.now,
  };
  const steps = { check, 'what-if': whatIf, up, down, package: check };
  return steps[action](deps, command.cloud);
}

/** A person says yes, or `--yes` does. */
const agreement =
  ({ yes }: DeployCommand, signal: AbortSignal): CloudDeps['agree'] =>
  async (question) => {
    if (yes) return true;
    if (!process.stdin.isTTY) throw new Refusal('nobody can be asked here; --yes says yes');
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
    } finally {
      lines.close();
    }
  };

const MB = 1e6;
const told = ({ zip, zipBytes, sha256, appBytes, packages, functions }: FunctionsPackage): string =>
  [
    `${zip}: ${(zipBytes / MB).toFixed(1)} MB (${(appBytes / MB).toFixed(1)} MB unpacked)`,
    `SHA-256 ${sha256}`,
    `holds ${packages} npm packages, and registers ${functions.join(', ')}`,
  ].join('\n');

await runCommand('scripts/deploy-cloud', async () => deployCloud, { onSignal: 'abort' });
