/** The steps of putting the cloud up and taking it down. Each may be repeated: a run that was interrupted is gone on with by
 *  another one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../command/ends.ts';
import { repoRoot } from '../places.ts';
import type { Az } from './az.ts';
import { monthOf, type Prices } from './costs.ts';
import { makePackage } from './functions-package.ts';
import type { CloudOptions } from './options.ts';

export interface CloudDeps {
  readonly az: Az;
  readonly say: (text: string) => void;
  /** Asks a person.
   *  @returns whether the answer is yes */
  readonly agree: (question: string) => Promise<boolean>;
  readonly prices: Prices;
  /** Wall time, Unix milliseconds. */
  readonly nowMs: () => number;
}

const template = (name: string) => join(repoRoot, 'cloud-fn/infra', name);
/** Marks the resource groups that are ours: nothing is put into, or removed with, another one. Its value is the first day of
 *  the budget, the first of a month, which Azure does not let be changed later. */
const TAG = 'dachawatch';
const BUDGET_START = /^\d{4}-\d\d-01$/;
const SIGN_IN = 'az login';

/** Whether it could be put up: signed in, and the group is ours or free. */
export async function check({ az, say }: CloudDeps, { group }: CloudOptions): Promise<number> {
  const account = await signedIn(az);
  say(`signed in to ${account}`);
  const found = await groupOf(az, group);
  say(
    found === undefined
      ? `there is no resource group ${group} yet; --up makes it`
      : `the resource group ${group} is ours`,
  );
  return 0;
}

/** What another --up would change. */
export async function whatIf({ az, say }: CloudDeps, options: CloudOptions): Promise<number> {
  await signedIn(az);
  const found = await groupOf(az, options.group);
  if (found === undefined)
    throw new Refusal(
      `there is no resource group ${options.group} yet, so everything would be made; --up makes it`,
    );
  const answer = await withParameters(options, found, (file) =>
    az.ask('looking at what would change', [
      ...['deployment', 'group', 'what-if', '--resource-group', options.group, '--no-pretty-print'],
      ...['--template-file', template('main.bicep'), '--parameters', `@${file}`],
    ]),
  );
  const { changes = [] } = (answer ?? {}) as { changes?: { changeType?: string; resourceId?: string }[] };
  for (const { changeType = 'Unknown', resourceId = '' } of changes)
    if (changeType !== 'NoChange' && changeType !== 'Ignore') say(`${changeType}  ${resourceId}`);
  say(
    `${changes.filter(({ changeType }) => changeType !== 'NoChange').length} of ${changes.length} would change`,
  );
  return 0;
}

/** Puts everything up, or brings what is there up to date. */
export async function up(deps: CloudDeps, options: CloudOptions): Promise<number> {
  const { az, say, agree } = deps;
  const account = await signedIn(az);
  const before = await groupOf(az, options.group);
  say(aboutToMake(account, options, deps.prices));
  if (!(await agree(before === undefined ? 'Make it?' : 'It is there; bring it up to date?'))) return 1;
  const budgetStart = before ?? `${new Date(deps.nowMs()).toISOString().slice(0, 7)}-01`;
  if (before === undefined) {
    say(`1 of 5: the resource group ${options.group}`);
    await az.ask('making the resource group', [
      ...[
        'group',
        'create',
        '--name',
        options.group,
        '--location',
        options.location,
        '--tags',
        `${TAG}=${budgetStart}`,
      ],
    ]);
  } else say(`1 of 5: the resource group ${options.group} is there`);
  say('2 of 5: hub, storage, functions app, worker, logs (about ten minutes)');
  const outputs = outputsOf(
    await withParameters(options, budgetStart, (file) =>
      az.ask('the first deployment', [
        ...['deployment', 'group', 'create', '--resource-group', options.group, '--name', 'dachawatch'],
        ...['--template-file', template('main.bicep'), '--parameters', `@${file}`],
      ]),
    ),
  );
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-deploy-'));
  try {
    say('3 of 5: the package of the functions app');
    const made = await makePackage(dir);
    say('4 of 5: uploading it');
    await az.ask('uploading the package', [
      ...['functionapp', 'deployment', 'source', 'config-zip', '--resource-group', options.group],
      ...['--name', outputs.functionsName, '--src', made.zip],
    ]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  say('5 of 5: Event Grid tells the app of each clip');
  await az.ask('the second deployment', [
    ...['deployment', 'group', 'create', '--resource-group', options.group, '--name', 'dachawatch-events'],
    ...['--template-file', template('events.bicep'), '--parameters'],
    ...[`clipsName=${outputs.clipsName}`, `functionsName=${outputs.functionsName}`],
  ]);
  say(whatNow(options, outputs));
  return 0;
}

/** Takes everything away, clips included. */
export async function down({ az, say, agree }: CloudDeps, { group }: CloudOptions): Promise<number> {
  const account = await signedIn(az);
  if ((await groupOf(az, group)) === undefined) {
    say(`there is no resource group ${group}; nothing is left to take down`);
    return 0;
  }
  say(`${account}: the resource group ${group} and all clips in it would be deleted, for good`);
  if (!(await agree('Delete it?'))) return 1;
  await az.ask('deleting the resource group', ['group', 'delete', '--name', group, '--yes']);
  say(`${group} is deleted; its key vault can be brought back for 30 days`);
  return 0;
}

async function signedIn(az: Az): Promise<string> {
  try {
    const { name = '?', id = '?' } = ((await az.ask('asking who is signed in', ['account', 'show'])) ??
      {}) as { name?: string; id?: string };
    return `the subscription ${name} (${id})`;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`nobody is signed in to Azure: ${SIGN_IN} first (${(error as Error).message})`);
  }
}

/** @returns the first day of its budget; undefined: there is no such group
 *  @throws Refusal for a group that somebody else has made */
async function groupOf(az: Az, name: string): Promise<string | undefined> {
  if ((await az.ask('looking for the resource group', ['group', 'exists', '--name', name])) !== true)
    return undefined;
  const { tags } = ((await az.ask('looking at the resource group', ['group', 'show', '--name', name])) ??
    {}) as { tags?: Readonly<Record<string, string>> | null };
  const budgetStart = tags?.[TAG];
  if (budgetStart === undefined || !BUDGET_START.test(budgetStart))
    throw new Refusal(`the resource group ${name} was not made by this command; choose another --group`);
  return budgetStart;
}

/** Hands parameters over in a file that only this user can read: one of them may be a secret. */
async function withParameters<T>(
  options: CloudOptions,
  budgetStart: string,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-parameters-'));
  try {
    const file = join(dir, 'parameters.json');
    const values: Readonly<Record<string, string | undefined>> = {
      location: options.location,
      contactEmail: options.email,
      budgetStart,
      workerImage: options.image,
      worker: options.worker,
      machinePublicKey: contentOf(options.machineKeyFile),
      notifyWebhook: contentOf(options.webhookFile),
    };
    const parameters = Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, { value }]])),
    );
    const $schema = 'https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#';
    writeFileSync(file, JSON.stringify({ $schema, contentVersion: '1.0.0.0', parameters }), { mode: 0o600 });
    return await use(file);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const contentOf = (file: string | undefined) =>
  file === undefined ? undefined : readFileSync(file, 'utf8').trim();

interface Outputs {
  readonly functionsName: string;
  readonly hubHostName: string;
  readonly registryServer: string;
  readonly clipsName: string;
}
const OUTPUTS = ['functionsName', 'hubHostName', 'registryServer', 'clipsName'] as const;

function outputsOf(answer: unknown): Outputs {
  const { properties } = (answer ?? {}) as {
    properties?: { outputs?: Readonly<Record<string, { value?: unknown }>> };
  };
  const values = OUTPUTS.map((name) => [name, properties?.outputs?.[name]?.value] as const);
  const missing = values.find(([, value]) => typeof value !== 'string');
  if (missing) throw new Error(`the first deployment gave no ${missing[0]}`);
  return Object.fromEntries(values) as unknown as Outputs;
}

function aboutToMake(account: string, options: CloudOptions, prices: Prices): string {
  const { total, parts } = monthOf(options.clipsDay, 1, prices);
  const money = (value: number) => `${value.toFixed(0)} ${prices.currency}`;
  return [
    `${account}, resource group ${options.group} in ${options.location}:`,
    `  IoT Hub, two storage accounts, functions app, worker (${options.worker}), registry, key vault, logs, budget`,
    `  for one house with ${options.clipsDay} clips a day about ${money(total)} a month: hub ${money(parts.hub)}, worker ${money(parts.worker)}, functions ${money(parts.functions)}, storage ${money(parts.storage)}, rest ${money(parts.rest)}`,
    `  by the prices of ${prices.asOf} in cloud-fn/infra/prices.json; put in your own with --prices`,
  ].join('\n');
}

const whatNow = (options: CloudOptions, { hubHostName, registryServer, functionsName }: Outputs): string =>
  [
    'It is up. What is left:',
    `  the worker's image: build it (cloud-fn/yolo/Containerfile), push it to ${registryServer}, and run this again with its --image`,
    `  the house: on the device, sudo scripts/provision --hub ${hubHostName}; then type here what it prints (docs/deploy.md)`,
    `  functions app: ${functionsName}; logs: ${options.group}`,
  ].join('\n');
