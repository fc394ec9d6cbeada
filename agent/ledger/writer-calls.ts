import type { WrittenClip } from './clips/clip-files.ts';
import type { Clip } from './clips/clip-rows.ts';
import type { Clips } from './clips/clips.ts';
import { type BegunClip, enterClip } from './clips/entering.ts';
import { mayPass } from './clips/unsealed.ts';
import { guarded } from './database/database.ts';
import type { GuardedCall } from './guarded-call.ts';
import type { LedgerParts } from './ledger-parts.ts';

export interface WriterCalls extends Pick<Clips, 'openClip'> {
  /** Rows for clips that began when there was no ledger that could be used; none for one that has a row. */
  enterClips(clips: readonly { readonly clip: BegunClip; readonly detail: string }[]): void;
  /** The part file is complete and fsynced: rename, fsync the folder, then the row says `sealed`.
   *  @throws Failure `corrupt` when the file is not what its writer says: `recoverClip` keeps what is whole in it ·
   *  any other but `bug`: the disk does not take it now, and `tend` tries again */
  sealClip(clipId: string, written: WrittenClip): Clip;
  /** Gives a clip up, with the reason, and removes what is left of its file. */
  loseClip(clipId: string, reason: string): void;
  /** Puts a torn part file right after its writer died: cuts the tail, seals; loses it when nothing is left. What
   *  cannot be done now is tried again by `tend`. Rejects only with a `bug`. */
  recoverClip(clipId: string): Promise<void>;
}

/** A clip from its trigger to the end of its writing. Until its writer has said how it ended, it is in `writing`, and
 *  the ledger leaves its file alone. */
export function createWriterCalls(
  { db, rows, book, writing, reserve, recovery, seal, unsealed }: LedgerParts,
  guardedCall: GuardedCall,
  afterCommit: () => void,
): WriterCalls {
  return {
    openClip: guardedCall('open-clip', (request) => {
      const clip = book.openClip(request);
      writing.add(clip.clipId);
      return clip;
    }),
    enterClips: guardedCall('enter-clips', (clips) =>
      reserve.pay(() =>
        db
          .transaction(() => {
            for (const { clip, detail } of clips)
              if (!rows.get(clip.clipId) && !rows.folded(clip.clipId)) enterClip(rows, clip, detail);
          })
          .immediate(),
      ),
    ),
    sealClip(clipId, written) {
      writing.delete(clipId);
      try {
        return guardedCall('seal', () => rows.toClip(seal(clipId, written, written.detail ?? null)))();
      } catch (error) {
        if (mayPass(error))
          unsealed.wait(clipId, error.kind === 'corrupt' ? undefined : written, error.message);
        throw error;
      }
    },
    loseClip: guardedCall('lose', (clipId, reason) => {
      writing.delete(clipId);
      book.lose(clipId, reason);
    }),
    async recoverClip(clipId) {
      writing.delete(clipId);
      try {
        const row = guarded('ledger.recover', () => rows.require(clipId));
        // Sealed before its writer died.
        if (row.state !== 'recording') return;
        const outcome = await recovery.recover(row, true).finally(afterCommit);
        if (typeof outcome === 'string') unsealed.settled(clipId);
        else unsealed.wait(clipId, undefined, outcome.failed);
      } catch (error) {
        if (!mayPass(error)) throw error;
        unsealed.wait(clipId, undefined, error.message);
      }
    },
  };
}
