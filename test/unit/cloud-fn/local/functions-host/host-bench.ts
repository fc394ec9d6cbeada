import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  HostedFunction,
  TriggerKind,
} from '../../../../../cloud-fn/local/functions-host/triggers/bindings.ts';
import { openDatabase } from '../../../../../cloud-fn/local/functions-host/engine/database.ts';
import { createHistory } from '../../../../../cloud-fn/local/functions-host/engine/history.ts';
import type { HostKeys } from '../../../../../cloud-fn/local/functions-host/http/keys.ts';

/** A folder that goes with the test. */
export function folderOf(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-host-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The state of a host in a folder of its own. */
export function stateOf(t: TestContext) {
  const db = openDatabase(folderOf(t));
  t.after(() => db.close());
  return { db, history: createHistory({ db }) };
}

/** A function with one trigger, as the app would register it. */
export const hosted = (name: string, kind: TriggerKind, more: object = {}): HostedFunction => {
  const trigger = { type: kind, direction: 'in' as const, ...more };
  const metadata = { name, bindings: { trigger } };
  return { name, kind, triggerName: 'trigger', trigger, metadata };
};

export const byName = (...functions: readonly HostedFunction[]) =>
  new Map(functions.map((one) => [one.name, one]));

export const KEYS: HostKeys = {
  master: 'key-of-all',
  function: 'key-of-functions',
  durableTask: 'key-of-durable',
  eventGrid: 'key-of-events',
  rpc: 'key-of-rpc',
};

/** Lines a host logged. */
export function logOf() {
  const lines: Readonly<Record<string, unknown>>[] = [];
  return {
    lines,
    log: (entry: Readonly<Record<string, unknown>>) => void lines.push(entry),
    events: () => lines.map((line) => line['event']),
  };
}

/** Resolves once `holds`; fails after two minutes. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 120_000; !(await holds()); ) {
    if (performance.now() > deadline) throw new Error(`not within two minutes: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
