import type { Clock } from '../../kernel/clock.ts';

/** A note as its file name and size tell it. */
export interface NoteEntry {
  /** Time and reason; sorts by time. */
  readonly id: string;
  readonly atMs: number;
  readonly reason: string;
  readonly bytes: number;
}

export interface NoteEntries {
  cameras(): string[];
  /** In no order; always the same list. */
  of(cameraId: string): NoteEntry[];
  drop(cameraId: string, id: string): void;
  /** Oldest first; what lies ahead of now is older than everything. */
  readonly byAge: (a: NoteEntry, b: NoteEntry) => number;
}

/** What a file really takes. */
const BLOCK_BYTES = 4_096;
const HOUR_MS = 3_600_000;
const PER_HOUR = 24;
const PER_HOUR_OF_REASON = 6;
const APART_MS = 60_000;
/** A moment this far ahead was noted by a clock that has been set back since. */
const AHEAD_MS = 24 * HOUR_MS;

/** Which notes there are, by camera. */
export function createNoteEntries(clock: Pick<Clock, 'nowMs'>): NoteEntries {
  const cameras = new Map<string, NoteEntry[]>();

  function of(cameraId: string): NoteEntry[] {
    const known = cameras.get(cameraId);
    if (known) return known;
    const fresh: NoteEntry[] = [];
    cameras.set(cameraId, fresh);
    return fresh;
  }

  return {
    cameras: () => [...cameras.keys()],
    of,
    /** In place: a write that waits for the disk goes on with the same list. */
    drop: (cameraId, id) => {
      const entries = of(cameraId);
      const at = entries.findIndex((entry) => entry.id === id);
      if (at >= 0) entries.splice(at, 1);
    },
    byAge: (a, b) => {
      const age = ({ atMs }: NoteEntry) => (atMs > clock.nowMs() + AHEAD_MS ? 0 : atMs);
      return age(a) - age(b) || a.atMs - b.atMs;
    },
  };
}

/** There are as many notes as an hour may have, of all or of this reason, or the last one alike is no minute old. */
export function isEnough(
  entries: readonly NoteEntry[],
  { atMs, reason }: Pick<NoteEntry, 'atMs' | 'reason'>,
): boolean {
  const recent = entries.filter((entry) => entry.atMs <= atMs && atMs - entry.atMs < HOUR_MS);
  const alike = recent.filter((entry) => entry.reason === reason);
  return (
    recent.length >= PER_HOUR ||
    alike.length >= PER_HOUR_OF_REASON ||
    alike.some((entry) => atMs - entry.atMs < APART_MS)
  );
}

/** What a file of so many bytes takes, in whole blocks of the disk. */
export const blocks = (bytes: number): number => Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
