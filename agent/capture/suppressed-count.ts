import type { MotionDecision } from '../motion/motion.ts';

/** A reason that comes again within this time is still the same trigger. */
const SAME_MS = 2_000;

/** Counts suppressed triggers by reason: episodes, not frames. */
export function createSuppressedCount() {
  const counts: Record<string, number> = {};
  const lastMs = new Map<string, number>();
  return {
    note(decision: MotionDecision, atMs: number): void {
      if (decision.kind !== 'suppressed') return;
      const before = lastMs.get(decision.reason);
      lastMs.set(decision.reason, atMs);
      if (before !== undefined && atMs - before <= SAME_MS) return;
      counts[decision.reason] = (counts[decision.reason] ?? 0) + 1;
    },
    counts: (): Readonly<Record<string, number>> => ({ ...counts }),
  };
}
