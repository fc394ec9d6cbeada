import { PRE_ROLL_MAX_MS } from '@dachawatch/contracts';
import { classify } from '../../kernel/classify.ts';
import type { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { holdsNothing } from './clip-content.ts';
import {
  clipPaths,
  nameAsFinished,
  noClipBecause,
  sha256Of,
  sizeOf,
  type TornClip,
  type WrittenClip,
} from './clip-files.ts';
import type { ClipRow, ClipRows } from './clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { Losses } from './losses.ts';
import type { Quarantine } from '../disk/quarantine.ts';
import { createSalvage, type Salvage } from './repair/salvage.ts';
import { createSetAside } from './repair/set-aside.ts';

/** A file whose repair failed this often is set aside; the row is lost with the reason. */
const TRIES_MAX = 3;
const TRY = 'recover-failed';
/** A clip begins with the key frame before the pre-roll that was asked for; one that says more than this is wrong. */
const BELIEVED_PRE_ROLL_MS = 2 * PRE_ROLL_MAX_MS;

export type Recovered = 'sealed' | 'lost' | { failed: string };

export interface Recovery {
  /** @param counts whether a failure counts as one of the tries after which the file is set aside: a fault that
   *  passes must not use them up within minutes
   *  @returns what became of the clip, or the sentence that tells why nothing could be done yet. Never rejects */
  recover(row: ClipRow, counts: boolean): Promise<Recovered>;
  /** A clip that was given up, and whose file is there: taken up again when it is what was sealed, recovered when it
   *  was never sealed, else set aside. It is never deleted.
   *  @returns the sentence that tells what became of it */
  takeUp(row: ClipRow): Promise<string>;
  readonly salvage: Salvage;
}

export interface RecoveryDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly log: Log;
  /** Makes a damaged file playable in place and fsyncs it; undefined when nothing in it can be played. Repeatable. */
  readonly recoverTorn: (file: string) => Promise<TornClip | undefined>;
  readonly quarantine: Pick<Quarantine, 'setAside'>;
  /** Why a file that is missing was removed by us; undefined when it was not. */
  readonly intentOf: (clipId: string) => string | undefined;
  readonly seal: (clipId: string, written: WrittenClip, detail: string) => void;
  readonly lose: (clipId: string, reason: string) => void;
  readonly losses: Pick<Losses, 'lost'>;
}

/** Puts right what a writer left that died between `openClip` and `sealClip`.
 *  The part file may be torn (cut its tail), whole (seal it), already renamed (seal that), or not there (lost).
 *  Invariant: a file is removed only when nothing that was recorded is in it; one that cannot be played or read is set aside. */
export function createRecovery(deps: RecoveryDeps): Recovery {
  const { db, rows, dir, log, recoverTorn, quarantine, intentOf, seal, lose, losses } = deps;
  /** One repair of a clip at a time. */
  const running = new Map<string, Promise<Recovered>>();

  const setAside = createSetAside({ db, rows, dir, quarantine, losses, log });
  const salvage = createSalvage({ db, rows, dir, recoverTorn, setAside, log });

  function failed(row: ClipRow, failure: Failure, counts: boolean): Recovered {
    if (failure.kind === 'exhausted' || !counts) return { failed: failure.message };
    db.transaction(() => rows.note(row.clip_id, TRY, failure.message)).immediate();
    if (rows.countNotes(row.clip_id, TRY) < TRIES_MAX) return { failed: failure.message };
    setAside.lose(row, failure.message);
    return 'lost';
  }

  async function attempt(row: ClipRow, counts: boolean): Promise<Recovered> {
    const places = clipPaths(dir, row.camera_id, row.clip_id);
    const entries = setAside.entriesOf(row);
    const found = entries.find(({ entry }) => entry.kind === 'file');
    if (found?.entry.kind !== 'file') {
      const wrong = entries.find(({ entry }) => entry.kind === 'other');
      if (wrong?.entry.kind === 'other') {
        setAside.lose(row, `a ${wrong.entry.what} stands in its place`);
        return 'lost';
      }
      lose(row.clip_id, intentOf(row.clip_id) ?? 'the writer ended before anything was on disk');
      return 'lost';
    }
    const { path: file, entry } = found;
    const noClip = noClipBecause(entry);
    if (noClip !== undefined) {
      setAside.lose(row, `${noClip}, which no recording has`);
      return 'lost';
    }
    let torn: TornClip | undefined;
    try {
      torn = await recoverTorn(file);
    } catch (error) {
      return failed(row, classify(error, 'ledger.recover'), counts);
    }
    // Sealed, or given up, while the file was read.
    const state = rows.get(row.clip_id)?.state;
    if (state !== 'recording') return state === 'lost' ? 'lost' : 'sealed';
    if (torn === undefined) {
      if (await holdsNothing(file))
        lose(row.clip_id, 'the writer ended before a playable fragment was on disk');
      else setAside.lose(row, 'no whole fragment is in it');
      return 'lost';
    }
    if (file === places.file) nameAsFinished(places);
    const written = { ...torn, ...estimatedTimes(row, torn, entry.mtimeMs) };
    seal(row.clip_id, written, ['recovered after its writer died', torn.detail].filter(Boolean).join(': '));
    return 'sealed';
  }

  function recover(row: ClipRow, counts: boolean): Promise<Recovered> {
    const before = running.get(row.clip_id);
    if (before) return before;
    const now = attempt(row, counts)
      .catch((error: unknown): Recovered => ({ failed: classify(error, 'ledger.recover').message }))
      .finally(() => running.delete(row.clip_id));
    running.set(row.clip_id, now);
    return now;
  }

  return {
    recover,
    salvage,

    async takeUp(row) {
      const places = clipPaths(dir, row.camera_id, row.clip_id);
      if (row.sha256 === null) {
        const reopened = db
          .transaction(() => {
            if (rows.get(row.clip_id)?.state !== 'lost') return undefined;
            return rows.move(row.clip_id, 'reopen', 'its file is there', { on_disk: 1, reason: null });
          })
          .immediate();
        const outcome = reopened === undefined ? 'sealed' : await recover(reopened, true);
        const said = typeof outcome === 'string' ? outcome : `not repaired yet: ${outcome.failed}`;
        return `its file is there although it was given up; the clip is ${said}`;
      }
      const fits = sizeOf(places.file) === row.bytes && (await sha256Of(places.file)) === row.sha256;
      if (!fits)
        return `what stands under its name is not the clip that was given up; it lies in ${setAside.clear(row).join(', ')} now`;
      const detail = `its file is there, whole; it had been given up: ${row.reason ?? 'no reason'}`;
      db.transaction(() => {
        if (rows.get(row.clip_id)?.state === 'lost')
          rows.move(row.clip_id, 'restore', detail, { on_disk: 1, reason: null });
      }).immediate();
      log.warn(
        { event: 'clip.restored', clipId: row.clip_id, reason: row.reason },
        'a clip that was given up is taken up again',
      );
      return 'its file is there, whole, although it had been given up; the clip is taken up again';
    },
  };
}

/** First frame and pre-roll from the time of the last write: the writer that knew them is gone. */
export function estimatedTimes(row: Pick<ClipRow, 'triggered_ms'>, torn: TornClip, lastWriteMs: number) {
  const preRollMs = Math.round(row.triggered_ms - (lastWriteMs - torn.durationMs));
  const believable = preRollMs >= 0 && preRollMs <= Math.min(BELIEVED_PRE_ROLL_MS, torn.durationMs);
  return believable
    ? { startedMs: row.triggered_ms - preRollMs, preRollMs }
    : { startedMs: row.triggered_ms, preRollMs: 0 };
}
