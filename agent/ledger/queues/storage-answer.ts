import { prepareRows } from '../database/row-checksum.ts';
import type { ClipRow, CustodyRow } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';
import { TAKEN_OVER } from '../care/rebuild.ts';

/** Custody: storage was asked within this attempt, and does not have the clip. */
export const NOT_IN_STORAGE = 'not-in-storage';

/** Said of a clip whose file is gone or damaged. */
export const TO_BE_ASKED = 'storage may have it, and is asked before it is called lost';

/** Whether storage may hold a clip of which the row does not say so, and has not been asked since: an attempt was made
 *  and its answer may have been lost, or the row comes from a ledger that was damaged. The uploader asks, as it does
 *  before each upload. */
export function toBeAskedIn(db: Database): (row: Pick<ClipRow, 'clip_id'>) => boolean {
  const last = prepareRows<[string], CustodyRow>(
    db,
    'custody',
    `SELECT * FROM custody WHERE clip_id = ? AND event IN ('lease', '${TAKEN_OVER}', '${NOT_IN_STORAGE}')
       ORDER BY seq DESC LIMIT 1`,
  );
  return ({ clip_id }) => (last.get(clip_id)?.event ?? NOT_IN_STORAGE) !== NOT_IN_STORAGE;
}
