import { homedir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_RATE_FPS, STRATEGIES, type Strategy } from './analysis/strategy.ts';

/** Where clips and queues are. */
export type StorageSetting =
  | { readonly connectionString: string }
  | { readonly blobUrl: string; readonly queueUrl: string };

/** Settings of the worker. All of them come from the environment: a container has nothing else. */
export interface WorkerSettings {
  readonly storage: StorageSetting;
  readonly modelsDir: string;
  readonly model: string | undefined;
  readonly idleMs: number;
  /** How long a taken message stays hidden after the last sign of life of its worker. */
  readonly leaseMs: number;
  readonly strategy: Strategy;
  readonly rateFps: number;
  /** Where Azure tells what is going to happen to this virtual machine; undefined: nobody asks. */
  readonly scheduledEvents: { readonly address: string; readonly vmName: string | undefined } | undefined;
}

/** A setting that is missing or wrong; the message says which and what it should be. */
export class BadSetting extends Error {
  override readonly name = 'BadSetting';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws BadSetting */
export function readWorkerSettings(env: Environment = process.env): WorkerSettings {
  return {
    storage: storageSetting(env),
    modelsDir: modelsDir(env),
    model: env['DACHA_YOLO_MODEL'] || undefined,
    idleMs: number(env, 'DACHA_WORKER_IDLE_MS', 120_000, { min: 1, max: 86_400_000 }),
    leaseMs: number(env, 'DACHA_WORKER_LEASE_MS', 30_000, { min: 2000, max: 600_000 }),
    strategy: strategy(env['DACHA_YOLO_STRATEGY']),
    rateFps: number(env, 'DACHA_YOLO_FPS', DEFAULT_RATE_FPS, { min: 0.01, max: 60 }),
    scheduledEvents: scheduledEvents(env),
  };
}

/** Folder of the weights: DACHA_MODELS_DIR, or where scripts/models keeps them. */
export function modelsDir(env: Environment = process.env): string {
  if (env['DACHA_MODELS_DIR']) return env['DACHA_MODELS_DIR'];
  const cache =
    env['DACHAWATCH_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dachawatch');
  return join(cache, 'models');
}

function storageSetting(env: Environment): StorageSetting {
  const connectionString = env['DACHA_STORAGE_CONNECTION'];
  if (connectionString) return { connectionString };
  const blobUrl = env['DACHA_STORAGE_ACCOUNT_URL_BLOB'];
  const queueUrl = env['DACHA_STORAGE_ACCOUNT_URL_QUEUE'];
  if (blobUrl && queueUrl) return { blobUrl, queueUrl };
  throw new BadSetting(
    'set DACHA_STORAGE_CONNECTION to a connection string, or DACHA_STORAGE_ACCOUNT_URL_BLOB and ' +
      'DACHA_STORAGE_ACCOUNT_URL_QUEUE to use the managed identity',
  );
}

function scheduledEvents(env: Environment): WorkerSettings['scheduledEvents'] {
  const address = env['DACHA_SCHEDULED_EVENTS'];
  if (!address) return undefined;
  if (!URL.canParse(address) || new URL(address).protocol !== 'http:')
    throw new BadSetting(
      `DACHA_SCHEDULED_EVENTS is ${address}; it is the metadata service's address: http://169.254.169.254`,
    );
  return { address, vmName: env['DACHA_VM_NAME'] || undefined };
}

function strategy(value: string | undefined): Strategy {
  if (!value) return 'fixed-rate';
  const known = STRATEGIES.find((name) => name === value);
  if (!known) throw new BadSetting(`DACHA_YOLO_STRATEGY is ${value}; it can be ${STRATEGIES.join(', ')}`);
  return known;
}

function number(
  env: Environment,
  name: string,
  fallback: number,
  { min, max }: { min: number; max: number },
) {
  const text = env[name];
  if (!text) return fallback;
  const value = Number(text);
  if (!(value >= min && value <= max))
    throw new BadSetting(`${name} is ${text}; it must be a number from ${min} to ${max}`);
  return value;
}
