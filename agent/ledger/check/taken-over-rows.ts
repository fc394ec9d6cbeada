import type { Breathe } from '../breathe.ts';
import { TAKEN_OVER } from '../care/rebuild.ts';
import { UNVERIFIED } from '../care/rebuilt-facts.ts';
import { clipPaths, sha256Of, sizeOf } from '../clips/clip-files.ts';
import type { ClipRow, ClipRows } from '../clips/clip-rows.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import type { createEachApart } from './each-apart.ts';

export interface TakenOverRowsDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly breathe: Breathe;
  readonly eachApart: ReturnType<typeof createEachApart>;
}

/** Compares the files with rows that were taken over from a damaged ledger, once. */
export async function verifyTakenOver(deps: TakenOverRowsDeps): Promise<void> {
  const { db, breathe, eachApart } = deps;
  const unverified = db.prepare<[string], number>('SELECT value FROM facts WHERE name = ?').pluck();
  if (unverified.get(UNVERIFIED) !== 1) return;
  const finished = prepareRows<[], ClipRow>(
    db,
    'clips',
    "SELECT * FROM clips WHERE on_disk = 1 AND state NOT IN ('recording', 'lost')",
  );
  await eachApart(
    finished.all(),
    (row) => row.clip_id,
    (row) => verify(deps, row),
  );
  await breathe();
  db.prepare('DELETE FROM facts WHERE name = ?').run(UNVERIFIED);
}

/** Size or checksum in the row may be what was damaged. When both are another one's than the file's, it is the file. */
async function verify({ db, rows, dir }: TakenOverRowsDeps, row: ClipRow): Promise<void> {
  const { file } = clipPaths(dir, row.camera_id, row.clip_id);
  const bytes = sizeOf(file);
  if (bytes === undefined) return;
  const sha256 = await sha256Of(file);
  if ((sha256 === row.sha256) === (bytes === row.bytes)) return;
  const detail = 'its size or checksum was damaged in the ledger, and was taken from the file';
  const correct = db.transaction(() => {
    db.prepare('UPDATE clips SET sha256 = ?, bytes = ? WHERE clip_id = ?').run(sha256, bytes, row.clip_id);
    rows.note(row.clip_id, TAKEN_OVER, detail);
    if (rows.require(row.clip_id).state === 'parked')
      rows.move(row.clip_id, 'requeue', detail, { retry_at: null, reason: detail });
  });
  correct.immediate();
}
