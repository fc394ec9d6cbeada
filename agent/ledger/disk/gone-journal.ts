import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import type { ClipRow, ClipRows } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import { formatGone, nextNumber, segmentFile, segmentsIn } from './gone-lines.ts';

/** A segment that is larger is followed by another one. */
const SEGMENT_BYTES = 256 * 1024;
/** All segments together: some four thousand clips. */
const BYTES_MAX = 4 * 1024 * 1024;
const SEGMENTS_MAX = 256;
/** Clips that wait to be noted while the disk does not take it. */
const WAITING_MAX = 4_000;
const AGAIN_MS = 5_000;

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
  /** Segments that could not be read at the start: they stay for a later one. */
  readonly unread: ReadonlyMap<number, string>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}): GoneJournal {
  const { db, rows, dir, unread, clock, log } = deps;
  let current: { readonly fd: number; readonly number: number; bytes: number } | undefined;
  /** Written since the last mark: clip to line, so that nothing is said twice. */
  const written = new Map<string, string>();
  const waiting = new Set<string>();
  let triedMs = Number.NEGATIVE_INFINITY;
  const newest = db.prepare<[], number | null>('SELECT max(seq) FROM custody').pluck();
  const newestOf = db
    .prepare<[string], number | null>('SELECT max(seq) FROM custody WHERE clip_id = ?')
    .pluck();

  function leave(): void {
    if (current) closeSync(current.fd);
    current = undefined;
  }

  function begin(): void {
    const number = nextNumber(dir);
    const fd = openSync(
      segmentFile(dir, number),
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL,
      0o600,
    );
    leave();
    use(fd, number, 0);
    keepBound();
  }

  /** Its entry in the folder is on disk as well. */
  function use(fd: number, number: number, bytes: number): void {
    try {
      fsyncFolder(dir);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    current = { fd, number, bytes };
  }

  /** What cannot be removed now is at the next turn. */
  function remove(number: number): void {
    try {
      unlinkSync(segmentFile(dir, number));
    } catch (error) {
      log.warn({ event: 'ledger.gone-stuck', segment: number, err: error }, 'it cannot be removed');
    }
  }

  /** The newest segment is gone on with: a process that is started again and again begins no other one each time. */
  function goOn(): void {
    const last = segmentsIn(dir).at(-1);
    if (!last || last.bytes >= SEGMENT_BYTES || unread.has(last.number)) return begin();
    const fd = openSync(
      segmentFile(dir, last.number),
      constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    use(fd, last.number, fstatSync(fd).size);
  }

  function keepBound(): void {
    const segments = segmentsIn(dir);
    let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    let count = segments.length;
    for (const segment of segments) {
      if (bytes <= BYTES_MAX && count <= SEGMENTS_MAX) break;
      if (segment.number === current?.number) break;
      remove(segment.number);
      log.warn(
        { event: 'ledger.gone-dropped', segment: segment.number },
        'no backup of the ledger could be made for long: its oldest notes on clips without a file are dropped',
      );
      bytes -= segment.bytes;
      count -= 1;
    }
  }

  /** What was written in part is taken back. A sync that failed leaves nobody knows what: another segment follows. */
  function append(text: string): void {
    if (!current) return;
    const { fd, bytes: before } = current;
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch (error) {
      leaveAfter(() => ftruncateSync(fd, before));
      throw error;
    }
    try {
      fdatasyncSync(fd);
    } catch (error) {
      leaveAfter(begin);
      throw error;
    }
    current.bytes += bytes.length;
  }

  /** The error that led here is the one that is told. */
  function leaveAfter(work: () => void): void {
    try {
      work();
    } catch (error) {
      log.warn(
        { event: 'ledger.gone-segment', err: error },
        'the notes on clips without a file go on elsewhere',
      );
    }
    leave();
  }

  function note(lines: readonly { readonly seq: number; readonly row: ClipRow }[]): void {
    if (!current) goOn();
    else if (current.bytes >= SEGMENT_BYTES) begin();
    append(lines.map(({ seq, row }) => formatGone({ seq, row: { ...row } })).join(''));
    for (const { row } of lines) written.set(row.clip_id, JSON.stringify(row));
  }

  /** Nobody waits for it, so the disk's refusal is tried again. */
  function noteWaiting(): void {
    const lines = [...waiting].flatMap((clipId) => {
      const row = rows.get(clipId);
      if (row?.on_disk !== 0 || written.get(clipId) === JSON.stringify(row)) return [];
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
      try {
        begin();
      } catch (error) {
        log.warn({ event: 'ledger.gone-segment', err: error }, 'its notes on clips without a file all stay');
        return () => undefined;
      }
      const first = current?.number ?? 0;
      written.clear();
      return () => {
        for (const { number } of segmentsIn(dir)) if (number < first && !unread.has(number)) remove(number);
      };
    },

    close: leave,
  };
}
