import { Failure } from '../../../kernel/failure.ts';
import type { GateDecision } from '../../../motion/motion.ts';
import type { PictureTap } from './picture-tap.ts';

export interface ClipThumbnails {
  /** A clip is being written from now on. */
  begun(clipId: string, atMs: number): void;
  /** What was made of the newest frame.
   *  @param atMs monotonic milliseconds */
  frame(decision: GateDecision, atMs: number): void;
}

/** What moves has come far enough into the picture by then. A clip may be hardly longer. */
const LATEST_MS = 1_000;

/** Takes the small picture of each clip: when what moves has stopped growing, as somebody who has come into the picture
 *  does, and a second after the clip began at the latest. One picture a clip is encoded; a clip of a camera that shows
 *  none then has none. */
export function createClipThumbnails(deps: {
  readonly tap: Pick<PictureTap, 'next'>;
  /** @param jpeg base64 */
  taken(clipId: string, jpeg: string): void;
}): ClipThumbnails {
  let waiting: { readonly clipId: string; readonly sinceMs: number; largest: number } | undefined;

  async function take(clipId: string): Promise<void> {
    try {
      const { jpeg } = await deps.tap.next();
      deps.taken(clipId, jpeg);
    } catch (error) {
      // The clip does without.
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
    }
  }

  return {
    begun: (clipId, atMs) => {
      waiting = { clipId, sinceMs: atMs, largest: 0 };
    },
    frame: (decision, atMs) => {
      if (!waiting) return;
      const area = areaOf(decision);
      const hasGrown = area > waiting.largest || waiting.largest === 0;
      waiting.largest = Math.max(area, waiting.largest);
      if (hasGrown && atMs - waiting.sinceMs < LATEST_MS) return;
      const { clipId } = waiting;
      waiting = undefined;
      void take(clipId);
    },
  };
}

/** Of all that moves, as a share of the picture; what overlaps counts twice. */
const areaOf = (decision: GateDecision): number =>
  decision.kind === 'motion'
    ? decision.regions.reduce((sum, [left, top, right, bottom]) => sum + (right - left) * (bottom - top), 0)
    : 0;
