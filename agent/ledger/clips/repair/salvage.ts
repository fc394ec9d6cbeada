import { classify } from '../../../kernel/classify.ts';
import type { Log } from '../../../kernel/log.ts';
import type { Database } from '../../database/database.ts';
import { clipPaths, entryAt, noClipBecause, sha256Of, sizeOf, type TornClip } from '../clip-files.ts';
import type { ClipRow, ClipRows } from '../clip-rows.ts';
import type { SetAside } from './set-aside.ts';

/** salvaged: what still plays is the clip now · lost: nothing does, and its file lies in quarantine · settled: there is
 *  nothing to do (any more) · failed: why nothing can be done just now */
export type Salvaged =
  | { readonly what: 'salvaged' | 'lost'; readonly detail: string }
  | { readonly what: 'settled' }
  | { readonly what: 'failed'; readonly detail: string };

/** A finished clip that is nowhere else, and whose file is not what was sealed: it is read again, and when it is still
 *  another one, what plays of it is sealed anew and will be uploaded. Custody has the checksum of before.
 *  @param why what was found wrong. Never rejects */
export type Salvage = (row: ClipRow, why: string) => Promise<Salvaged>;

export interface SalvageDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  /** Makes a damaged file playable in place and fsyncs it; undefined when nothing in it can be played. Repeatable. */
  readonly recoverTorn: (file: string) => Promise<TornClip | undefined>;
  readonly setAside: Pick<SetAside, 'lose'>;
  readonly log: Log;
}

export function createSalvage({ db, rows, dir, recoverTorn, setAside, log }: SalvageDeps): Salvage {
  async function salvage(row: ClipRow, why: string): Promise<Salvaged> {
    const { file } = clipPaths(dir, row.camera_id, row.clip_id);
    // Read wrongly once?
    if (sizeOf(file) === row.bytes && (await sha256Of(file)) === row.sha256) return { what: 'settled' };
    const noClip = noClipBecause(entryAt(file));
    const torn = noClip === undefined ? await recoverTorn(file) : undefined;
    // Leased, judged or given up while it was read.
    if (rows.get(row.clip_id)?.state !== row.state) return { what: 'settled' };
    if (torn === undefined) {
      const detail = `${why}; nothing of it plays`;
      setAside.lose(row, noClip ?? detail);
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

  return (row, why) =>
    salvage(row, why).catch((error: unknown) => ({
      what: 'failed',
      detail: classify(error, 'ledger.salvage').message,
    }));
}
