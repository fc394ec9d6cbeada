/** Spoils what a house that is down has on its disk, as a bad card or a hand would. */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../random.ts';

export const DAMAGES = [
  ...['bits of the database', 'a page of the database', 'half of the database'],
  ...['the database is gone', 'the clips are away'],
  // SQLite passes over what follows a damaged place of its log, without a word.
  ...[
    'a byte of the log',
    'a page of the log',
    'the log cut off',
    'the log is gone',
    'the index of the log is gone',
  ],
] as const;
export type DamageKind = (typeof DAMAGES)[number];

export interface Damage {
  readonly kind: DamageKind;
  /** For what is drawn within. */
  readonly seed: number;
}

const PAGE_BYTES = 4_096;
const BITS = 40;

/** @returns how to undo it before the next start but one; undefined when it stays */
export function spoil(houseDir: string, { kind, seed }: Damage): (() => void) | undefined {
  const random = createRandom(seed);
  const database = join(houseDir, 'ledger.sqlite');
  const clips = join(houseDir, 'clips');
  if (kind === 'the clips are away') {
    if (!existsSync(clips)) return undefined;
    renameSync(clips, `${clips}.away`);
    return () => {
      // What was mounted over it hides what was written meanwhile.
      if (existsSync(clips)) renameSync(clips, join(houseDir, '..', `hidden-${seed}`));
      renameSync(`${clips}.away`, clips);
    };
  }
  if (!existsSync(database)) return undefined;
  if (kind === 'the database is gone') {
    for (const end of ['', '-wal', '-shm']) rmSync(database + end, { force: true });
    return undefined;
  }
  if (kind === 'the log is gone' || kind === 'the index of the log is gone') {
    rmSync(database + (kind === 'the log is gone' ? '-wal' : '-shm'), { force: true });
    return undefined;
  }
  const log = `${database}-wal`;
  if (kind.includes('log')) {
    if (existsSync(log)) spoilFile(log);
    return undefined;
  }
  spoilFile(database);
  return undefined;

  function spoilFile(file: string): void {
    const fd = openSync(file, 'r+');
    const { size } = fstatSync(fd);
    if (kind === 'half of the database') ftruncateSync(fd, size >> 1);
    if (kind === 'the log cut off') ftruncateSync(fd, random.between(0, size));
    if (kind === 'a byte of the log' && size > 0) {
      const at = random.between(0, size - 1);
      const byte = Buffer.alloc(1);
      readSync(fd, byte, 0, 1, at);
      writeSync(fd, Buffer.of(~(byte[0] ?? 0) & 0xff), 0, 1, at);
    }
    if (kind === 'a page of the log' && size > 0) {
      const at = random.between(0, size - 1);
      writeSync(fd, Buffer.alloc(Math.min(PAGE_BYTES, size - at)), 0, undefined, at);
    }
    if (kind === 'a page of the database' && size > PAGE_BYTES)
      writeSync(
        fd,
        Buffer.alloc(PAGE_BYTES),
        0,
        PAGE_BYTES,
        random.between(1, Math.floor(size / PAGE_BYTES) - 1) * PAGE_BYTES,
      );
    if (kind === 'bits of the database' && size > 0)
      for (let bit = 0; bit < BITS; bit++) {
        const at = random.between(0, size - 1);
        const byte = Buffer.alloc(1);
        readSync(fd, byte, 0, 1, at);
        byte[0] = (byte[0] ?? 0) ^ (1 << random.between(0, 7));
        writeSync(fd, byte, 0, 1, at);
      }
    closeSync(fd);
  }
}
