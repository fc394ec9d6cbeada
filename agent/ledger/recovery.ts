import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { classify } from '../kernel/classify.ts';
import type { Log } from '../kernel/log.ts';
import { clipPlaces, nameAsFinished, quarantine, sizeOf } from './clip-files.ts';
import type { ClipRow, ClipRows } from './clip-rows.ts';
import type { Database } from './database.ts';
import type { TornClip, WrittenClip } from './ledger.ts';

/** A file whose repair failed this often is set aside; the row is lost with the reason. */
const TRIES_MAX = 3;
const TRY = 'recover-failed';
/** More than the longest pre-roll a configuration may ask for. */
const PRE_ROLL_MAX_MS = 60_000;

export interface Recovery {
  /** @returns what became of the clip, or the sentence that tells why nothing could be done yet */
  recover(row: ClipRow): Promise<'sealed' | 'lost' | { failed: string }>;
}

export interface RecoveryDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly log: Log;
  /** Cuts the torn tail off a file in place and fsyncs it; undefined when nothing playable is left. Repeatable. */
  readonly recoverTorn: (file: string) => Promise<TornClip | undefined>;
  readonly seal: (clipId: string, written: WrittenClip, detail: string) => void;
  readonly lose: (clipId: string, reason: string) => void;
}

/** Puts right what a writer left that died between `openClip` and `sealClip`.
 *  The part file may be torn (cut its tail), whole (seal it), already renamed (seal that), or not there (lost).
 *  Invariant: a file is removed only when nothing in it can be played; one that cannot be read is set aside. */
export function createRecovery({ db, rows, dir, log, recoverTorn, seal, lose }: RecoveryDeps): Recovery {
  function setAside(row: ClipRow, message: string): void {
    const places = clipPlaces(dir, row.camera_id, row.clip_id);
    const reason = `the file could not be repaired (${message}) and was set aside in quarantine`;
    // Files first: a row that says `lost` allows what is left of its file to be removed.
    for (const file of [places.partFile, places.file])
      if (sizeOf(file) !== undefined) quarantine(dir, file, row.camera_id, basename(file));
    db.transaction(() => rows.move(row.clip_id, 'lose', reason, { on_disk: 0, reason })).immediate();
    log.error({ event: 'clip.lost', clipId: row.clip_id, reason }, 'clip set aside');
  }

  return {
    async recover(row) {
      const places = clipPlaces(dir, row.camera_id, row.clip_id);
      const file = [places.partFile, places.file].find((one) => sizeOf(one) !== undefined);
      if (file === undefined) {
        lose(row.clip_id, 'the writer ended before anything was on disk');
        return 'lost';
      }
      // Before the repair touches it: when the last fragment was written.
      const lastWriteMs = statSync(file).mtimeMs;
      let torn: TornClip | undefined;
      try {
        torn = await recoverTorn(file);
      } catch (error) {
        const failure = classify(error, 'ledger.recover');
        if (failure.kind === 'exhausted') return { failed: failure.message };
        db.transaction(() => rows.note(row.clip_id, TRY, failure.message)).immediate();
        if (rows.countNotes(row.clip_id, TRY) < TRIES_MAX) return { failed: failure.message };
        setAside(row, failure.message);
        return 'lost';
      }
      if (torn === undefined) {
        lose(row.clip_id, 'the writer ended before a playable fragment was on disk');
        return 'lost';
      }
      if (file === places.file) nameAsFinished(places);
      seal(
        row.clip_id,
        { ...torn, ...estimatedTimes(row, torn, lastWriteMs) },
        'recovered after its writer died',
      );
      return 'sealed';
    },
  };
}

/** First frame and pre-roll from the time of the last write: the writer that knew them is gone. */
function estimatedTimes(row: ClipRow, torn: TornClip, lastWriteMs: number) {
  const preRollMs = Math.round(row.triggered_ms - (lastWriteMs - torn.durationMs));
  const believable = preRollMs >= 0 && preRollMs <= Math.min(PRE_ROLL_MAX_MS, torn.durationMs);
  return believable
    ? { startedMs: row.triggered_ms - preRollMs, preRollMs }
    : { startedMs: row.triggered_ms, preRollMs: 0 };
}
