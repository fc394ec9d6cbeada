import { basename } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Budget } from '../disk/budget.ts';
import {
  CAMERA_ID,
  cameraDir,
  clipPlaces,
  clipsDir,
  ensureCameraFolder,
  entryAt,
  nameAsFinished,
  sha256Of,
  sizeOf,
  type WrittenClip,
} from './clip-files.ts';
import type { ClipsRoot } from './clips-root.ts';
import { LAST_MS, nextClipId } from './clip-id.ts';
import type { Clip, ClipRow, ClipRows } from './clip-rows.ts';
import type { Database } from '../database/database.ts';
import { nextState } from './clip-states.ts';
import { enterClip } from './entering.ts';
import type { Outbox } from '../queues/outbox.ts';
import type { Quarantine } from '../disk/quarantine.ts';
import type { Removal } from '../disk/removal.ts';
import { clipTotals, foldedClips } from './totals.ts';

/** A clip with a file in one of these states is nowhere else. */
const ONLY_HERE: ReadonlySet<ClipRow['state']> = new Set(['recording', 'sealed', 'uploading', 'parked']);

export interface LedgerSummary {
  readonly clips: number;
  readonly waiting: number;
  readonly awaitingVerdict: number;
  /** Of clips on this disk. */
  readonly bytes: number;
  /** Of those, what is not in Blob Storage: giving it up would lose it. */
  readonly bytesOnlyHere: number;
  /** Wall time, Unix milliseconds, at which the clip was triggered that waits longest for its upload. */
  readonly oldestWaitingMs: number | null;
  /** Events that wait for the hub. */
  readonly outgoing: number;
  /** Events that went unsent because too many waited, since the ledger was made. */
  readonly eventsDropped: number;
}

/** Clips, one by one and together. */
export interface Clips {
  /** A row in state `recording` and the folder of its file. Persisted before the first byte is written.
   *  @throws Failure `exhausted` when the byte budget is spent on clips that may not be deleted. */
  readonly openClip: (request: {
    cameraId: string;
    triggeredMs: number;
    clockQuality: Clip['clockQuality'];
    /** What triggered it, for the line of custody. */
    detail?: string;
  }) => Clip;
  /** The blob is not in storage any more although the row said so: upload it again. Also for a parked clip.
   *  Lost, with the reason, when its file is gone here too; unchanged while the folder of its files is away, or when
   *  something else has happened to it while its file was read. */
  readonly returnToQueue: (clipId: string, reason: string) => Promise<void>;
  /** Clips uploaded at least `ageMs` ago that have no verdict. In the order of their ids: the first ones `after` an id,
   *  oldest first, or the last ones `before` one, newest first. */
  readonly awaitingVerdict: (
    ageMs: number,
    limit: number,
    from?: { readonly after: string } | { readonly before: string },
  ) => Clip[];
  /** Undefined also for one of long ago, of which only totals are kept. */
  readonly clip: (clipId: string) => Clip | undefined;
  /** Newest first. */
  readonly clips: (query: { limit: number; beforeClipId?: string }) => Clip[];
  /** Totals for the status page and the cloud; clips of long ago count, though their rows are gone. */
  readonly summary: () => LedgerSummary;
}

export interface ClipRepository extends Clips {
  readonly seal: (clipId: string, written: WrittenClip, detail: string | null) => ClipRow;
  readonly lose: (clipId: string, reason: string) => void;
  readonly forgetFile: (clipId: string, reason: string) => void;
  readonly relink: (clipId: string, reason: string) => void;
}

export interface ClipRepositoryDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly outbox: Pick<Outbox, 'count' | 'dropped'>;
  readonly budget: Pick<Budget, 'makeRoom'>;
  readonly removal: Pick<Removal, 'remove'>;
  readonly quarantine: Pick<Quarantine, 'setAside'>;
  readonly root: Pick<ClipsRoot, 'away'>;
  /** Whether the files of a camera were away as a whole at the last look. */
  readonly isAway: (cameraId: string) => boolean;
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: ((bytes: number) => Uint8Array) | undefined;
}

/** Opens, seals and gives up clips; answers questions about them. */
export function createClipRepository({
  db,
  rows,
  outbox,
  budget,
  removal,
  quarantine,
  root,
  isAway,
  dir,
  clock,
  log,
  random,
}: ClipRepositoryDeps): ClipRepository {
  const newestFirst = db.prepare<[string, number], ClipRow>(
    'SELECT * FROM clips WHERE clip_id < ? ORDER BY clip_id DESC LIMIT ?',
  );
  // An upload later than now tells of a clock that was set back: old enough.
  const unjudged = (place: string, order: string) =>
    db.prepare<[string, number, number, number], ClipRow>(
      `SELECT * FROM clips INDEXED BY clips_by_state
       WHERE state = 'uploaded' AND ${place} AND (uploaded_ms <= ? OR uploaded_ms > ?) ORDER BY ${order} LIMIT ?`,
    );
  const someUnjudged = (place: string) =>
    db.prepare<[number], 1>(
      `SELECT 1 FROM clips INDEXED BY clips_by_age WHERE state = 'uploaded' AND ${place} LIMIT 1`,
    );
  const someBy = someUnjudged('uploaded_ms <= ?');
  const someLater = someUnjudged('uploaded_ms > ?');
  const unjudgedAfter = unjudged('clip_id > ?', 'clip_id');
  const unjudgedBefore = unjudged('clip_id < ?', 'clip_id DESC');
  const totals = clipTotals(db);
  const folded = foldedClips(db);
  const longestWaiting = db
    .prepare<[], number | null>(
      `SELECT triggered_ms FROM clips WHERE clip_id = (SELECT min(clip_id) FROM (
         SELECT min(clip_id) AS clip_id FROM clips WHERE state = 'sealed'
         UNION ALL SELECT min(clip_id) FROM clips WHERE state = 'uploading'))`,
    )
    .pluck();

  const placesOf = (row: ClipRow) => clipPlaces(dir, row.camera_id, row.clip_id);
  const inTransaction = <T>(work: () => T): T => db.transaction(work).immediate();

  function lose(clipId: string, reason: string): void {
    const row = rows.require(clipId);
    // A move that the table does not have is refused before anything is removed.
    nextState(clipId, row.state, 'lose');
    const places = placesOf(row);
    const isGone = [places.file, places.partFile].every((path) => entryAt(path).kind === 'none');
    if (isGone) {
      const change = { on_disk: 0, reason, lease_until: null, retry_at: null } as const;
      inTransaction(() => rows.move(clipId, 'lose', reason, change));
    } else for (const { failure } of removal.remove([row], reason, 'lose').kept) throw failure;
    log.warn({ event: 'clip.lost', clipId, reason }, 'clip lost');
  }

  /** Nothing can be told of its file. */
  function filesAreAway(row: ClipRow): boolean {
    if (root.away() !== undefined || isAway(row.camera_id)) return true;
    // Without a file no folder need be there.
    const folder = row.on_disk === 1 ? cameraDir(dir, row.camera_id) : clipsDir(dir);
    return entryAt(folder).kind === 'none';
  }

  async function isWhole(row: ClipRow): Promise<boolean> {
    const { file } = placesOf(row);
    const bytes = sizeOf(file);
    return bytes !== undefined && bytes === row.bytes && (await sha256Of(file)) === row.sha256;
  }

  /** Moves what stands in place of a clip away. @returns the sentence that tells of it */
  function setAside(row: ClipRow): string | undefined {
    const { file, partFile } = placesOf(row);
    const lies = [file, partFile]
      .filter((path) => entryAt(path).kind !== 'none')
      .map((path) => quarantine.setAside(path, row.camera_id, basename(path)));
    if (lies.length === 0) return undefined;
    const detail = `what stands under its name is not the clip; it lies in ${lies.join(', ')} now`;
    inTransaction(() => rows.note(row.clip_id, 'set-aside', detail));
    return detail;
  }

  return {
    openClip({ cameraId, triggeredMs, clockQuality, detail }) {
      if (!CAMERA_ID.test(cameraId))
        throw new Failure('bug', 'ledger.camera-id', `"${cameraId}" cannot be a camera's name`);
      if (!(triggeredMs >= 0 && triggeredMs <= LAST_MS))
        throw new Failure('bug', 'ledger.time', `a clip cannot be triggered at ${triggeredMs}`);
      const away = root.away();
      if (away !== undefined) throw new Failure('exhausted', 'ledger.clips-away', away);
      budget.makeRoom(cameraId);
      ensureCameraFolder(dir, cameraId, (path) => {
        const at = quarantine.setAside(path, 'in-place-of', basename(path));
        log.error({ event: 'clips.set-aside', path, at }, 'a file stood in place of a folder of clips');
      });
      const triggered_ms = Math.round(triggeredMs);
      const clipId = inTransaction(() => {
        const clip_id = nextClipId({
          last: rows.lastClipId(),
          // Not of now: the id tells the day in its blob's name to whoever finds the file without its row.
          nowMs: triggered_ms,
          isTaken: (id) => rows.get(id) !== undefined || rows.folded(id) !== undefined,
          ...(random ? { random } : {}),
        });
        enterClip(
          rows,
          { clipId: clip_id, cameraId, triggeredMs: triggered_ms, clockQuality },
          detail ?? null,
        );
        return clip_id;
      });
      return rows.toClip(rows.require(clipId));
    },

    /** Procedure (the writer has fsynced and closed the part file):
     *  1. compare its size with what the writer says
     *  2. rename `.mp4.part` to `.mp4`
     *  3. fsync the folder
     *  4. commit the row `sealed` (synchronous=FULL)
     *  A cut before 2 leaves `recording` and a part file, which is whole: the check cuts nothing off and seals it.
     *  A cut between 2 and 4 leaves `recording` and either name: the check looks for both. After 4 it is done. */
    seal(clipId, written, detail) {
      const row = rows.require(clipId);
      if (row.state === 'sealed' && row.sha256 === written.sha256) return row;
      const places = placesOf(row);
      const size = sizeOf(places.partFile) ?? sizeOf(places.file);
      if (size !== written.bytes)
        throw new Failure(
          'corrupt',
          'ledger.seal-size',
          `clip ${clipId} was written as ${written.bytes} bytes, but its file has ${size ?? 'gone'}`,
        );
      nameAsFinished(places);
      return inTransaction(() =>
        rows.move(clipId, 'seal', detail, {
          started_ms: Math.round(written.startedMs),
          pre_roll_ms: Math.round(written.preRollMs),
          duration_ms: Math.round(written.durationMs),
          bytes: written.bytes,
          sha256: written.sha256,
          sealed_ms: Math.round(clock.nowMs()),
        }),
      );
    },

    lose,
    forgetFile: (clipId, reason) =>
      inTransaction(() => void rows.move(clipId, 'unlink', reason, { on_disk: 0 })),

    relink: (clipId, reason) => inTransaction(() => void rows.move(clipId, 'relink', reason, { on_disk: 1 })),

    async returnToQueue(clipId, reason) {
      const row = rows.require(clipId);
      nextState(clipId, row.state, 'requeue');
      if (filesAreAway(row)) {
        log.warn({ event: 'clip.requeue-waits', clipId, reason }, 'the folder of its files is away');
        return;
      }
      const whole = await isWhole(row);
      // Its verdict came, or an operator asked for it, while the file was read.
      if (rows.get(clipId)?.state !== row.state) return;
      if (!whole) {
        const lies = setAside(row);
        lose(clipId, `${reason}; ${lies ?? 'the file on this disk had been removed'}`);
        return;
      }
      inTransaction(() =>
        rows.move(clipId, 'requeue', reason, {
          ...{ blob_url: null, uploaded_ms: null, retry_at: null, on_disk: 1 },
          reason,
        }),
      );
      log.warn({ event: 'clip.requeued', clipId, reason }, 'clip returned to the upload queue');
    },

    clip(clipId) {
      const row = rows.get(clipId);
      return row && rows.toClip(row);
    },
    // '~' sorts behind every character of a clip id.
    clips: ({ limit, beforeClipId = '~' }) => newestFirst.all(beforeClipId, limit).map(rows.toClip),
    awaitingVerdict(ageMs, limit, from = { after: '' }) {
      const now = Math.round(clock.nowMs());
      // While all are too young, none is looked at: there may be many.
      if (someBy.get(now - ageMs) === undefined && someLater.get(now) === undefined) return [];
      const found =
        'after' in from
          ? unjudgedAfter.all(from.after, now - ageMs, now, limit)
          : unjudgedBefore.all(from.before, now - ageMs, now, limit);
      return found.map(rows.toClip);
    },

    summary() {
      const all = totals();
      const clips = (...states: ClipRow['state'][]) =>
        all.reduce((sum, row) => sum + (states.includes(row.state) ? row.clips : 0), 0);
      const onDisk = all.filter((row) => row.onDisk === 1);
      return {
        clips: all.reduce((sum, row) => sum + row.clips, folded()),
        waiting: clips('sealed', 'uploading'),
        awaitingVerdict: clips('uploaded'),
        bytes: onDisk.reduce((sum, { bytes }) => sum + bytes, 0),
        bytesOnlyHere: onDisk
          .filter(({ state }) => ONLY_HERE.has(state))
          .reduce((sum, { bytes }) => sum + bytes, 0),
        oldestWaitingMs: longestWaiting.get() ?? null,
        outgoing: outbox.count(),
        eventsDropped: outbox.dropped(),
      };
    },
  };
}
