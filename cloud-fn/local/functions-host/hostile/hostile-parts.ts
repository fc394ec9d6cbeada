import type { History } from '../engine/history.ts';
import type { Invoke } from '../triggers/invoke.ts';
import { createHiddenWork, type HiddenWork } from './hidden-work.ts';
import { createHostileInvoke } from './hostile-invoke.ts';
import type { Hostility } from './hostility.ts';
import { createStaleStatuses } from './stale-statuses.ts';

export interface Hostile {
  readonly hostility: Hostility;
  /** Kills the process that runs the app, so far into what it was just called for: from 0 to 1. */
  readonly killApp: (after: number) => void;
}

/** The parts of a host that a hostile one has instead of its own. */
export interface HostileParts {
  readonly invoke: Invoke;
  /** As the engine writes it, and as the management API reads it. */
  readonly written: History;
  readonly read: History;
  readonly hidden: HiddenWork | undefined;
}

/** @param hostile undefined: the parts as they are */
export function createHostileParts(
  hostile: Hostile | undefined,
  parts: { readonly history: History; readonly invoke: Invoke; readonly nowMs: () => number },
): HostileParts {
  const { history, invoke, nowMs } = parts;
  if (hostile === undefined) return { invoke, written: history, read: history, hidden: undefined };
  const { hostility, killApp } = hostile;
  return {
    invoke: createHostileInvoke(invoke, hostility, killApp),
    ...createStaleStatuses(history, hostility, nowMs),
    hidden: createHiddenWork(hostility, nowMs),
  };
}
