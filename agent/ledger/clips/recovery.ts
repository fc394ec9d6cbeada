import { basename } from 'node:path';
import { PRE_ROLL_MAX_MS } from '@dachawatch/contracts';
import { classify } from '../../kernel/classify.ts';
import type { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { holdsNothing } from './clip-content.ts';
import {
  clipPlaces,
  type Entry,
  entryAt,
  nameAsFinished,
  noClipBecause,
  sha256Of,
  sizeOf,
  type WrittenClip,
} from './clip-files.ts';
import type { ClipRow, ClipRows } from './clip-rows.ts';
import type { Database } from '../database/database.ts';
import type { Losses } from './losses.ts';
import type { Quarantine } from '../disk/quarantine.ts';

/** A file whose repair failed this often is set aside; the row is lost with the reason. */
const TRIES_MAX = 3;
const TRY = 'recover-failed';
/** A clip begins with the key frame before the pre-roll that was asked for; one that says more than this is wrong. */
const BELIEVED_PRE_ROLL_MS = 2 * PRE_ROLL_MAX_MS;

/** What could be saved of a part file whose writer died. */
export type TornClip = Pick<WrittenClip, 'durationMs' | 'bytes' | 'sha256' | 'detail'>;

export type Recovered = 'sealed' | 'lost' | { failed: string };

/** salvaged: what still plays is the clip now · lost: nothing does, and its file lies in quarantine · settled: there is
 *  nothing to do (any more) · failed: why nothing can be done just now */
export type Salvaged =
  | { readonly what: 'salvaged' | 'lost'; readonly detail: string }
  | { readonly what: 'settled' }
  | { readonly what: 'failed'; readonly detail: string };

export interface Recovery {
  /** @param counts whether a failure counts as one of the tries after which the file is set aside: a fault that
   *  passes must not use them up within minutes
   *  @returns what became of the clip, or the sentence that tells why nothing could be done yet. Never rejects */
  recover(row: ClipRow, counts: boolean): Promise<Recovered>;
  /** A clip that was given up, and whose file is there: taken up again when it is what was sealed, recovered when it
   *  was never sealed, else set aside. It is never deleted.
   *  @returns the sentence that tells what became of it */
  takeUp(row: ClipRow): Promise<string>;
  /** A finished clip that is nowhere else, and whose file is not what was sealed: it is read again, and when it is
   *  still another one, what plays of it is sealed anew and will be uploaded. Custody has the checksum of before.
   *  @param why what was found wrong. Never rejects */
  salvage(row: ClipRow, why: string): Promise<Salvaged>;
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

  const entriesOf = (row: ClipRow): { path: string; entry: Entry }[] => {
    const { partFile, file } = clipPlaces(dir, row.camera_id, row.clip_id);
    return [partFile, file].map((path) => ({ path, entry: entryAt(path) }));
  };

  /** Moves whatever stands under the clip's names out of the way. */
  function clear(row: ClipRow): string[] {
    return entriesOf(row)
      .filter(({ entry }) => entry.kind !== 'none')
      .map(({ path }) => quarantine.setAside(path, row.camera_id, basename(path)));
  }

  function setAside(row: ClipRow, message: string): void {
    const reason = `the file could not be repaired (${message}) and was set aside in quarantine`;
    // Files first: a row says `lost` when its file is out of the way.
    clear(row);
    db.transaction(() => rows.move(row.clip_id, 'lose', reason, { on_disk: 0, reason })).immediate();
    losses.lost(row.clip_id, reason);
    log.error({ event: 'clip.lost', clipId: row.clip_id, reason }, 'clip set aside');
  }

  function failed(row: ClipRow, failure: Failure, counts: boolean): Recovered {
    if (failure.kind === 'exhausted' || !counts) return { failed: failure.message };
    db.transaction(() => rows.note(row.clip_id, TRY, failure.message)).immediate();
    if (rows.countNotes(row.clip_id, TRY) < TRIES_MAX) return { failed: failure.message };
    setAside(row, failure.message);
    return 'lost';
  }

  async function attempt(row: ClipRow, counts: boolean): Promise<Recovered> {
    const places = clipPlaces(dir, row.camera_id, row.clip_id);
    const entries = entriesOf(row);
    const found = entries.find(({ entry }) => entry.kind === 'file');
    if (found?.entry.kind !== 'file') {
      const wrong = entries.find(({ entry }) => entry.kind === 'other');
      if (wrong?.entry.kind === 'other') {
        setAside(row, `a ${wrong.entry.what} stands in its place`);
        return 'lost';
      }
      lose(row.clip_id, intentOf(row.clip_id) ?? 'the writer ended before anything was on disk');
      return 'lost';
    }
    const { path: file, entry } = found;
    const noClip = noClipBecause(entry);
    if (noClip !== undefined) {
      setAside(row, `${noClip}, which no recording has`);
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
      else setAside(row, 'no whole fragment is in it');
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

  async function salvage(row: ClipRow, why: string): Promise<Salvaged> {
    const { file } = clipPlaces(dir, row.camera_id, row.clip_id);
    // Read wrongly once?
    if (sizeOf(file) === row.bytes && (await sha256Of(file)) === row.sha256) return { what: 'settled' };
    const noClip = noClipBecause(entryAt(file));
    const torn = noClip === undefined ? await recoverTorn(file) : undefined;
    // Leased, judged or given up while it was read.
    if (rows.get(row.clip_id)?.state !== row.state) return { what: 'settled' };
    if (torn === undefined) {
      const detail = `${why}; nothing of it plays`;
      setAside(row, noClip ?? detail);
      return { what: 'lost', detail };
    }
    const detail =
      `${why}; what still plays of it is kept: ${torn.detail ?? 'all its fragments, of which pictures may be damaged'}. ` +
      `It was sealed with ${row.bytes} bytes, SHA-256 ${row.sha256}`;
    db.transaction(() =>
      rows.move(row.clip_id, 'salvage', detail, {
        ...{ bytes: torn.bytes, sha256: torn.sha256, duration_ms: Math.round(torn.durationMs) },
        ...{ retry_at: null, reason: why },
      }),
    ).immediate();
    log.error({ event: 'clip.salvaged', clipId: row.clip_id, detail }, 'a damaged clip is sealed anew');
    return { what: 'salvaged', detail };
  }

  return {
    recover,
    salvage: (row, why) =>
      salvage(row, why).catch((error: unknown) => ({
        what: 'failed',
        detail: classify(error, 'ledger.salvage').message,
      })),

    async takeUp(row) {
      const places = clipPlaces(dir, row.camera_id, row.clip_id);
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
        return `what stands under its name is not the clip that was given up; it lies in ${clear(row).join(', ')} now`;
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
