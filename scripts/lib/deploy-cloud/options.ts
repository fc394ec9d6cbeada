/** Arguments of `scripts/deploy-cloud`; its help stands there. */
import { resolve } from 'node:path';
import { choice, flag, quoted, readArguments, text, whole } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { needFile, needFolder, refuseInCheckout } from '../command/folders.ts';

/** What is put up, and where. */
export interface CloudOptions {
  readonly group: string;
  readonly location: string;
  readonly email: string | undefined;
  readonly image: string | undefined;
  readonly worker: 'job' | 'group' | 'machine';
  readonly machineKeyFile: string | undefined;
  readonly webhookFile: string | undefined;
  readonly clipsDay: number;
}

const ACTIONS = ['check', 'what-if', 'up', 'down', 'costs', 'package'] as const;

export interface DeployCommand {
  readonly action: (typeof ACTIONS)[number];
  /** Of the package. */
  readonly dir: string | undefined;
  readonly cloud: CloudOptions;
  readonly pricesFile: string | undefined;
  readonly yes: boolean;
  readonly json: boolean;
}

const USAGE =
  'say one of --check, --what-if, --up, --down, --costs, --package DIR (scripts/deploy-cloud --help explains them)';

/** @throws Refusal with a sentence when the arguments make no sense */
export function readDeployCommand(args: readonly string[]): DeployCommand {
  const { values, words } = readArguments('scripts/deploy-cloud', args, {
    check: flag,
    'what-if': flag,
    up: flag,
    down: flag,
    costs: flag,
    package: text,
    group: { ...text, with: ['check', 'what-if', 'up', 'down'] },
    location: { ...text, with: ['what-if', 'up'] },
    email: { ...text, with: ['what-if', 'up'] },
    image: { ...text, with: ['what-if', 'up'] },
    worker: { ...choice(['job', 'group', 'machine']), with: ['what-if', 'up'] },
    'machine-key': { ...text, with: ['what-if', 'up'] },
    'webhook-file': { ...text, with: ['what-if', 'up'] },
    clips: { ...whole(1, 100_000), with: ['up'] },
    prices: { ...text, with: ['up', 'costs'] },
    yes: { ...flag, with: ['up', 'down'] },
    json: { ...flag, with: ['package', 'costs'] },
  });
  const given = ACTIONS.filter((name) => values[name] !== undefined && values[name] !== false);
  const [action] = given;
  if (words[0] !== undefined) throw new Refusal(`${quoted(words[0])} is no option; ${USAGE}`);
  if (action === undefined || given.length > 1) throw new Refusal(USAGE);
  const cloud: CloudOptions = {
    group: values.group ?? 'dacha',
    location: values.location ?? 'westeurope',
    email: values.email,
    image: values.image,
    worker: values.worker ?? 'job',
    machineKeyFile: fileOf('--machine-key', values['machine-key']),
    webhookFile: fileOf('--webhook-file', values['webhook-file']),
    clipsDay: values.clips ?? 20,
  };
  refuseOdd(action, cloud);
  const dir = values.package === undefined ? undefined : resolve(values.package);
  if (dir !== undefined) {
    refuseInCheckout('--package', dir);
    needFolder('--package', dir);
  }
  const pricesFile = fileOf('--prices', values.prices);
  return { action, dir, cloud, pricesFile, yes: values.yes, json: values.json };
}

function fileOf(option: string, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const file = resolve(given);
  needFile(option, file);
  return file;
}

function refuseOdd(action: DeployCommand['action'], cloud: CloudOptions): void {
  if (!/^[\w().-]{0,89}[\w()-]$/.test(cloud.group))
    throw new Refusal(`--group ${quoted(cloud.group)} cannot be the name of a resource group`);
  if (action !== 'up' && action !== 'what-if') return;
  if (!/^[a-z0-9]{2,40}$/.test(cloud.location))
    throw new Refusal(`--location ${quoted(cloud.location)} is no region of Azure, like westeurope`);
  if (cloud.email === undefined)
    throw new Refusal('--email is missing: who is told of the budget and of alerts');
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(cloud.email))
    throw new Refusal(`--email ${quoted(cloud.email)} is no address`);
  if (cloud.image === undefined)
    throw new Refusal(
      "--image is missing: the worker's image with its digest, like registry.example/yolo@sha256:…",
    );
  if (!/^[\w.-]+(?::\d+)?\/[\w./-]+@sha256:[0-9a-f]{64}$/.test(cloud.image))
    throw new Refusal(
      `--image ${quoted(cloud.image)} does not end in @sha256: and its digest; a tag may become another image`,
    );
  if (cloud.worker === 'machine' && cloud.machineKeyFile === undefined)
    throw new Refusal('--worker machine needs --machine-key FILE, a public key for SSH');
}
