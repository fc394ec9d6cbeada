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
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import { nextNumber, segmentFile, segmentsIn } from './gone-lines.ts';

/** A segment that is larger is followed by another one. */
const SEGMENT_BYTES = 256 * 1024;
/** All segments together: some four thousand clips. */
const BYTES_MAX = 4 * 1024 * 1024;
const SEGMENTS_MAX = 256;
const NEW = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL;
/** A link leads elsewhere, and to open a pipe is to wait for its reader. */
const EARLIER = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The files of the gone journal, one after the other: only the newest is written.
 *  Invariants
 *  1. A segment and its entry in the folder are on disk before a line goes into it.
 *  2. At most 4 MiB: then the oldest go, with a word in the log. */
export interface GoneSegments {
  /** Adds lines to the newest segment; they are on disk when it returns.
   *  @throws the system's error: what was written in part is taken back */
  append(text: string): void;
  /** Begins another segment.
   *  @returns its number */
  begin(): number;
  /** Those before this number go, unless they could not be read. What cannot be removed now is at the next turn. */
  removeBefore(number: number): void;
  close(): void;
}

export interface GoneSegmentsDeps {
  readonly dir: string;
  /** Segments that could not be read at the start: they stay for a later one. */
  readonly unread: ReadonlyMap<number, string>;
  readonly log: Log;
}

export function createGoneSegments({ dir, unread, log }: GoneSegmentsDeps): GoneSegments {
  let current: { readonly fd: number; readonly number: number; bytes: number } | undefined;

  function leave(): void {
    if (current) closeSync(current.fd);
    current = undefined;
  }

  function begin(): number {
    const number = nextNumber(dir);
    const fd = openSync(segmentFile(dir, number), NEW, 0o600);
    leave();
    use(fd, number, 0);
    keepBound();
    return number;
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
    if (!last || last.bytes >= SEGMENT_BYTES || unread.has(last.number)) {
      begin();
      return;
    }
    const fd = openSync(segmentFile(dir, last.number), EARLIER);
    use(fd, last.number, fstatSync(fd).size);
  }

  function keepBound(): void {
    for (const number of tooOld(segmentsIn(dir), current?.number)) {
      remove(number);
      log.warn(
        { event: 'ledger.gone-dropped', segment: number },
        'no backup of the ledger could be made for long: its oldest notes on clips without a file are dropped',
      );
    }
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

  return {
    append(text) {
      if (!current) goOn();
      else if (current.bytes >= SEGMENT_BYTES) begin();
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
        // A sync that failed leaves nobody knows what: another segment follows.
        leaveAfter(begin);
        throw error;
      }
      current.bytes += bytes.length;
    },
    begin,
    removeBefore(first) {
      for (const { number } of segmentsIn(dir)) if (number < first && !unread.has(number)) remove(number);
    },
    close: leave,
  };
}

/** Segments that must go so that the others are within the bound, the oldest first; the one that is written stays. */
function tooOld(
  segments: readonly { readonly number: number; readonly bytes: number }[],
  current: number | undefined,
): number[] {
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  let count = segments.length;
  const old: number[] = [];
  for (const segment of segments) {
    if ((bytes <= BYTES_MAX && count <= SEGMENTS_MAX) || segment.number === current) break;
    old.push(segment.number);
    bytes -= segment.bytes;
    count -= 1;
  }
  return old;
}
