import { randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of the host, made once and kept. */
export interface HostKeys {
  /** Opens everything. */
  readonly master: string;
  /** Opens functions with authLevel `function`. */
  readonly function: string;
  /** Opens the management API of Durable Functions. */
  readonly durableTask: string;
  /** Opens the Event Grid webhook. */
  readonly eventGrid: string;
  /** Part of the address the app's own client talks to. */
  readonly rpc: string;
}

export const keysFileIn = (dataDir: string): string => join(dataDir, 'keys.json');

/** The keys of an earlier run, else new random ones; the file is readable by its owner only. */
export function loadKeys(dataDir: string): HostKeys {
  const file = keysFileIn(dataDir);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as HostKeys;
  const key = () => randomBytes(30).toString('base64url');
  const keys = { master: key(), function: key(), durableTask: key(), eventGrid: key(), rpc: key() };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return keys;
}

/** Whether `given` is one of the keys; takes as long whichever it is not. */
export function isOneOf(given: string | undefined | null, keys: readonly string[]): boolean {
  const bytes = Buffer.from(given ?? '');
  return (
    keys.filter((key) => {
      const wanted = Buffer.from(key);
      return wanted.length === bytes.length && timingSafeEqual(wanted, bytes);
    }).length > 0
  );
}
