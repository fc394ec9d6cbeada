import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEFAULT_ANALYSIS_WAIT_MS } from '@dachawatch/contracts';
import type { NtfySettings } from './ports/channels/ntfy.ts';
import type { TelegramSettings } from './ports/channels/telegram.ts';
import type { WebhookSettings } from './ports/channels/webhook.ts';
import { type ArmResource, readArmResource } from './ports/compute/arm-compute.ts';
import { LONGEST_WAIT_MS } from './orchestrators/clip-analysis-steps.ts';

/** A setting nobody can work with. One sentence for the person who wrote it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** How to reach the storage account: with a key, or with the identity the app runs as. */
export type StorageAccess =
  | { readonly connectionString: string }
  | { readonly blobEndpoint: string; readonly queueEndpoint: string };

/** How to reach the service side of IoT Hub. Without it verdicts are only stored. */
export type HubAccess = { readonly connectionString: string } | { readonly hostName: string };

export type ComputeSettings =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'container-apps-job' | 'container-instances';
      readonly resource: ArmResource;
      /** Of Azure Resource Manager; undefined: the public cloud's. */
      readonly endpoint: string | undefined;
    }
  | {
      readonly kind: 'local-process';
      /** Program to fork. */
      readonly entry: string;
      /** The whole environment of that program. */
      readonly environment: Readonly<Record<string, string>>;
    };

export type ChannelSettings =
  | ({ readonly kind: 'webhook' } & WebhookSettings)
  | ({ readonly kind: 'telegram' } & TelegramSettings)
  | ({ readonly kind: 'ntfy' } & NtfySettings);

export interface Settings {
  readonly storage: StorageAccess;
  readonly hub: HubAccess | undefined;
  readonly compute: ComputeSettings;
  /** How long an orchestration waits for the worker. */
  readonly analysisWaitMs: number;
  /** Ways to a person, beside the queue. */
  readonly channels: readonly ChannelSettings[];
}

/** Name of the app setting a queue trigger's `connection` points to. Identities use `<name>__queueServiceUri`. */
export const STORAGE_CONNECTION_SETTING = 'DACHA_STORAGE_CONNECTION';

/** All that the worker may see of our environment: no hub key, no webhook. */
const WORKER_VARIABLES = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'NODE_EXTRA_CA_CERTS',
  STORAGE_CONNECTION_SETTING,
  'DACHA_STORAGE_ACCOUNT_URL_BLOB',
  'DACHA_STORAGE_ACCOUNT_URL_QUEUE',
  'DACHA_MODELS_DIR',
  'DACHA_WORKER_IDLE_MS',
  'DACHA_WORKER_LEASE_MS',
  'DACHA_YOLO_MODEL',
  'DACHA_YOLO_STRATEGY',
  'DACHA_YOLO_FPS',
  'DACHAWATCH_CACHE',
  'XDG_CACHE_HOME',
] as const;

const DEFAULT_WORKER = new URL('./yolo/worker.ts', import.meta.url);

/** What Azure Resource Manager may start for us. */
const ARM_TYPES = {
  'container-apps-job': 'Microsoft.App/jobs',
  'container-instances': 'Microsoft.ContainerInstance/containerGroups',
} as const;
const KINDS = [...Object.keys(ARM_TYPES), 'local-process'];

type Environment = Readonly<Record<string, string | undefined>>;

/** App settings of the functions app. Empty values count as absent.
 *  @throws SettingsError */
export function readSettings(environment: Environment = process.env): Settings {
  const read = (name: string) => environment[name]?.trim() || undefined;
  return {
    storage: readStorage(read),
    hub: readHub(read),
    compute: readCompute(read, environment),
    analysisWaitMs: readWait(read('DACHA_ANALYSIS_WAIT_MS')),
    channels: readChannels(read),
  };
}

type Read = (name: string) => string | undefined;

function readStorage(read: Read): StorageAccess {
  const connectionString = read(STORAGE_CONNECTION_SETTING);
  if (connectionString) return { connectionString };
  const blobEndpoint = readUrl('DACHA_STORAGE_ACCOUNT_URL_BLOB', read('DACHA_STORAGE_ACCOUNT_URL_BLOB'));
  const queueEndpoint = readUrl('DACHA_STORAGE_ACCOUNT_URL_QUEUE', read('DACHA_STORAGE_ACCOUNT_URL_QUEUE'));
  if (blobEndpoint && queueEndpoint) return { blobEndpoint, queueEndpoint };
  throw new SettingsError(
    `Set ${STORAGE_CONNECTION_SETTING}, or both DACHA_STORAGE_ACCOUNT_URL_BLOB and DACHA_STORAGE_ACCOUNT_URL_QUEUE.`,
  );
}

function readHub(read: Read): HubAccess | undefined {
  const connectionString = read('DACHA_IOTHUB_CONNECTION');
  if (connectionString) return { connectionString };
  const hostName = read('DACHA_IOTHUB_HOST');
  return hostName ? { hostName } : undefined;
}

function readCompute(read: Read, environment: Environment): ComputeSettings {
  const kind = read('DACHA_COMPUTE') ?? 'none';
  if (kind === 'none') return { kind };
  if (Object.hasOwn(ARM_TYPES, kind)) return readArmCompute(kind as keyof typeof ARM_TYPES, read);
  if (kind !== 'local-process')
    throw new SettingsError(
      `DACHA_COMPUTE is "${kind}"; it must be ${KINDS.map((one) => `"${one}"`).join(', ')} or "none".`,
    );
  const passed = WORKER_VARIABLES.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const entry = read('DACHA_WORKER_ENTRY') ?? fileURLToPath(DEFAULT_WORKER);
  if (read('DACHA_WORKER_ENTRY') === undefined && !existsSync(entry))
    throw new SettingsError(
      'DACHA_COMPUTE is "local-process", but no worker lies beside this app; set DACHA_WORKER_ENTRY.',
    );
  return {
    kind,
    entry,
    environment: { ...Object.fromEntries(passed), ORT_DISABLE_TELEMETRY: '1' },
  };
}

function readArmCompute(kind: keyof typeof ARM_TYPES, read: Read): ComputeSettings {
  const type = ARM_TYPES[kind];
  const id = read('DACHA_COMPUTE_RESOURCE');
  const resource = id === undefined ? undefined : readArmResource(id, type);
  if (!resource)
    throw new SettingsError(
      `DACHA_COMPUTE is "${kind}", so DACHA_COMPUTE_RESOURCE must be the resource id of what to start: /subscriptions/…/resourceGroups/…/providers/${type}/NAME.`,
    );
  const endpoint = readUrl('DACHA_ARM_ENDPOINT', read('DACHA_ARM_ENDPOINT'));
  if (endpoint !== undefined && !endpoint.startsWith('https:'))
    throw new SettingsError('DACHA_ARM_ENDPOINT must begin with https://: a token goes there.');
  return { kind, resource, endpoint };
}

function readChannels(read: Read): ChannelSettings[] {
  const language = readLanguage(read('DACHA_NOTIFY_LANGUAGE') ?? 'en');
  const channels: ChannelSettings[] = [];
  const address = readUrl('DACHA_NOTIFY_WEBHOOK', read('DACHA_NOTIFY_WEBHOOK'));
  const secret = read('DACHA_NOTIFY_WEBHOOK_SECRET');
  if (address !== undefined) channels.push({ kind: 'webhook', address, secret });
  else if (secret !== undefined)
    throw new SettingsError('DACHA_NOTIFY_WEBHOOK_SECRET has no effect without DACHA_NOTIFY_WEBHOOK.');

  const token = read('DACHA_TELEGRAM_TOKEN');
  const chat = read('DACHA_TELEGRAM_CHAT');
  const api = readUrl('DACHA_TELEGRAM_API', read('DACHA_TELEGRAM_API'));
  if (token !== undefined && !/^\d+:[\w-]{20,}$/.test(token))
    throw new SettingsError('DACHA_TELEGRAM_TOKEN is no token of a bot: digits, a colon, letters.');
  if (token !== undefined && chat !== undefined)
    channels.push({ kind: 'telegram', token, chat, language, api });
  else if (token !== undefined || chat !== undefined)
    throw new SettingsError(
      'DACHA_TELEGRAM_TOKEN and DACHA_TELEGRAM_CHAT belong together; one of them is missing.',
    );

  const topic = readUrl('DACHA_NTFY_TOPIC', read('DACHA_NTFY_TOPIC'));
  const access = read('DACHA_NTFY_TOKEN');
  if (topic !== undefined && !/^\/[\w-]{1,64}$/.test(new URL(topic).pathname))
    throw new SettingsError(
      'DACHA_NTFY_TOPIC must be the address of one topic, like https://ntfy.sh/our-house.',
    );
  if (topic !== undefined) channels.push({ kind: 'ntfy', topic, token: access, language });
  else if (access !== undefined)
    throw new SettingsError('DACHA_NTFY_TOKEN has no effect without DACHA_NTFY_TOPIC.');
  return channels;
}

function readLanguage(text: string): 'en' | 'uk' {
  if (text === 'en' || text === 'uk') return text;
  throw new SettingsError(`DACHA_NOTIFY_LANGUAGE is "${text}"; it must be "en" or "uk".`);
}

function readWait(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ANALYSIS_WAIT_MS;
  const ms = Number(text);
  if (Number.isInteger(ms) && ms >= 1 && ms <= LONGEST_WAIT_MS) return ms;
  throw new SettingsError(
    `DACHA_ANALYSIS_WAIT_MS is "${text}"; it must be whole milliseconds from 1 to ${LONGEST_WAIT_MS}.`,
  );
}

/** The address is not repeated in the error: it may carry a token. */
function readUrl(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new SettingsError(`${name} is not an http or https address.`);
}
