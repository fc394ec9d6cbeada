import { LAST_MS, isOwnClipId } from '../clips/clip-id.ts';
import { isState } from './restored-row.ts';
import { isAsWritten, type Row, type Salvage } from './salvage.ts';

export interface History {
  /** By their numbers. */
  readonly lines: ReadonlyMap<number, Row>;
  /** Numbers of lines that are not what was written. */
  readonly damaged: ReadonlySet<number>;
}

/** Lines of custody of some sources, each once. A line that several have has one number in all. */
export function readHistory(sources: readonly Salvage[]): History {
  const lines = new Map<number, Row>();
  const damaged = new Set<number>();
  for (const source of sources)
    for (const line of source.rows('custody', 'seq')) {
      const { seq, clip_id, at_ms, event, state } = line;
      const sound =
        isSeq(seq) &&
        typeof clip_id === 'string' &&
        isOwnClipId(clip_id) &&
        isState(state) &&
        typeof at_ms === 'number' &&
        at_ms <= LAST_MS &&
        typeof event === 'string' &&
        /^[a-z-]{1,40}$/.test(event);
      if (!sound || !isAsWritten('custody', line)) {
        if (isSeq(seq)) damaged.add(seq as number);
      } else if (!lines.has(seq as number)) lines.set(seq as number, line);
    }
  return { lines, damaged };
}

/** A damaged number would lead all that follow to the end of the numbers. */
const isSeq = (seq: unknown) => Number.isSafeInteger(seq) && (seq as number) > 0 && (seq as number) < 1e12;

export const inOrder = (lines: ReadonlyMap<number, Row>): Row[] =>
  [...lines].toSorted(([a], [b]) => a - b).map(([, line]) => line);

export const newestOf = (lines: ReadonlyMap<number, Row>): number => {
  let newest = 0;
  for (const seq of lines.keys()) newest = Math.max(newest, seq);
  return newest;
};
