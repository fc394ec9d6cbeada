import type { SuppressionReason } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';

/** What moved last so long ago is over. */
const MOTION_OVER_MS = 10_000;

export interface UnrecordedMotion {
  /** Something moved at this monotonic moment, and no clip holds it. */
  moved(atMs: number): void;
  /** A clip holds what moves now. */
  recorded(): void;
  /** It may not be recorded; undefined: it cannot be. What may not be is not missing, until a clip begins again. */
  refused(suppressed: SuppressionReason | undefined): void;
  /** Why what moves may not be recorded. */
  heldBack(): SuppressionReason | undefined;
  /** How long something has moved that no clip holds, milliseconds; null: nothing does. */
  ms(): number | null;
}

/** Counts motion that no clip holds, from its first moment on. */
export function createUnrecordedMotion(clock: Pick<Clock, 'monotonicMs'>): UnrecordedMotion {
  /** Monotonic moments: the first and the newest. */
  let unrecorded: { readonly sinceMs: number; lastMs: number } | undefined;
  let suppressed: SuppressionReason | undefined;
  return {
    moved: (atMs) => {
      if (suppressed) return;
      if (!unrecorded || atMs - unrecorded.lastMs > MOTION_OVER_MS)
        unrecorded = { sinceMs: atMs, lastMs: atMs };
      unrecorded.lastMs = atMs;
    },
    recorded: () => {
      unrecorded = undefined;
      suppressed = undefined;
    },
    refused: (reason) => {
      suppressed = reason;
      if (reason) unrecorded = undefined;
    },
    heldBack: () => suppressed,
    ms: () => {
      const now = clock.monotonicMs();
      if (!unrecorded || now - unrecorded.lastMs > MOTION_OVER_MS) return null;
      return Math.round(now - unrecorded.sinceMs);
    },
  };
}
