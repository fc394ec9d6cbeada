/** Where things are on the machine of a person who runs Dachawatch from a checkout. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Folder of the checkout. */
export const repoRoot = resolve(import.meta.dirname, '../..');

/** What can be made or fetched again: encoded footage, model weights. May be deleted at any time. */
export function cacheDir(): string {
  return place('DACHAWATCH_CACHE', 'XDG_CACHE_HOME', '.cache');
}

/** What must stay: clips, ledger, the state of the local cloud. */
export function stateDir(): string {
  return place('DACHAWATCH_STATE', 'XDG_STATE_HOME', '.local/state');
}

/** An empty variable counts as unset, as the XDG base directory specification says. */
function place(own: string, xdg: string, below: string): string {
  const chosen = process.env[own];
  if (chosen) return resolve(chosen);
  return join(process.env[xdg] || join(homedir(), below), 'dachawatch');
}
