import type { History } from '../engine/history.ts';
import type { InstanceRow } from '../engine/history-sql.ts';
import type { Hostility } from './hostility.ts';

/** Statuses that are seconds old: who asks for an instance still sees how it was before its last episode.
 *  @returns the history as the engine writes it, and as the management API reads it */
export function createStaleStatuses(
  history: History,
  hostility: Pick<Hostility, 'lagMs'>,
  nowMs: () => number,
): { readonly written: History; readonly read: History } {
  const before = new Map<string, { readonly row: InstanceRow; readonly untilMs: number }>();
  const shown = (id: string): InstanceRow | undefined => {
    const row = history.instance(id);
    const old = before.get(id);
    return row !== undefined && old?.row.execution === row.execution && old.untilMs > nowMs() ? old.row : row;
  };
  const storeEpisode = ((row, ...rest) => {
    const old = shown(row.id);
    const isStored = history.storeEpisode(row, ...rest);
    const lagMs = hostility.lagMs(row.id);
    if (isStored && old !== undefined && lagMs > 0)
      before.set(row.id, { row: old, untilMs: nowMs() + lagMs });
    return isStored;
  }) as History['storeEpisode'];
  return { written: { ...history, storeEpisode }, read: { ...history, instance: shown } };
}
