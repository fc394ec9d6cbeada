import type { SuppressionReason } from '@dachawatch/contracts';
import { createMotionDetector, type MotionDetectorDeps } from '../../../../agent/motion/motion.ts';

/** What was decided about one picture. */
export interface Witnessed {
  /** When it was decided: adaptive decoding shows the detector some pictures late. */
  readonly atMs: number;
  readonly kind: 'quiet' | 'suppressed' | 'motion';
  readonly reason?: SuppressionReason;
}

/** What the detector took of its thread. */
export interface DetectorCost {
  readonly cpuS: number;
  readonly pixels: number;
  /** CPU of each picture in which nothing moved, milliseconds. */
  readonly quietMs: readonly number[];
}

/** The product's own detector, with somebody who notes what it decides and what that costs.
 *  @param nowMs on the time line of the pictures; default: when they were taken */
export function createWitness(nowMs?: () => number) {
  const seen: Witnessed[] = [];
  let cpuUs = 0;
  let pixels = 0;
  let quietMs: number[] = [];
  return {
    seen: (): readonly Witnessed[] => seen,
    /** CPU of the detector alone, on the thread it runs on. */
    cost: (): DetectorCost => ({ cpuS: cpuUs / 1e6, pixels, quietMs }),
    forgetCost: (): void => {
      cpuUs = 0;
      pixels = 0;
      quietMs = [];
    },
    createDetector: (deps: MotionDetectorDeps): ReturnType<typeof createMotionDetector> => {
      const detector = createMotionDetector(deps);
      return {
        ...detector,
        analyse(frame, takenMs) {
          const beforeUs = threadCpuUs();
          const decision = detector.analyse(frame, takenMs);
          const tookUs = threadCpuUs() - beforeUs;
          cpuUs += tookUs;
          pixels += frame.length;
          const { kind } = decision;
          const atMs = nowMs?.() ?? takenMs;
          if (kind === 'quiet') quietMs.push(tookUs / 1000);
          seen.push(kind === 'suppressed' ? { atMs, kind, reason: decision.reason } : { atMs, kind });
          return decision;
        },
      };
    },
  };
}

/** CPU of this thread until now, microseconds. Linux notes the time of a running thread at its ticks only, several
 *  milliseconds apart, and up to this moment when it is asked for the whole process: so that is asked first. */
function threadCpuUs(): number {
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
