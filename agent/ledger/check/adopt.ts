import { classify } from '../../kernel/classify.ts';
import type { clockQuality as systemClockQuality } from '../../kernel/clock-quality.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import {
  CAMERA_ID,
  clipPlaces,
  entryAt,
  type FoundFile,
  noClipBecause,
  sha256Of,
  sizeOf,
  type WrittenClip,
} from '../clips/clip-files.ts';
import { holdsNothing } from '../clips/clip-content.ts';
import { LAST_MS, isOwnClipId, timeOfClipId } from '../clips/clip-id.ts';
import { clipFilesIn } from './clip-survey.ts';
import type { ClipRow, ClipRows } from '../clips/clip-rows.ts';
import { enterClip } from '../clips/entering.ts';
import { type Database, isOfDatabase } from '../database/database.ts';
import { TAKEN_OVER } from '../care/rebuild.ts';
import { UNVERIFIED } from '../care/rebuilt-facts.ts';
import { estimatedTimes, type RecoveryDeps } from '../clips/recovery.ts';

/** A file written so long before its id was given: the id carries the time of an earlier one, given by a clock that
 *  has been set back since. A file that looks younger than its id has been copied. */
const BEFORE_ID_MS = 60 * 60_000;
/** An id may be ahead of a clock that is right by so much. */
const AHEAD_MS = 24 * 60 * 60_000;
/** Files looked at before others get their turn. */
const AT_ONCE = 100;

export interface Adoption {
  /** Compares the files of rows that were taken over from a damaged ledger, and takes up clip files that no row
   *  answers for. One file that cannot be read keeps no other one waiting. Never throws for one.
   *  @returns files that could not be taken up now, and may be later, by path: why */
  run(): Promise<ReadonlyMap<string, string>>;
}

export interface AdoptionDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly log: Log;
  readonly recoverTorn: RecoveryDeps['recoverTorn'];
  readonly seal: (clipId: string, written: WrittenClip, detail: string) => void;
  readonly lose: (clipId: string, reason: string) => void;
  /** Its row comes from who writes it. */
  readonly isWriting: (clipId: string) => boolean;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly clockQuality: typeof systemClockQuality;
  readonly breathe: Breathe;
}

/** Brings rows and files together again after the database has lost rows, by damage or with its WAL.
 *  Invariants
 *  1. A file that is taken up has the name of a clip, lies in the folder of a camera, and can be played. A part file in
 *     which nothing is gets a row that says `lost`, and goes. Any other one is left to the check, also one whose id
 *     carries a time that is to come. One that cannot be read now stays where it is, and is tried again with the next
 *     check.
 *  2. Its blob name is the one it had: the day of its trigger is the day of its id. What had been uploaded is therefore
 *     found in storage by name, size and checksum, and not uploaded again.
 *  3. Custody says that the row was made from the file. */
// oxlint-disable-next-line max-lines-per-function -- one run over the files without a row: which they are, what each becomes, and what the rows taken over say, under one rule for errors
export function createAdoption(deps: AdoptionDeps): Adoption {
  const { db, rows, dir, log, recoverTorn, seal, lose, isWriting, breathe, clock, clockQuality } = deps;
  const inTransaction = <T>(work: () => T): T => db.transaction(work).immediate();

  async function eachApart<T>(
    items: Iterable<T> | AsyncIterable<T>,
    idOf: (item: T) => string,
    work: (item: T) => Promise<void>,
    failed: (item: T, message: string) => void = () => undefined,
  ) {
    let seen = 0;
    for await (const item of items) {
      if (++seen % AT_ONCE === 0) await breathe();
      try {
        await work(item);
      } catch (error) {
        const failure = classify(error, 'ledger.adopt');
        const { code, message } = failure;
        if (!db.open || code === 'ledger.closed') return;
        if (isOfDatabase(failure)) throw failure;
        log.error({ event: 'clip.not-adopted', clipId: idOf(item), code }, message);
        failed(item, message);
      }
    }
  }

  /** A row that says what can be known without the lost one. */
  function beginAnew(file: FoundFile, triggeredMs: number, detail: string): void {
    const { clipId, cameraId } = file;
    // Nobody knows any more how right the clock was.
    const clip = { clipId, cameraId, triggeredMs, clockQuality: 'unsynchronised' } as const;
    inTransaction(() => enterClip(rows, clip, detail));
  }

  /** An id of a time that is to come would make all that follow carry it, too. */
  function isPlausible(clipId: string): boolean {
    if (!isOwnClipId(clipId)) return false;
    const now = clock.nowMs();
    const latestMs = clockQuality(now) === 'synchronised' ? now + AHEAD_MS : LAST_MS;
    return timeOfClipId(clipId) <= Math.min(latestMs, LAST_MS);
  }

  /** The files that may be taken up. Those of one id follow each other, the largest first: the first one that can be
   *  played is the clip. Otherwise the smaller ones come first, which keep nobody waiting. */
  async function rowless(notYet: Map<string, string>): Promise<FoundFile[]> {
    const byId = new Map<string, { file: FoundFile; bytes: number }[]>();
    let looked = 0;
    for await (const file of clipFilesIn(dir)) {
      if (++looked % AT_ONCE === 0) await breathe();
      const { clipId, cameraId, path } = file;
      if (!isPlausible(clipId) || !CAMERA_ID.test(cameraId)) continue;
      if (rows.get(clipId) || rows.folded(clipId)) continue;
      try {
        const entry = entryAt(path);
        if (entry.kind !== 'file' || noClipBecause(entry) !== undefined) continue;
        byId.set(clipId, [...(byId.get(clipId) ?? []), { file, bytes: entry.bytes }]);
      } catch (error) {
        const { code, message } = classify(error, 'ledger.adopt');
        log.error({ event: 'clip.not-adopted', clipId, code }, message);
        notYet.set(path, message);
      }
    }
    return [...byId.values()]
      .map((files) => files.toSorted((a, b) => b.bytes - a.bytes))
      .toSorted(([a], [b]) => (a?.bytes ?? 0) - (b?.bytes ?? 0))
      .flatMap((files) => files.map(({ file }) => file));
  }

  async function adopt(file: FoundFile): Promise<void> {
    const { clipId, cameraId, path } = file;
    if (rows.get(clipId) || rows.folded(clipId) || isWriting(clipId)) return;
    const entry = entryAt(path);
    if (entry.kind !== 'file') return;
    const idMs = timeOfClipId(clipId);
    const { mtimeMs } = entry;
    const torn = await recoverTorn(path);
    if (rows.get(clipId)) return;
    if (torn === undefined) {
      if (await isUnbegun(file)) {
        beginAnew(file, idMs, 'its part file was found, but no row: the row was made from the file');
        lose(clipId, 'the writer ended before a playable fragment was on disk');
      }
      return;
    }
    const triggered_ms = Math.round(
      mtimeMs >= idMs - BEFORE_ID_MS ? idMs : Math.max(0, mtimeMs - torn.durationMs),
    );
    beginAnew(file, triggered_ms, 'its file was found, but no row: the row was made from the file');
    const written = { ...torn, ...estimatedTimes({ triggered_ms }, torn, mtimeMs) };
    const detail = ['times are estimated from the file', torn.detail].filter(Boolean).join(': ');
    seal(clipId, written, detail);
    log.warn({ event: 'clip.adopted', clipId, cameraId }, 'a clip file without a row was taken up');
  }

  /** A recording that ended before anything of it was on disk, and nothing else of that clip. */
  async function isUnbegun({ clipId, cameraId, path }: FoundFile): Promise<boolean> {
    const places = clipPlaces(dir, cameraId, clipId);
    return path === places.partFile && entryAt(places.file).kind === 'none' && (await holdsNothing(path));
  }

  /** Size or checksum in a row that was taken over may be what was damaged. When both are another one's than the
   *  file's, it is the file. */
  async function verify(row: ClipRow): Promise<void> {
    const { file } = clipPlaces(dir, row.camera_id, row.clip_id);
    const bytes = sizeOf(file);
    if (bytes === undefined) return;
    const sha256 = await sha256Of(file);
    if ((sha256 === row.sha256) === (bytes === row.bytes)) return;
    const detail = 'its size or checksum was damaged in the ledger, and was taken from the file';
    inTransaction(() => {
      db.prepare('UPDATE clips SET sha256 = ?, bytes = ? WHERE clip_id = ?').run(sha256, bytes, row.clip_id);
      rows.note(row.clip_id, TAKEN_OVER, detail);
      if (rows.require(row.clip_id).state === 'parked')
        rows.move(row.clip_id, 'requeue', detail, { retry_at: null, reason: detail });
    });
  }

  return {
    async run() {
      const unverified = db.prepare<[string], number>('SELECT value FROM facts WHERE name = ?').pluck();
      if (unverified.get(UNVERIFIED) === 1) {
        const finished = db.prepare<[], ClipRow>(
          "SELECT * FROM clips WHERE on_disk = 1 AND state NOT IN ('recording', 'lost')",
        );
        await eachApart(finished.all(), (row) => row.clip_id, verify);
        await breathe();
        db.prepare('DELETE FROM facts WHERE name = ?').run(UNVERIFIED);
      }
      const notYet = new Map<string, string>();
      await eachApart(
        await rowless(notYet),
        ({ clipId }) => clipId,
        adopt,
        ({ path }, message) => notYet.set(path, message),
      );
      return notYet;
    },
  };
}
