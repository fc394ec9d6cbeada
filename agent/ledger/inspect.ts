import { checkLedger } from './check.ts';
import { openToLook } from './database.ts';
import type { CheckReport, ClipState } from './ledger.ts';
import { isOwned } from './ownership.ts';

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
  knows(clipId: string): boolean;
  close(): void;
}

/** @throws Failure `rejected` when there is no ledger in `dir` or a newer program wrote it */
export function inspectLedger(dir: string): Inspection {
  const db = openToLook(dir);
  const owned = isOwned(dir);
  return {
    owned,
    // Without an owner nobody writes: a recording is what a killed process left.
    check: ({ deep }) => checkLedger({ db, dir, deep, isWriting: () => owned }),
    storedClips: () =>
      db
        .prepare<[], StoredClip>(
          `SELECT clip_id AS clipId, state, blob_url AS blobUrl, bytes, sha256 FROM clips
           WHERE state IN ('uploaded','judged') ORDER BY clip_id`,
        )
        .all(),
    knows: (clipId) => db.prepare('SELECT 1 FROM clips WHERE clip_id = ?').get(clipId) !== undefined,
    close: () => db.close(),
  };
}
