import { createMotionDetector, type MotionDetectorDeps } from '../../../agent/motion/motion.ts';

/** What was decided about one picture. */
export interface Witnessed {
  /** The moment given to the detector. */
  readonly atMs: number;
  readonly kind: 'quiet' | 'suppressed' | 'motion';
  readonly reason?: string;
}

/** What the detector took of its thread. */
export interface DetectorCost {
  readonly cpuS: number;
  readonly pixels: number;
  /** Time of each picture in which nothing moved, milliseconds. Not CPU time, which many machines count in ticks of
   *  several milliseconds: on a busy machine some of them have waited. */
  readonly quietMs: readonly number[];
}

/** The product's own detector, with somebody who notes what it decides and what that costs. */
export function createWitness() {
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
        analyse(frame, atMs) {
          const fromMs = performance.now();
          const before = process.threadCpuUsage();
          const decision = detector.analyse(frame, atMs);
          const { user, system } = process.threadCpuUsage(before);
          const tookMs = performance.now() - fromMs;
          cpuUs += user + system;
          pixels += frame.length;
          const { kind } = decision;
          if (kind === 'quiet') quietMs.push(tookMs);
          seen.push(kind === 'suppressed' ? { atMs, kind, reason: decision.reason } : { atMs, kind });
          return decision;
        },
      };
    },
  };
}
