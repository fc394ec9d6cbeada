import type { SuppressionCounts, SuppressionReason } from '@dachawatch/contracts';
import type { GateDecision, MotionDecision } from '../../motion/motion.ts';

/** A reason that comes again within this time is still the same trigger. Key pictures, which are all that is looked at in
 *  a quiet scene, are less apart than that. */
const SAME_MS = 2_500;

/** Counts suppressed triggers by reason: episodes, not frames. */
export function createSuppressedCount() {
  const counts: Partial<Record<SuppressionReason, number>> = {};
  const lastMs = new Map<SuppressionReason, number>();
  return {
    /** @returns whether this is a new trigger, not the last one going on */
    note(decision: MotionDecision | GateDecision, atMs: number): boolean {
      if (decision.kind !== 'suppressed') return false;
      const before = lastMs.get(decision.reason);
      lastMs.set(decision.reason, atMs);
      if (before !== undefined && atMs - before <= SAME_MS) return false;
      counts[decision.reason] = (counts[decision.reason] ?? 0) + 1;
      return true;
    },
    counts: (): SuppressionCounts => ({ ...counts }),
  };
}
