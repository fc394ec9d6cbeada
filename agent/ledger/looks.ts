import { type Breathe } from './breathe.ts';
import { createAdoption } from './check/adopt.ts';
import { checkLedger } from './check/check.ts';
import { createMisplaced } from './check/misplaced.ts';
import { clipIdIn } from './clips/clip-files.ts';
import type { ClipRow } from './clips/clip-rows.ts';
import type { LedgerParts } from './ledger-parts.ts';
import { toBeAskedIn } from './queues/storage-answer.ts';

export interface LookOptions {
  readonly repair: boolean;
  readonly deep?: boolean;
  readonly filesOnly?: boolean;
}

/** Looks at rows and files against each other, and repairs with the parts of the ledger what it may.
 *  @returns takes what to look at; resolves with what was found */
export function createLook(parts: LedgerParts, breathe: Breathe) {
  const { db, dir, rows, clock, log, clockQuality, recoverTorn, writing, seal } = parts;
  const { root, quarantine, losses, outbox, book, recovery, unsealed, intentOf } = parts;
  const toBeAsked = toBeAskedIn(db);
  const isWriting = (clipId: string) => writing.has(clipId);
  const adoption = createAdoption({
    ...{ db, rows, dir, log, recoverTorn, breathe, seal },
    ...{ lose: book.lose, isWriting, clock, clockQuality },
  });
  const misplaced = createMisplaced({ db, rows, dir, root, quarantine, breathe, log });
  const repairs = {
    ...book,
    recover: (row: ClipRow) => recovery.recover(row, true),
    takeUp: (row: ClipRow) => recovery.takeUp(row),
    salvage: (row: ClipRow, why: string) => recovery.salvage(row, why),
    bringBack: () => misplaced.bringBack(),
    losses,
    setAside(path: string, cameraId: string, name: string) {
      const at = quarantine.setAside(path, cameraId, name);
      const row = rows.get(clipIdIn(name) ?? '');
      if (row)
        db.transaction(() => rows.note(row.clip_id, 'set-aside', `${path} lies in ${at} now`)).immediate();
      return at;
    },
    discardEvent: outbox.discard,
  };

  function recordingOf({ clip_id }: ClipRow): 'writing' | 'ended' | { waits: string } {
    if (isWriting(clip_id)) return 'writing';
    const waits = unsealed.reasonOf(clip_id);
    return waits === undefined ? 'ended' : { waits };
  }

  return async ({ repair, ...options }: LookOptions) =>
    await checkLedger({
      ...{ db, dir, breathe, recordingOf, isWriting, intentOf, toBeAsked, ...options },
      ...(repair ? { notAdopted: await adoption.run(), repairs } : {}),
    });
}
