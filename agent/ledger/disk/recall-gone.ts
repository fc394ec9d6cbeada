import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { clipPaths, entryAt } from '../clips/clip-files.ts';
import { type ClipRows, createClipRows } from '../clips/clip-rows.ts';
import { type Database, guarded, openDatabase } from '../database/database.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { type GoneLine, readGone } from './gone-lines.ts';
import { TAKEN_OVER } from '../care/rebuild.ts';
import { placeOf, soundRow } from '../care/restored-row.ts';
import type { Row } from '../care/salvage.ts';

/** Puts the rows of a whole database right that stand where they stood before their files went, or are not there at all,
 *  as after its log was damaged or an older one was put in its place. In one transaction, before anything else is done
 *  with the ledger.
 *  @param lines what was noted of clips without a file, since the newest backup
 *  @returns how many rows that were */
function recallGone({
  db,
  rows,
  dir,
  lines,
  clock,
  log,
}: {
  readonly db: Database;
  readonly rows: Pick<ClipRows, 'get' | 'folded'>;
  readonly dir: string;
  readonly lines: ReadonlyMap<string, GoneLine>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}): number {
  const newest = db.prepare<[], number | null>('SELECT max(seq) FROM custody').pluck().get() ?? 0;
  // All are known, unless the database has forgotten.
  const unknown = [...lines.values()].filter(({ seq, row }) => seq > newest || !rows.get(row.clip_id));
  if (unknown.length === 0) return 0;
  const known = new Set((db.pragma('table_info(clips)') as { name: string }[]).map(({ name }) => name));

  /** Triggers count what is changed: a row that is there is not replaced. */
  function put(row: Row): void {
    const columns = Object.keys(row).filter((column) => known.has(column));
    const others = columns.filter((column) => column !== 'clip_id');
    db.prepare<[Row]>(
      `INSERT INTO clips (${columns.join()}) VALUES (${columns.map((column) => `:${column}`).join()})
       ON CONFLICT (clip_id) DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join()}`,
    ).run(row);
  }

  const note = db.prepare(
    'INSERT INTO custody (seq, clip_id, at_ms, event, state, detail) VALUES (?, ?, ?, ?, ?, ?)',
  );
  /** Above all that the database has lost, so that it is known the next time that it knows of them. */
  let last = Math.max(newest, ...[...lines.values()].map(({ seq }) => seq));

  function recall({ row: raw }: GoneLine): boolean {
    const place = placeOf(raw, () => true);
    const now = rows.get(raw.clip_id);
    if (!place || rows.folded(place.clipId)) return false;
    const { file, partFile } = clipPaths(dir, place.cameraId, place.clipId);
    const hasFile = [file, partFile].some((path) => entryAt(path).kind !== 'none');
    // A file that is there speaks for itself.
    if (now && hasFile) return false;
    const { row } = soundRow(raw, place, { hasFile });
    put(row);
    const before = now ? `it said "${now.state}"` : 'it was gone';
    const detail = `its row was lost (${before}): taken from the notes on clips without a file`;
    note.run(++last, place.clipId, Math.round(clock.nowMs()), TAKEN_OVER, row['state'], detail);
    return true;
  }

  let count = 0;
  db.transaction(() => {
    for (const line of unknown)
      try {
        if (db.transaction(() => recall(line))()) count += 1;
      } catch (error) {
        const failure = classify(error, 'ledger.recall-gone');
        if (failure.kind === 'exhausted') throw error;
        log.error(
          { event: 'clip.not-recalled', clipId: line.row.clip_id, code: failure.code },
          failure.message,
        );
      }
  }).immediate();
  if (count > 0)
    log.warn(
      { event: 'clips.recalled', clips: count },
      'rows of clips without a file had been lost, and are there again',
    );
  return count;
}

/** Opens the database, and puts right what it has forgotten of clips without a file.
 *  @returns the notes, too, and the segments of them that could not be read
 *  @throws Failure as `openDatabase` does, or when the folder cannot be looked at */
export function openKnowing({
  dir,
  clock,
  log,
  reserve,
}: {
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  readonly reserve: Pick<DiskReserve, 'pay'>;
}) {
  const db = reserve.pay(() => openDatabase(dir));
  try {
    const { lines, unread } = guarded('ledger.gone', () => readGone(dir));
    for (const [segment, message] of unread)
      log.error({ event: 'ledger.gone-unread', segment }, `notes on clips without a file: ${message}`);
    const rows = createClipRows({ db, dir, clock });
    reserve.pay(() => recallGone({ db, rows, dir, lines, clock, log }));
    return { db, lines, unread };
  } catch (error) {
    db.close();
    throw error;
  }
}
