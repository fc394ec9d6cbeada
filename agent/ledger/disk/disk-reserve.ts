import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { classify } from '../../kernel/classify.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import { heldBytesOf } from '../clips/clip-files.ts';

/** The WAL grows to 4 MiB before it is written back, and the database by what is new in it. */
export const RESERVE_BYTES = 8 * 1024 * 1024;
const CHUNK = 1024 * 1024;
const ASIDE_MAX = 100;

/** A regular file that has no other name. */
const isOurs = (stats: Stats | undefined): stats is Stats => stats?.isFile() === true && stats.nlink === 1;

export interface DiskReserve {
  /** Runs work that helps to make room. When the disk is full the reserve is given up and the work tried once more.
   *  The work must have changed nothing when it throws. */
  pay<T>(work: () => T): T;
  /** Bytes that are missing to it. */
  missingBytes(): number;
  /** Makes it again when there is room; says by a condition when it is not there. */
  restore(breathe: Breathe): Promise<void>;
}

export interface DiskReserveDeps {
  readonly dir: string;
  readonly bytes: number;
  readonly freeBytes: () => number;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly log: Log;
}

export const reserveFile = (dir: string) => join(dir, 'ledger.reserve');

/** A file beside the ledger that only takes room. Making room needs commits, and a full disk takes none: then the
 *  file is emptied, the commits are made, files go, and it is filled again.
 *  Its bytes are random: a file system that leaves zeros out, or packs them, would reserve nothing. */
export function createDiskReserve({ dir, bytes, freeBytes, conditions, log }: DiskReserveDeps): DiskReserve {
  const file = reserveFile(dir);

  function heldBytes(): number {
    const stats = lstatSync(file, { throwIfNoEntry: false });
    return isOurs(stats) ? heldBytesOf(stats) : 0;
  }
  const partFile = `${file}.part`;
  const missingBytes = () => Math.max(0, bytes - heldBytes());

  /** Times it was needed: filling it ends then. */
  let spendings = 0;

  /** @returns whether that made room */
  function spend(): boolean {
    spendings += 1;
    if (heldBytes() === 0) return false;
    const fd = openSync(file, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // Another one since it was looked at?
      if (!isOurs(fstatSync(fd))) return false;
      ftruncateSync(fd, 0);
    } finally {
      closeSync(fd);
    }
    log.warn({ event: 'disk.reserve-spent', bytes }, 'the disk is full: its reserve pays for making room');
    return true;
  }

  /** In the background: a slow card takes a second for it. Into a new file, which gets the name when it is full. */
  async function fill(breathe: Breathe): Promise<void> {
    clearName(partFile, log);
    clearName(file, log);
    const handle = await open(partFile, 'wx', 0o600);
    const before = spendings;
    try {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, bytes));
      for (let at = 0; at < bytes; ) {
        const { bytesWritten } = await handle.write(
          randomFillSync(chunk),
          0,
          Math.min(chunk.length, bytes - at),
        );
        at += bytesWritten;
        await breathe();
        if (spendings > before)
          throw new Failure('exhausted', 'ledger.reserve-needed', 'the disk was full before it was filled');
      }
      await handle.sync();
      renameSync(partFile, file);
    } catch (error) {
      // A part of it would be in the way of those who need the room now.
      await handle.truncate(0);
      throw error;
    } finally {
      await handle.close();
    }
    fsyncFolder(dir);
  }

  return {
    missingBytes,

    pay(work) {
      try {
        return work();
      } catch (error) {
        if (!isFull(error) || !spend()) throw error;
        return work();
      }
    },

    async restore(breathe) {
      if (missingBytes() > 0) {
        if (freeBytes() < 2 * bytes) {
          conditions.raise('disk-reserve', 'the disk is too full to keep a reserve for making room');
          return;
        }
        try {
          await fill(breathe);
        } catch (error) {
          const { message } = classify(error, 'ledger.reserve');
          conditions.raise('disk-reserve', `the reserve for making room cannot be written: ${message}`);
          throw error;
        }
        log.info({ event: 'disk.reserve-made', bytes }, 'the reserve for making room is there');
      }
      conditions.clear('disk-reserve');
    },
  };
}

/** No room for a commit. SQLite says so in its own words when its shared memory file cannot grow. */
function isFull(error: unknown): boolean {
  const code = codeOf(error) ?? codeOf((error as Error | undefined)?.cause) ?? '';
  return /^(ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_SHM\w*)$/.test(code);
}

const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^(E[A-Z]+|SQLITE_\w+)$/.test(code) ? code : undefined;
};

/** What stands under the name and is not a file of ours alone may be a clip: it is moved, never written. */
function clearName(path: string, log: Log): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return;
  if (isOurs(stats)) {
    unlinkSync(path);
    return;
  }
  for (let n = 1; n <= ASIDE_MAX; n++) {
    const aside = `${path}.aside-${n}`;
    if (lstatSync(aside, { throwIfNoEntry: false })) continue;
    renameSync(path, aside);
    log.warn({ event: 'disk.reserve-aside', path, aside }, 'what stood in place of the reserve was moved');
    return;
  }
  throw new Failure('exhausted', 'ledger.reserve-name', `${path} is not the reserve, and cannot be moved`);
}
