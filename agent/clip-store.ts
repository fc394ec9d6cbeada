import type { ClipStore } from './capture/capture.ts';
import { clockQuality } from './kernel/clock-quality.ts';
import type { RecordingLimit, RefusedRecordings } from './health/health.ts';
import type { Clock } from './kernel/clock.ts';
import { Failure } from './kernel/failure.ts';
import type { Log } from './kernel/log.ts';
import type { LedgerService } from './ledger/ledger-service.ts';
import { keepThumbnail } from './ledger/ledger.ts';
import { causeText } from './motion/motion.ts';

export interface ClipStoreDeps {
  readonly ledger: Pick<LedgerService, 'openClip' | 'sealClip' | 'recoverClip'>;
  /** A clip may be uploaded. */
  readonly onSealed: () => void;
  readonly refusedRecordings: Pick<RefusedRecordings, 'refused' | 'opened'>;
  readonly limit: Pick<RecordingLimit, 'isReached'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** What capture asks of the ledger: a place to write, and custody of what was written. */
export function createClipStore({
  ledger,
  onSealed,
  refusedRecordings,
  limit,
  clock,
  log,
}: ClipStoreDeps): ClipStore {
  /** What cannot be recovered now waits for the ledger's own tries. */
  async function recover(clipId: string): Promise<void> {
    try {
      await ledger.recoverClip(clipId);
      onSealed();
    } catch (error) {
      log.error({ event: 'clip.recover-failed', clipId, err: error }, 'a clip could not be recovered now');
    }
  }

  return {
    open({ cameraId, triggeredMs, cause }) {
      // A person who asks for a clip gets it.
      if (cause.kind !== 'request' && limit.isReached(cameraId)) return { suppressed: 'daily-limit' };
      try {
        const clip = ledger.openClip({
          cameraId,
          triggeredMs,
          clockQuality: clockQuality(clock.nowMs()),
          detail: `triggered by ${causeText(cause)}`,
        });
        refusedRecordings.opened(cameraId);
        return { clipId: clip.clipId, partFile: clip.partFile };
      } catch (error) {
        // Told whatever it was: a camera whose movements are not recorded must not look well.
        refusedRecordings.refused(cameraId, error instanceof Error ? error.message : String(error));
        if (!(error instanceof Failure) || error.kind === 'bug') throw error;
        log.error(
          { event: 'clip.refused', cameraId, code: error.code },
          `no clip can be recorded: ${error.message}`,
        );
        return undefined;
      }
    },
    written(clipId, written) {
      try {
        ledger.sealClip(clipId, written);
      } catch (error) {
        // The file is not what its writer reported: what is whole in it is kept as after a torn end.
        if (!(error instanceof Failure) || error.kind !== 'corrupt') throw error;
        log.error({ event: 'clip.seal-refused', clipId, code: error.code }, error.message);
        void recover(clipId);
        return;
      }
      onSealed();
    },
    thumbnail(partFile, jpeg) {
      try {
        keepThumbnail(partFile, jpeg);
      } catch (error) {
        if (!(error instanceof Failure) || error.kind === 'bug') throw error;
        log.warn(
          { event: 'clip.thumbnail-failed', file: partFile, code: error.code },
          `a clip has no small picture: ${error.message}`,
        );
      }
    },
    async abandoned(clipId, reason) {
      log.warn(
        { event: 'clip.abandoned', clipId, reason },
        'the clip writer ended early; keeping what is whole',
      );
      await recover(clipId);
    },
  };
}
