import { classify } from '../../kernel/classify.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { clipPaths, entryAt, isOfSystem, requireRemovable, unlinkClip } from '../clips/clip-files.ts';
import type { ClipRow, ClipRows, CustodyRow } from '../clips/clip-rows.ts';
import { dropThumbnail } from '../clips/thumbnails.ts';
import { prepareRows } from '../database/row-checksum.ts';
import { type Database, emptyLog } from '../database/database.ts';
import type { DiskReserve } from './disk-reserve.ts';
import type { GoneJournal } from './gone-journal.ts';
import { nextState } from '../clips/clip-states.ts';

/** Custody: the file is about to go, and why. */
const INTENT = 'remove';
/** Custody: it did not go, and why. */
const NOT_GONE = 'kept';

interface Kept {
  readonly row: ClipRow;
  readonly failure: Failure;
}

export interface Removed {
  readonly gone: readonly ClipRow[];
  readonly kept: readonly Kept[];
  /** Bytes of the files that went. */
  readonly bytes: number;
}

export interface Announced extends Pick<Removed, 'kept'> {
  readonly clips: readonly ClipRow[];
  readonly why: string;
  readonly end: RemovalEnd;
}

export type RemovalEnd = 'room' | 'lose';

export interface Removal {
  /** Removes the files of some clips, at most a step's worth, and says so in their rows.
   *  @param end `room`: clips in Blob Storage answer for no file any more, others are lost; what was never uploaded
   *  and is not there was not removed by us and stays · `lose`: they are lost, whatever there is of a file
   *  @throws Failure when the ledger cannot be written; what was removed is said in its row later */
  remove(clips: readonly ClipRow[], why: string, end: RemovalEnd): Removed;
  /** The same in two steps, so that the event loop can turn between them: a commit, and files with another commit. */
  announce(clips: readonly ClipRow[], why: string, end: RemovalEnd): Announced;
  carryOut(announced: Announced): Removed;
  /** Says in their rows what had gone when the ledger could not be written. */
  finish(): void;
}

export const isInStorage = ({ state }: Pick<ClipRow, 'state'>) => state === 'uploaded' || state === 'judged';

/** The one way in which files of clips are removed.
 *  Procedure: 1. files that cannot be removed are left out 2. the rows of all others, as they will be, are noted beside
 *  the database 3. a line of custody says why, and is in the database itself, as is all that happened to these clips
 *  before 4. they go 5. the rows say `lost`, or that they answer for no file any more.
 *  Invariants
 *  1. A row that says `lost` has no file: one whose file does not go stays as it was, with a line of custody.
 *  2. Cut between 3 and 5 the check finds a file that is still there and keeps it, or none and the reason for it.
 *     Folders are not synced: a file that a power cut brings back is taken up again, or goes again.
 *  3. A log that is damaged later cannot take a row back to a time at which its file was there.
 *  4. Whatever becomes of the database, what the clip was stands in the backup or in the notes. */
// oxlint-disable-next-line max-lines-per-function -- the steps of one procedure in their order, around `unsaid`, which each of them reads or settles
export function createRemoval(deps: {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly reserve: Pick<DiskReserve, 'pay'>;
  readonly gone: Pick<GoneJournal, 'write'>;
  readonly log: Log;
}): Removal {
  const { db, rows, dir, reserve, gone, log } = deps;
  /** Gone, but the row does not say so yet. */
  const unsaid = new Map<string, { readonly why: string; readonly end: RemovalEnd }>();
  const inTransaction = <T>(work: () => T): T => reserve.pay(() => db.transaction(work).immediate());

  function requireFile(row: ClipRow, end: RemovalEnd): void {
    const places = clipPaths(dir, row.camera_id, row.clip_id);
    if (end === 'room' && !isInStorage(row) && entryAt(places.file).kind === 'none')
      throw new Failure('transient', 'ledger.missing', 'its file is not there');
    requireRemovable(places);
  }

  /** What becomes of a row when its file is gone. */
  const endOf = (row: ClipRow, { why, end }: { readonly why: string; readonly end: RemovalEnd }) =>
    end === 'room' && isInStorage(row)
      ? ({ event: 'unlink', change: { on_disk: 0 } } as const)
      : ({ event: 'lose', change: { on_disk: 0, reason: why, lease_until: null, retry_at: null } } as const);

  /** The row may have gone on since: then it is no longer ours to say. */
  function say(): void {
    for (const [clipId, told] of unsaid) {
      const row = rows.get(clipId);
      if (!row || (told.end === 'room' && row.on_disk === 0) || row.state === 'lost') continue;
      const { event, change } = endOf(row, told);
      rows.move(clipId, event, told.why, change);
    }
  }

  function asGone(row: ClipRow, told: { readonly why: string; readonly end: RemovalEnd }): ClipRow {
    const { event, change } = endOf(row, told);
    return { ...row, ...change, state: nextState(row.clip_id, row.state, event) };
  }

  function finish(): void {
    if (unsaid.size === 0) return;
    inTransaction(say);
    unsaid.clear();
  }

  /** @returns clips for which the work could be done; the others are added to `kept` */
  function each(clips: readonly ClipRow[], kept: Kept[], work: (row: ClipRow) => void): ClipRow[] {
    return clips.filter((row) => {
      try {
        work(row);
        return true;
      } catch (error) {
        if (!(error instanceof Failure || isOfSystem(error))) throw error;
        kept.push({ row, failure: classify(error, 'ledger.remove') });
        return false;
      }
    });
  }

  function announce(clips: readonly ClipRow[], why: string, end: RemovalEnd): Announced {
    finish();
    const kept: Kept[] = [];
    const announced = each(clips, kept, (row) => requireFile(row, end));
    if (announced.length > 0) {
      const ends = announced.map((row) => asGone(row, { why, end }));
      reserve.pay(() => gone.write(ends));
      inTransaction(() => {
        for (const { clip_id } of announced) rows.note(clip_id, INTENT, why);
      });
      settleInDatabase();
    }
    return { clips: announced, kept, why, end };
  }

  /** A disk that takes the commit and not this keeps no file from making room: only a log that is damaged as well would
   *  tell. */
  function settleInDatabase(): void {
    try {
      reserve.pay(() => emptyLog(db));
    } catch (error) {
      const { code, message } = classify(error, 'ledger.remove');
      log.warn({ event: 'ledger.log-not-emptied', code }, message);
    }
  }

  function carryOut({ clips, kept: before, why, end }: Announced): Removed {
    // Leased, or gone on otherwise, since it was announced: its history goes on with that.
    const still = clips.filter((row) => {
      const now = rows.get(row.clip_id);
      return now?.state === row.state && now.on_disk === row.on_disk;
    });
    const kept: Kept[] = [];
    let bytes = 0;
    const gone = each(still, kept, (row) => {
      const places = clipPaths(dir, row.camera_id, row.clip_id);
      bytes += unlinkClip(places);
      dropThumbnail(places.file);
    });
    if (still.length === 0) return { gone, kept: before, bytes };
    for (const { clip_id } of gone) unsaid.set(clip_id, { why, end });
    inTransaction(() => {
      for (const { row, failure } of kept)
        rows.note(row.clip_id, NOT_GONE, `not removed: ${failure.message}`);
      say();
    });
    unsaid.clear();
    return { gone, kept: [...before, ...kept], bytes };
  }

  return { finish, announce, carryOut, remove: (...args) => carryOut(announce(...args)) };
}

/** @returns why a file that is missing was removed by us; undefined when it was not */
export function intentsIn(db: Database): (clipId: string) => string | undefined {
  const last = prepareRows<[string], CustodyRow>(
    db,
    'custody',
    'SELECT * FROM custody WHERE clip_id = ? ORDER BY seq DESC LIMIT 1',
  );
  return (clipId) => {
    const entry = last.get(clipId);
    return entry?.event === INTENT ? (entry.detail ?? 'removed') : undefined;
  };
}
