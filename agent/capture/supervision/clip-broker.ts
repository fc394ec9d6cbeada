import type { SuppressionReason } from '@dachawatch/contracts';
import { classify } from '../../kernel/classify.ts';
import type { Log } from '../../kernel/log.ts';
import type { WrittenClip } from '../../ledger/ledger.ts';
import type { Cause } from '../../motion/motion.ts';
import type { FromChild, ToChild } from '../messages.ts';
import { thumbnailFrom } from './picture.ts';

/** Who keeps the clips. The capture room asks it for a place before it writes, and reports what came of it. */
export interface ClipStore {
  /** @returns where to write; undefined when nothing can be recorded now, or why nothing shall be */
  open(request: {
    cameraId: string;
    triggeredMs: number;
    /** The zone or line that it moved in. */
    cause: Cause;
  }): { clipId: string; partFile: string } | { suppressed: SuppressionReason } | undefined;
  written(clipId: string, clip: WrittenClip): void;
  /** The small picture of a clip, once; also just after it was written.
   *  @param partFile where its writer was told to write */
  thumbnail(partFile: string, jpeg: Buffer): void;
  /** The writer failed or died; the part file may hold something. */
  abandoned(clipId: string, reason: string): Promise<void>;
}

export interface ClipBroker {
  take(message: Extract<FromChild, { type: 'trigger' | 'written' | 'abandoned' | 'thumbnail' }>): void;
  /** Waits until the store has dealt with what was given up so far. */
  idle(): Promise<void>;
  /** The child is gone: gives up what it left open and waits until the store has dealt with it. */
  settle(reason: string): Promise<void>;
}

/** Between one child and the store of clips.
 *  Invariants
 *  1. Each place the store gave is settled with it exactly once: `written`, or `abandoned`.
 *  2. A clip gets one small picture at most, and only its own camera can give it.
 *  3. An error of the store is logged and never ends the supervision of the camera. */
export function createClipBroker(deps: {
  readonly cameraId: string;
  readonly store: ClipStore;
  readonly log: Log;
  send(message: ToChild): void;
}): ClipBroker {
  const { cameraId, store, log } = deps;
  const open = new Set<string>();
  const settling = new Set<Promise<void>>();
  /** The newest place, until its picture came. */
  let unpictured: { readonly clipId: string; readonly partFile: string } | undefined;

  function complain(what: string, clipId: string | undefined, error: unknown): void {
    log.error(
      { event: 'clip.store-failed', cameraId, clipId, err: error },
      `the store of clips failed to ${what}`,
    );
  }

  function trigger({ requestId, triggeredMs, cause }: Extract<FromChild, { type: 'trigger' }>): void {
    let place: ReturnType<ClipStore['open']>;
    try {
      place = store.open({ cameraId, triggeredMs, cause });
    } catch (error) {
      complain('open a clip', undefined, error);
    }
    if (!place || 'suppressed' in place) return deps.send({ type: 'no-place', requestId, ...place });
    open.add(place.clipId);
    unpictured = place;
    deps.send({ type: 'place', requestId, clipId: place.clipId, partFile: place.partFile });
  }

  function thumbnail({ clipId, jpeg }: Extract<FromChild, { type: 'thumbnail' }>): void {
    if (clipId !== unpictured?.clipId) return;
    const picture = thumbnailFrom(jpeg);
    if (!picture) return;
    const { partFile } = unpictured;
    unpictured = undefined;
    try {
      store.thumbnail(partFile, picture);
    } catch (error) {
      complain('keep the small picture of a clip', clipId, error);
    }
  }

  function abandon(clipId: string, reason: string): void {
    const settled = store
      .abandoned(clipId, reason)
      .catch((error: unknown) => complain('recover a clip', clipId, error))
      .finally(() => settling.delete(settled));
    settling.add(settled);
  }

  return {
    take: (message) => {
      if (message.type === 'trigger') return trigger(message);
      if (message.type === 'thumbnail') return thumbnail(message);
      // Only what was given here can be settled here.
      if (!open.delete(message.clipId)) return;
      if (message.type === 'abandoned') return abandon(message.clipId, message.reason);
      try {
        store.written(message.clipId, message.clip);
      } catch (error) {
        complain('seal a clip', message.clipId, error);
        abandon(message.clipId, `${classify(error, 'clip.seal').kind}: the clip could not be sealed`);
      }
    },
    idle: async () => {
      await Promise.all(settling);
    },
    settle: async (reason) => {
      for (const clipId of open) abandon(clipId, reason);
      open.clear();
      await Promise.all(settling);
    },
  };
}
