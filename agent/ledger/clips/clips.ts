import { basename } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Budget } from '../disk/budget.ts';
import {
  CAMERA_ID,
  clipPaths,
  ensureCameraFolder,
  isOfSystem,
  entryAt,
  nameAsFinished,
  sizeOf,
  type WrittenClip,
} from './clip-files.ts';
import type { ClipsRoot } from './clips-root.ts';
import { LAST_MS, nextClipId } from './clip-id.ts';
import type { Clip, ClipRow, ClipRows } from './clip-rows.ts';
import type { Database } from '../database/database.ts';
import { type ClipQueries, createClipQueries } from './clip-queries.ts';
import { nextState } from './clip-states.ts';
import { createRequeue } from './repair/requeue.ts';
import { enterClip } from './entering.ts';
import { dropThumbnail } from './thumbnails.ts';
import type { Outbox } from '../queues/outbox.ts';
import type { Quarantine } from '../disk/quarantine.ts';
import type { Removal } from '../disk/removal.ts';

/** Clips, one by one and together. */
export interface Clips extends ClipQueries {
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
  readonly root: Pick<ClipsRoot, 'away' | 'remember'>;
  /** Whether the files of a camera were away as a whole at the last look. */
  readonly isAway: (cameraId: string) => boolean;
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: ((bytes: number) => Uint8Array) | undefined;
}

/** Opens, seals and gives up clips; answers questions about them. */
export function createClipRepository(deps: ClipRepositoryDeps): ClipRepository {
  const { db, rows, outbox, budget, removal, quarantine, root, isAway, dir, clock, log, random } = deps;
  const queries = createClipQueries({ db, rows, outbox, clock });
  const pathsOf = (row: ClipRow) => clipPaths(dir, row.camera_id, row.clip_id);
  const inTransaction = <T>(work: () => T): T => db.transaction(work).immediate();

  function lose(clipId: string, reason: string): void {
    const row = rows.require(clipId);
    // A move that the table does not have is refused before anything is removed.
    nextState(clipId, row.state, 'lose');
    const places = pathsOf(row);
    const isGone = [places.file, places.partFile].every((path) => entryAt(path).kind === 'none');
    if (isGone) {
      const change = { on_disk: 0, reason, lease_until: null, retry_at: null } as const;
      inTransaction(() => rows.move(clipId, 'lose', reason, change));
      dropThumbnail(places.file);
    } else for (const { failure } of removal.remove([row], reason, 'lose').kept) throw failure;
    log.warn({ event: 'clip.lost', clipId, reason }, 'clip lost');
  }

  return {
    ...queries,
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
      try {
        // Not only at the next upkeep: a ledger that cannot be opened from now on has recordings in this folder.
        root.remember();
      } catch (error) {
        // No reason to refuse a recording; upkeep tries it again, and says what is wrong.
        if (!isOfSystem(error)) throw error;
      }
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
      const places = pathsOf(row);
      const size = sizeOf(places.partFile) ?? sizeOf(places.file);
      if (size !== written.bytes)
        throw new Failure(
          'corrupt',
          'ledger.seal-size',
          `clip ${clipId} was written as ${written.bytes} bytes, but its file ${size === undefined ? 'is gone' : `has ${size} bytes`}`,
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

    returnToQueue: createRequeue({ db, rows, quarantine, root, isAway, lose, dir, log }),
  };
}
