import { readFileSync } from 'node:fs';
import type { Json } from '@dachawatch/contracts';

/** What this host reads of an app's host.json. */
export interface HostSettings {
  /** Without slashes; empty: no prefix. */
  readonly routePrefix: string;
  readonly functionTimeoutMs: number;
  readonly maxConcurrentActivities: number;
  /** Name of the task hub, which links carry. */
  readonly hubName: string;
  readonly queues: QueueSettings;
}
export interface QueueSettings {
  readonly messageEncoding: 'base64' | 'none';
  /** Tries before a message goes to the poison queue. */
  readonly maxDequeueCount: number;
  /** Between a failed try and the next. */
  readonly visibilityTimeoutMs: number;
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxPollingIntervalMs: number;
}

const MINUTE_MS = 60_000;

/** @param file undefined: Azure's defaults
 *  @throws Error with one sentence when it cannot be used */
export function readHostSettings(file: string | undefined): HostSettings {
  return hostSettingsOf(file === undefined ? {} : (JSON.parse(readFileSync(file, 'utf8')) as Json));
}

export function hostSettingsOf(hostJson: Json): HostSettings {
  const extensions = objectAt(hostJson, 'extensions');
  const queues = objectAt(extensions, 'queues');
  const encoding = textAt(queues, 'messageEncoding', 'base64').toLowerCase();
  if (encoding !== 'base64' && encoding !== 'none')
    throw new Error(`host.json: messageEncoding must be "base64" or "none", not "${encoding}".`);
  const batchSize = numberAt(queues, 'batchSize', 16, 1, 32);
  return {
    routePrefix: textAt(objectAt(extensions, 'http'), 'routePrefix', 'api').replaceAll(/^\/|\/$/g, ''),
    functionTimeoutMs: durationAt(hostJson, 'functionTimeout', 30 * MINUTE_MS),
    maxConcurrentActivities: numberAt(
      objectAt(extensions, 'durableTask'),
      'maxConcurrentActivityFunctions',
      10,
      1,
      1000,
    ),
    hubName: textAt(objectAt(extensions, 'durableTask'), 'hubName', 'TestHubName'),
    queues: {
      messageEncoding: encoding,
      maxDequeueCount: numberAt(queues, 'maxDequeueCount', 5, 1, 100),
      visibilityTimeoutMs: durationAt(queues, 'visibilityTimeout', 0),
      batchSize,
      newBatchThreshold: numberAt(queues, 'newBatchThreshold', Math.floor(batchSize / 2), 0, 32),
      maxPollingIntervalMs: durationAt(queues, 'maxPollingInterval', MINUTE_MS),
    },
  };
}

const objectAt = (parent: Json, name: string): Json => (parent[name] ?? {}) as Json;

function textAt(parent: Json, name: string, byDefault: string): string {
  const value = parent[name] ?? byDefault;
  if (typeof value !== 'string') throw new Error(`host.json: ${name} must be a text.`);
  return value;
}

function numberAt(parent: Json, name: string, byDefault: number, min: number, max: number): number {
  const value = parent[name] ?? byDefault;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new Error(`host.json: ${name} must be a whole number from ${min} to ${max}.`);
  return value;
}

/** `hh:mm:ss`, with days before and fractions behind when needed; `-1` means without end. */
function durationAt(parent: Json, name: string, byDefaultMs: number): number {
  const value = parent[name];
  if (value === undefined) return byDefaultMs;
  if (value === '-1') return 2 ** 31 - 1;
  const found = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(
    typeof value === 'string' ? value : '',
  );
  if (found === null) throw new Error(`host.json: ${name} must be a duration like "00:05:00".`);
  const parts = found.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number];
  const [days, hours, minutes, seconds] = parts;
  return Math.round(((days * 24 + hours) * 60 + minutes) * MINUTE_MS + seconds * 1000);
}
