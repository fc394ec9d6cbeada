import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';
import { createHourlyCounts, type HourOfCounts } from './counts.ts';
import type { SuppressedRecord } from './record.ts';

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

interface Entry {
  readonly id: string;
  readonly atMs: number;
  readonly reason: string;
  readonly bytes: number;
}

const BUDGET_BYTES = 4 * 1024 * 1024;
/** Larger than any note. */
const NOTE_MAX_BYTES = 1024 * 1024;
/** What a file really takes. */
const BLOCK_BYTES = 4_096;
const HOUR_MS = 3_600_000;
const PER_HOUR = 24;
const PER_HOUR_OF_REASON = 6;
const APART_MS = 60_000;
/** Waiting writes; more come only from a disk that does not answer. */
const MAX_QUEUED = 16;
/** A moment this far ahead was noted by a clock that has been set back since. */
const AHEAD_MS = 24 * HOUR_MS;
/** A disk that refused a note is left alone for so long: a full one is no reason to fill the log. */
const AFTER_FAILURE_MS = 600_000;
const FILE = /^(\d{13})-([a-z-]{1,40})\.json$/;
const CAMERA = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export function createSuppressedStore(deps: SuppressedStoreDeps): SuppressedStore {
  const { dir, clock, log, budgetBytes = BUDGET_BYTES } = deps;
  const cameras = new Map<string, Entry[]>();
  const counts = createHourlyCounts({ dir, clock });
  let queue: Promise<void> = Promise.resolve();
  let queued = 0;
  let refusedMs = Number.NEGATIVE_INFINITY;

  const fileOf = (cameraId: string, id: string) => join(dir, cameraId, `${id}.json`);

  function complain(what: string, error: unknown): void {
    const { kind, code } = classify(error, 'suppressed.store');
    if (kind === 'bug') throw error;
    log.warn({ event: 'suppressed.store', code, err: error }, `why nothing was recorded: ${what}`);
  }

  /** One write after the other. */
  function enqueue(what: string, work: () => Promise<void>): void {
    if (queued >= MAX_QUEUED) return;
    queued++;
    queue = queue
      .then(work)
      .catch((error: unknown) => complain(what, error))
      .finally(() => queued--);
  }

  function entriesOf(cameraId: string): Entry[] {
    const known = cameras.get(cameraId);
    if (known) return known;
    const fresh: Entry[] = [];
    cameras.set(cameraId, fresh);
    return fresh;
  }

  /** In place: a write that waits for the disk goes on with the same list. */
  function drop(cameraId: string, id: string): void {
    const entries = entriesOf(cameraId);
    const at = entries.findIndex((entry) => entry.id === id);
    if (at >= 0) entries.splice(at, 1);
  }

  /** Oldest first; what lies ahead of now is older than everything. */
  function byAge(a: Entry, b: Entry): number {
    const age = ({ atMs }: Entry) => (atMs > clock.nowMs() + AHEAD_MS ? 0 : atMs);
    return age(a) - age(b) || a.atMs - b.atMs;
  }

  async function makeRoom(cameraId: string): Promise<void> {
    const entries = entriesOf(cameraId).sort(byAge);
    let sum = entries.reduce((total, { bytes }) => total + blocks(bytes), 0);
    for (let oldest = entries[0]; oldest && sum > budgetBytes; oldest = entries[0]) {
      await rm(fileOf(cameraId, oldest.id), { force: true });
      sum -= blocks(oldest.bytes);
      drop(cameraId, oldest.id);
    }
  }

  async function readCamera(cameraId: string): Promise<void> {
    const entries = entriesOf(cameraId);
    for (const file of await readdir(join(dir, cameraId))) {
      const path = join(dir, cameraId, file);
      const [, at, reason] = FILE.exec(file) ?? [];
      const found = await stat(path);
      if (at === undefined || reason === undefined || !found.isFile() || found.size === 0)
        await rm(path, { force: true, recursive: true });
      else entries.push({ id: file.slice(0, -5), atMs: Number(at), reason, bytes: found.size });
    }
    await makeRoom(cameraId);
  }

  function isEnough(entries: readonly Entry[], { atMs, reason }: SuppressedRecord): boolean {
    const recent = entries.filter((entry) => entry.atMs <= atMs && atMs - entry.atMs < HOUR_MS);
    const alike = recent.filter((entry) => entry.reason === reason);
    return (
      recent.length >= PER_HOUR ||
      alike.length >= PER_HOUR_OF_REASON ||
      alike.some((entry) => atMs - entry.atMs < APART_MS)
    );
  }

  async function write(cameraId: string, entry: Entry, text: string): Promise<void> {
    await mkdir(join(dir, cameraId), { recursive: true, mode: 0o700 });
    await makeRoom(cameraId);
    // It may have been the oldest of what fits.
    if (!entriesOf(cameraId).includes(entry)) return;
    const file = fileOf(cameraId, entry.id);
    try {
      // Whatever stands there: to open a pipe is to wait for ever.
      await rm(`${file}.part`, { force: true, recursive: true });
      await writeFile(`${file}.part`, text, { mode: 0o600, flag: 'wx' });
      await rename(`${file}.part`, file);
    } catch (error) {
      // What a full disk took of it counts for nobody's budget.
      await rm(`${file}.part`, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async function read(cameraId: string, { id }: Entry): Promise<KeptRecord | undefined> {
    const file = fileOf(cameraId, id);
    // Only now: a camera's process, which only writes notes, would load the contracts for it.
    const { suppressedRecordIn } = await import('./read.ts');
    try {
      const record = suppressedRecordIn(readSmallText(file, NOTE_MAX_BYTES));
      if (record) return { id, cameraId, record };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (!(error instanceof Failure)) throw error;
    }
    log.warn({ event: 'suppressed.unreadable', file }, 'a note on why nothing was recorded is unreadable');
    forget(cameraId, id);
    return undefined;
  }

  function forget(cameraId: string, id: string): void {
    drop(cameraId, id);
    enqueue('an unreadable note could not be removed', () => rm(fileOf(cameraId, id), { force: true }));
  }

  const asked = (cameraId: string | undefined) =>
    cameraId === undefined ? [...cameras.keys()] : cameras.has(cameraId) ? [cameraId] : [];

  return {
    name: 'suppressed',
    async start() {
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        await counts.read();
        for (const entry of await readdir(dir, { withFileTypes: true }))
          if (entry.isDirectory() && CAMERA.test(entry.name)) await readCamera(entry.name);
      } catch (error) {
        complain('the notes of earlier days cannot be read', error);
      }
    },
    async stop() {
      enqueue('the counts could not be written', () => counts.write());
      await queue;
    },
    keep(cameraId, record) {
      if (!CAMERA.test(cameraId) || !/^[a-z-]{1,40}$/.test(record.reason)) return;
      const entries = entriesOf(cameraId);
      // A clock that was set back must not keep notes away for long.
      const refused = Math.abs(clock.nowMs() - refusedMs) < AFTER_FAILURE_MS;
      if (refused || queued >= MAX_QUEUED || isEnough(entries, record)) return;
      const id = `${String(record.atMs).padStart(13, '0')}-${record.reason}`;
      if (entries.some((entry) => entry.id === id)) return;
      const text = JSON.stringify(record);
      const bytes = Buffer.byteLength(text);
      if (blocks(bytes) > budgetBytes) return;
      const entry = { id, atMs: record.atMs, reason: record.reason, bytes };
      entries.push(entry);
      enqueue('a note could not be written', async () => {
        try {
          await write(cameraId, entry, text);
        } catch (error) {
          drop(cameraId, id);
          refusedMs = clock.nowMs();
          throw error;
        }
      });
    },
    count(cameraId, totals) {
      if (!counts.add(cameraId, totals)) return;
      enqueue('the counts could not be written', () => counts.write());
    },
    async list({ limit, cameraId }) {
      const newest = asked(cameraId)
        .flatMap((id) => entriesOf(id).map((entry) => ({ cameraId: id, entry })))
        .toSorted((a, b) => byAge(b.entry, a.entry))
        .slice(0, limit);
      const found = await Promise.all(newest.map((one) => read(one.cameraId, one.entry)));
      return found.filter((one) => one !== undefined);
    },
    async get(cameraId, id) {
      const entry = cameras.get(cameraId)?.find((one) => one.id === id);
      return entry && read(cameraId, entry);
    },
    hours: (query) => counts.hours(query),
    async settled() {
      await queue;
    },
  };
}

const blocks = (bytes: number) => Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
