import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { createHourlyCounts, type HourOfCounts } from './counts.ts';
import { blocks, createNoteEntries, isEnough, type NoteEntry } from './note-entries.ts';
import { CAMERA, createNoteFiles } from './note-files.ts';
import type { SuppressedRecord } from './record.ts';
import { createWriteQueue } from './write-queue.ts';

export interface KeptRecord {
  /** Time and reason; sorts by time. */
  readonly id: string;
  readonly cameraId: string;
  readonly record: SuppressedRecord;
}

/** Records and hourly counts of all cameras, on disk, within a budget.
 *  Invariants
 *  1. At most `budgetBytes` per camera, in whole blocks of the disk; the oldest go first.
 *  2. At most 24 records an hour per camera, 6 of one reason, a minute apart, also across restarts; counts are
 *     written at most every ten minutes. So a windy day neither fills the budget nor wears out the flash.
 *  3. A file has its whole content or another name: written beside, then renamed. What cannot be read is removed.
 *  4. No failure here reaches the recording: it is logged. */
export interface SuppressedStore {
  readonly name: string;
  start(): Promise<void>;
  /** Writes what is still in memory. */
  stop(): Promise<void>;
  /** Keeps a record, unless there are enough of its kind. */
  keep(cameraId: string, record: SuppressedRecord): void;
  /** Suppressed triggers of a camera since the agent's start, by reason. */
  count(cameraId: string, totals: Readonly<Record<string, number>>): void;
  /** Newest first. */
  list(query: { readonly limit: number; readonly cameraId?: string }): Promise<KeptRecord[]>;
  get(cameraId: string, id: string): Promise<KeptRecord | undefined>;
  /** Counts by hour, newest first. */
  hours(query: { readonly limit: number; readonly cameraId?: string }): HourOfCounts[];
  /** When everything handed over so far is written or given up. */
  settled(): Promise<void>;
}

export interface SuppressedStoreDeps {
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  readonly budgetBytes?: number;
}

const BUDGET_BYTES = 4 * 1024 * 1024;
/** A disk that refused a note is left alone for so long: a full one is no reason to fill the log. */
const AFTER_FAILURE_MS = 600_000;

export function createSuppressedStore(deps: SuppressedStoreDeps): SuppressedStore {
  const { dir, clock, log, budgetBytes = BUDGET_BYTES } = deps;
  const entries = createNoteEntries(clock);
  const files = createNoteFiles(dir);
  const counts = createHourlyCounts({ dir, clock });
  const queue = createWriteQueue(log);
  let refusedMs = Number.NEGATIVE_INFINITY;

  const writeCounts = () => queue.add('the counts could not be written', () => counts.write());

  async function makeRoom(cameraId: string): Promise<void> {
    const kept = entries.of(cameraId).sort(entries.byAge);
    let sum = kept.reduce((total, { bytes }) => total + blocks(bytes), 0);
    for (let oldest = kept[0]; oldest && sum > budgetBytes; oldest = kept[0]) {
      await files.remove(cameraId, oldest.id);
      sum -= blocks(oldest.bytes);
      entries.drop(cameraId, oldest.id);
    }
  }

  async function write(cameraId: string, entry: NoteEntry, text: string): Promise<void> {
    try {
      await files.makeFolder(cameraId);
      await makeRoom(cameraId);
      // It may have been the oldest of what fits.
      if (entries.of(cameraId).includes(entry)) await files.write(cameraId, entry.id, text);
    } catch (error) {
      entries.drop(cameraId, entry.id);
      refusedMs = clock.nowMs();
      throw error;
    }
  }

  async function read(cameraId: string, { id }: NoteEntry): Promise<KeptRecord | undefined> {
    const record = await files.read(cameraId, id);
    if (record === 'gone') return undefined;
    if (record !== 'unreadable') return { id, cameraId, record };
    const file = files.path(cameraId, id);
    log.warn({ event: 'suppressed.unreadable', file }, 'a note on why nothing was recorded is unreadable');
    entries.drop(cameraId, id);
    queue.add('an unreadable note could not be removed', () => files.remove(cameraId, id));
    return undefined;
  }

  return {
    name: 'suppressed',
    async start() {
      try {
        const cameras = await files.cameras();
        await counts.read();
        for (const cameraId of cameras) {
          for await (const entry of files.scan(cameraId)) entries.of(cameraId).push(entry);
          await makeRoom(cameraId);
        }
      } catch (error) {
        queue.complain('the notes of earlier days cannot be read', error);
      }
    },
    async stop() {
      writeCounts();
      await queue.settled();
    },
    keep(cameraId, record) {
      if (!CAMERA.test(cameraId) || !/^[a-z-]{1,40}$/.test(record.reason)) return;
      const kept = entries.of(cameraId);
      // A clock that was set back must not keep notes away for long.
      const refused = Math.abs(clock.nowMs() - refusedMs) < AFTER_FAILURE_MS;
      if (refused || queue.isFull() || isEnough(kept, record)) return;
      const id = `${String(record.atMs).padStart(13, '0')}-${record.reason}`;
      if (kept.some((entry) => entry.id === id)) return;
      const text = JSON.stringify(record);
      const bytes = Buffer.byteLength(text);
      if (blocks(bytes) > budgetBytes) return;
      const entry = { id, atMs: record.atMs, reason: record.reason, bytes };
      kept.push(entry);
      queue.add('a note could not be written', () => write(cameraId, entry, text));
    },
    count(cameraId, totals) {
      if (counts.add(cameraId, totals)) writeCounts();
    },
    async list({ limit, cameraId }) {
      const newest = entries
        .cameras()
        .filter((id) => cameraId === undefined || id === cameraId)
        .flatMap((id) => entries.of(id).map((entry) => ({ cameraId: id, entry })))
        .toSorted((a, b) => entries.byAge(b.entry, a.entry))
        .slice(0, limit);
      const found = await Promise.all(newest.map((one) => read(one.cameraId, one.entry)));
      return found.filter((one) => one !== undefined);
    },
    async get(cameraId, id) {
      if (!entries.cameras().includes(cameraId)) return undefined;
      const entry = entries.of(cameraId).find((one) => one.id === id);
      return entry && read(cameraId, entry);
    },
    hours: (query) => counts.hours(query),
    settled: () => queue.settled(),
  };
}
