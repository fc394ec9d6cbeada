import type { Verdict } from '@dachawatch/contracts';
import { classify } from '../../kernel/classify.ts';
import type { clockQuality as systemClockQuality } from '../../kernel/clock-quality.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { clipPaths, entryAt } from './clip-files.ts';
import { firstImpossibleId, timeIn } from './clip-id.ts';
import type { ClipRow } from './clip-rows.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';

/** A clip that has been finished for so long becomes part of the totals of its day. */
export const FOLD_AFTER_DAYS = 90;
const DAY_MS = 86_400_000;
/** Clips folded in one transaction: what the event loop is held for. */
const STEP = 32;
/** Of a reason, and different ones of a camera and day: some carry the words of an error. */
const REASON_MAX = 120;
const REASONS_MAX = 20;
const OTHER_REASONS = 'other reasons';

export interface Folding {
  /** One step: clips that are finished begin their time, those whose time is over are folded. */
  step(): void;
}

export interface FoldingDeps {
  readonly db: Database;
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly clockQuality: typeof systemClockQuality;
  readonly log: Log;
}

/** Folds clips of long ago into totals of a camera, a day and an outcome.
 *  Invariants
 *  1. Only what is finished is folded: judged or lost, and no file of it is on this disk.
 *  2. Its time begins when a step sees it finished with a clock that is right, and anew when anything happens to it.
 *  3. Totals, the mark that the clip was there, its row and its custody change in one transaction.
 *  4. The clip with the largest id stays, so that no id is given twice. */
export function createFolding({ db, dir, clock, clockQuality, log }: FoldingDeps): Folding {
  const finished = "FROM clips INDEXED BY clips_finished WHERE on_disk = 0 AND state IN ('judged','lost')";
  const begun = db
    .prepare<[number], string>(`SELECT clip_id ${finished} AND finished_ms IS NULL LIMIT ?`)
    .pluck();
  const due = prepareRows<[number, string, number], ClipRow>(
    db,
    'clips',
    `SELECT * ${finished} AND finished_ms <= ? AND clip_id <> (SELECT max(clip_id) FROM clips WHERE clip_id < ?)
     ORDER BY finished_ms LIMIT ?`,
  );
  const end = firstImpossibleId();
  const stamp = db.prepare<[number, string]>('UPDATE clips SET finished_ms = ? WHERE clip_id = ?');
  const hasTotal = db.prepare<[string, string, string, string], 1>(
    'SELECT 1 FROM folded WHERE camera_id = ? AND day = ? AND state = ? AND detail = ?',
  );
  const totals = db
    .prepare<[string, string, string], number>(
      'SELECT count(*) FROM folded WHERE camera_id = ? AND day = ? AND state = ?',
    )
    .pluck();
  const add = db.prepare(
    `INSERT INTO folded (camera_id, day, state, detail, clips, bytes) VALUES (?, ?, ?, ?, 1, ?)
     ON CONFLICT DO UPDATE SET clips = clips + 1, bytes = bytes + excluded.bytes`,
  );
  const mark = db.prepare('INSERT INTO folded_clips (clip_id, camera_id, state) VALUES (?, ?, ?)');
  const removeCustody = db.prepare('DELETE FROM custody WHERE clip_id = ?');
  const removeClip = db.prepare('DELETE FROM clips WHERE clip_id = ?');

  function hasFile(row: ClipRow): boolean {
    const { file, partFile } = clipPaths(dir, row.camera_id, row.clip_id);
    return [file, partFile].some((path) => entryAt(path).kind !== 'none');
  }

  function fold(row: ClipRow): void {
    const day = new Date(timeIn(row.triggered_ms)).toISOString().slice(0, 10);
    let detail = detailOf(row);
    const isNew = hasTotal.get(row.camera_id, day, row.state, detail) === undefined;
    if (isNew && (totals.get(row.camera_id, day, row.state) ?? 0) >= REASONS_MAX) detail = OTHER_REASONS;
    add.run(row.camera_id, day, row.state, detail, row.bytes ?? 0);
    mark.run(row.clip_id, row.camera_id, row.state);
    removeCustody.run(row.clip_id);
    removeClip.run(row.clip_id);
  }

  /** What one row holds keeps no other one from being folded: it is left, and its time begins anew. */
  function folds(row: ClipRow): boolean {
    try {
      db.transaction(() => fold(row))();
      return true;
    } catch (error) {
      const { code, kind, message } = classify(error, 'ledger.fold');
      if (!db.open || kind === 'exhausted' || isOfSqlite(error)) throw error;
      log.error(
        { event: 'clip.not-folded', clipId: row.clip_id, code },
        `a clip of long ago stays: ${message}`,
      );
      return false;
    }
  }

  return {
    step() {
      const now = Math.round(clock.nowMs());
      if (clockQuality(now) !== 'synchronised') return;
      const beginning = begun.all(STEP);
      const over = due.all(now - FOLD_AFTER_DAYS * DAY_MS, end, STEP);
      if (beginning.length + over.length === 0) return;
      const folded = db
        .transaction(() => {
          let count = 0;
          for (const clipId of beginning) stamp.run(now, clipId);
          // A file that is there after all is the check's business: the clip's time begins anew.
          for (const row of over)
            if (hasFile(row)) stamp.run(now, row.clip_id);
            else if (folds(row)) count += 1;
            else stamp.run(now, row.clip_id);
          return count;
        })
        .immediate();
      if (folded > 0)
        log.info({ event: 'clips.folded', clips: folded }, 'clips of long ago became totals of their day');
    },
  };
}

const isOfSqlite = (error: unknown) =>
  /^SQLITE_(?!CONSTRAINT)/.test(String((error as { code?: unknown }).code));

/** What was decided about it, or why it is lost. */
function detailOf({ state, verdict, reason }: ClipRow): string {
  if (state === 'judged') return verdict === null ? '' : (JSON.parse(verdict) as Verdict).verdict;
  return (reason ?? '').slice(0, REASON_MAX);
}
