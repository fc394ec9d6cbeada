import type { Database } from '../database/database.ts';

/** What is known of a clip whose row is gone. */
export interface FoldedClip {
  readonly cameraId: string;
  readonly state: 'judged' | 'lost';
}

/** @returns a function that tells what is known of a clip that was folded; undefined when none was, or the ledger is
 *  that of a program that folded nothing yet */
export function foldedIn(db: Database): (clipId: string) => FoldedClip | undefined {
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'folded_clips'");
  if (table.get() === undefined) return () => undefined;
  const select = db.prepare<[string], FoldedClip>(
    'SELECT camera_id AS cameraId, state FROM folded_clips WHERE clip_id = ?',
  );
  return (clipId) => select.get(clipId);
}
