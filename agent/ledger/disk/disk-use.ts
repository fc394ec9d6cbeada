import { statfsSync } from 'node:fs';
import { clipPaths, entryAt } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import { clipTotals } from '../clips/totals.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import type { Quarantine } from './quarantine.ts';
import type { Unremovable } from './unremovable.ts';

/** What a clip that is being opened will take when nothing is known yet: 30 s at 4 Mbit/s. */
export const FIRST_GUESS_BYTES = 15_000_000;
const SAMPLE = 20;

/** Bytes a program without privileges may still write. */
export function freeBytesOf(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** States in which the file of a clip may be removed. */
const MAY_GO: ReadonlySet<ClipRow['state']> = new Set(['judged', 'uploaded', 'sealed', 'parked']);

/** What is missing, and the bound that says so. */
export interface Need {
  readonly bytes: number;
  readonly policy: 'byte budget' | 'disk nearly full';
}

export interface DiskUse {
  /** What the next clip of a camera will take, as far as its last clips tell. */
  expectedBytes(cameraId: string): number;
  /** What must go so that `expected` more bytes fit: 0 or less when they do.
   *  @param floor bytes of the disk that stay free beside them */
  need(expected: number, floor: number): Need;
  /** All that may be removed, together. */
  mayGoBytes(): number;
}

export interface DiskUseDeps {
  readonly db: Database;
  readonly unremovable: Pick<Unremovable, 'clips'>;
  readonly quarantine: Pick<Quarantine, 'bytes'>;
  readonly dir: string;
  /** Most bytes of clips on this disk. */
  readonly maxBytes: number;
  readonly freeBytes: () => number;
}

/** What clips take of the disk, and what is missing to it. */
export function createDiskUse({
  db,
  unremovable,
  quarantine,
  dir,
  maxBytes,
  freeBytes,
}: DiskUseDeps): DiskUse {
  const totals = clipTotals(db);
  /** Of what could not be removed. */
  const stuck = db
    .prepare<[string], number>(
      'SELECT total(bytes) FROM clips WHERE on_disk = 1 AND clip_id IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const recording = prepareRows<[], ClipRow>(db, 'clips', "SELECT * FROM clips WHERE state = 'recording'");
  const largest = db
    .prepare<[string, number], number | null>(
      `SELECT max(bytes) FROM (SELECT bytes FROM clips WHERE camera_id = ? AND bytes IS NOT NULL
       ORDER BY clip_id DESC LIMIT ?)`,
    )
    .pluck();

  const bytesOf = (counts: (state: ClipRow['state']) => boolean) =>
    totals().reduce((sum, { state, onDisk, bytes }) => sum + (onDisk === 1 && counts(state) ? bytes : 0), 0);
  /** Asked of the rows only when there is something: that is rare, and they are many. */
  function stuckBytes(): number {
    const clips = unremovable.clips();
    return clips.length === 0 ? 0 : (stuck.get(JSON.stringify(clips)) ?? 0);
  }

  const bounded = (bytes: number | null | undefined) => Math.min(bytes ?? FIRST_GUESS_BYTES, maxBytes / 4);
  const expectedBytes = (cameraId: string) => bounded(largest.get(cameraId, SAMPLE));

  function recordingBytes(row: ClipRow): number {
    try {
      const { partFile } = clipPaths(dir, row.camera_id, row.clip_id);
      const entry = entryAt(partFile);
      return Math.max(entry.kind === 'file' ? entry.heldBytes : 0, expectedBytes(row.camera_id));
    } catch {
      // A file that cannot be looked at is counted with what it should have; the check reports it.
      return expectedBytes(row.camera_id);
    }
  }

  /** Clips being recorded count with what they have, or will have. */
  const usedBytes = () =>
    recording.all().reduce((sum, row) => sum + recordingBytes(row), 0) +
    bytesOf(() => true) +
    quarantine.bytes() -
    stuckBytes();

  return {
    expectedBytes,
    need(expected, floor) {
      const overBudget = usedBytes() + expected - maxBytes;
      const underFloor = floor + expected - freeBytes();
      return overBudget >= underFloor
        ? { bytes: overBudget, policy: 'byte budget' }
        : { bytes: underFloor, policy: 'disk nearly full' };
    },
    mayGoBytes: () => Math.max(0, bytesOf((state) => MAY_GO.has(state)) - stuckBytes()),
  };
}
