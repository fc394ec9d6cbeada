import { systemClock } from '../../kernel/clock.ts';
import { createBreathe } from '../breathe.ts';
import { type CheckReport, checkLedger, reportOf } from './check.ts';
import { clipPaths, entryAt } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import { openToLook } from '../database/database.ts';
import { foldedIn } from '../clips/folded-clips.ts';
import type { ClipState } from '../clips/clip-states.ts';
import { isOwned } from '../database/ownership.ts';
import { intentsIn } from '../disk/removal.ts';
import { toBeAskedIn } from '../queues/storage-answer.ts';
import { foldedClips } from '../clips/totals.ts';

/** What the ledger says about a clip that is in Blob Storage. */
export interface StoredClip {
  readonly clipId: string;
  readonly state: ClipState;
  readonly blobUrl: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A look at a ledger from outside, whether its owner runs or not. Nothing is changed. */
export interface Inspection {
  /** Whether a process works with the ledger just now. */
  readonly owned: boolean;
  check(options: { deep: boolean }): Promise<CheckReport>;
  storedClips(): StoredClip[];
  /** Also a clip of long ago, of which only totals are kept. */
  knows(clipId: string): boolean;
  /** How many of those there are. */
  folded(): number;
  close(): void;
}

/** @throws Failure `rejected` when there is no ledger in `dir` or a newer program wrote it */
export function inspectLedger(dir: string): Inspection {
  const db = openToLook(dir);
  const owned = isOwned(dir);
  const folded = foldedIn(db);
  return {
    owned,
    // Without an owner nobody writes: a recording is what a killed process left.
    check: async ({ deep }) =>
      reportOf(
        await checkLedger({
          ...{ db, dir, deep, intentOf: intentsIn(db), toBeAsked: toBeAskedIn(db) },
          recordingOf: (row) => (owned ? besideOwner(dir, row) : 'ended'),
          breathe: createBreathe(() => false),
        }),
      ),
    storedClips: () =>
      db
        .prepare<[], StoredClip>(
          `SELECT clip_id AS clipId, state, blob_url AS blobUrl, bytes, sha256 FROM clips
           WHERE state IN ('uploaded','judged') ORDER BY clip_id`,
        )
        .all(),
    knows: (clipId) =>
      db.prepare('SELECT 1 FROM clips WHERE clip_id = ?').get(clipId) !== undefined ||
      folded(clipId) !== undefined,
    folded: foldedClips(db),
    close: () => db.close(),
  };
}

/** A writer writes every second or so, and at least with every key frame of its camera. */
const SILENT_MS = 3 * 60_000;

/** What the owner does with a recording can only be seen by its file. */
function besideOwner(dir: string, row: ClipRow): 'writing' | { waits: string } {
  const { file, partFile } = clipPaths(dir, row.camera_id, row.clip_id);
  const [part, whole] = [entryAt(partFile), entryAt(file)];
  if (part.kind === 'none' && whole.kind === 'none') return 'writing';
  if (part.kind !== 'file') return { waits: 'its file is finished, its row is not' };
  const silentMs = systemClock.nowMs() - part.mtimeMs;
  if (silentMs < SILENT_MS) return 'writing';
  return { waits: `nothing was written to it for ${Math.round(silentMs / 60_000)} minutes` };
}
