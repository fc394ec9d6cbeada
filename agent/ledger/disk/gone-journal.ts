import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { ClipRow, ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import { BACKED_UP, formatGone, type GoneLine } from './gone-lines.ts';
import { createGoneSegments } from './gone-segments.ts';

/** Clips that wait to be noted while the disk does not take it. */
const WAITING_MAX = 4_000;
const AGAIN_MS = 5_000;
/** Lines of custody that are looked through at the start, at most: far more than a house writes between two backups. */
const LOOK_BACK = 20_000;

/** Rows of clips that have no file on this disk, as they were last, since the newest backup.
 *  A clip whose file is here can be taken up again from it, and one that is in the backup from that. Of a clip whose
 *  file went after the backup only the database knows: were that destroyed, the house would not know of it any more.
 *  Invariants
 *  1. A line is on disk before the file goes. One that was torn or damaged costs itself alone.
 *  2. Lines go only when a backup that knows what they say is in place.
 *  3. At most 4 MiB: then the oldest lines go, with a word in the log. */
export interface GoneJournal {
  /** Notes rows as they will be when their files are gone; on disk when it returns.
   *  @throws the system's error: the files must stay then */
  write(rows: readonly ClipRow[]): void;
  /** Something happened to a clip that has no file; it is noted with the next `flush`. */
  touched(clipId: string): void;
  /** Notes what is committed of those. Not inside a transaction. What the disk does not take now waits. */
  flush(): void;
  /** Before a backup is begun. @returns what to call when it is in place: what was noted before goes */
  mark(): () => void;
  close(): void;
}

export function createGoneJournal(deps: {
  readonly db: Database;
  readonly rows: Pick<ClipRows, 'get'>;
  readonly dir: string;
  /** What was noted by earlier processes, by clip. */
  readonly lines: ReadonlyMap<string, Pick<GoneLine, 'row'>>;
  /** Segments that could not be read at the start: they stay for a later one. */
  readonly unread: ReadonlyMap<number, string>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}): GoneJournal {
  const { db, rows, dir, lines, unread, clock, log } = deps;
  const segments = createGoneSegments({ dir, unread, log });
  /** Written since the last mark: clip to line, so that nothing is said twice. */
  const written = new Map([...lines].map(([clipId, { row }]) => [clipId, textOf(row)]));
  const waiting = new Set(sinceBackup(db));
  let triedMs = Number.NEGATIVE_INFINITY;
  const newest = db.prepare<[], number | null>('SELECT max(seq) FROM custody').pluck();
  const newestOf = db
    .prepare<[string], number | null>('SELECT max(seq) FROM custody WHERE clip_id = ?')
    .pluck();

  function note(lines: readonly { readonly seq: number; readonly row: ClipRow }[]): void {
    segments.append(lines.map(({ seq, row }) => formatGone({ seq, row: { ...row } })).join(''));
    for (const { row } of lines) written.set(row.clip_id, textOf(row));
  }

  /** Nobody waits for it, so the disk's refusal is tried again. */
  function noteWaiting(): void {
    const lines = [...waiting].flatMap((clipId) => {
      const row = rows.get(clipId);
      if (row?.on_disk !== 0 || written.get(clipId) === textOf(row)) return [];
      return [{ seq: newestOf.get(clipId) ?? 0, row }];
    });
    if (lines.length > 0) note(lines);
    waiting.clear();
  }

  return {
    write(gone) {
      // The line of custody that follows tells the database of it.
      const seq = (newest.get() ?? 0) + 1;
      const lines = gone.map((row) => ({ seq, row }));
      try {
        note(lines);
      } catch (error) {
        log.warn({ event: 'ledger.gone-not-noted', err: error }, 'tried once more');
        note(lines);
      }
    },

    touched(clipId) {
      if (waiting.size >= WAITING_MAX) waiting.delete(waiting.values().next().value ?? '');
      waiting.add(clipId);
    },

    flush() {
      if (waiting.size === 0 || !db.open || clock.monotonicMs() - triedMs < AGAIN_MS) return;
      try {
        noteWaiting();
      } catch (error) {
        triedMs = clock.monotonicMs();
        const { code, message } = classify(error, 'ledger.gone');
        log.warn({ event: 'ledger.gone-not-noted', code }, message);
      }
    },

    mark() {
      let first: number;
      const backedUp = newest.get() ?? 0;
      try {
        first = segments.begin();
      } catch (error) {
        log.warn({ event: 'ledger.gone-segment', err: error }, 'its notes on clips without a file all stay');
        return () => undefined;
      }
      written.clear();
      return () => {
        segments.removeBefore(first);
        db.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(BACKED_UP, backedUp);
      };
    },

    close: () => segments.close(),
  };
}

/** What a row says. A note made before the row is changed carries the checksum of before, which is made again. */
const textOf = (row: object) => JSON.stringify({ ...row, checksum: undefined });

/** Clips to which something happened since the newest backup, the latest last. A process that was killed may have
 *  committed it and not noted it: those without a file are noted now. */
function sinceBackup(db: Database): string[] {
  const backedUp =
    db.prepare<[string], number>('SELECT value FROM facts WHERE name = ?').pluck().get(BACKED_UP) ?? 0;
  const newest = db.prepare<[], number | null>('SELECT max(seq) FROM custody').pluck().get() ?? 0;
  const lines = db
    .prepare<[number], string>('SELECT clip_id FROM custody WHERE seq > ? ORDER BY seq DESC')
    .pluck()
    .iterate(Math.max(backedUp, newest - LOOK_BACK));
  const found = new Set<string>();
  for (const clipId of lines) {
    if (found.size >= WAITING_MAX) break;
    found.add(clipId);
  }
  return [...found].toReversed();
}
