import type { CameraConfig, SuppressionCounts, SuppressionReason } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import {
  type Cause,
  createMotionDetector,
  createMotionGate,
  createSuppressedSampler,
  type GateDecision,
  type MotionGate,
  type SuppressedRecord,
} from '../../motion/motion.ts';
import { GREY } from './pipelines.ts';
import { createSuppressedCount } from './suppressed-count.ts';

export interface MotionStageDeps {
  readonly camera: CameraConfig;
  readonly clock: Clock;
  readonly createDetector?: typeof createMotionDetector | undefined;
  /** @returns why no clip shall hold it */
  motion(atMs: number, cause: Cause): SuppressionReason | undefined;
  /** What happens during a recording is on it. */
  recording(): boolean;
  suppressed(record: SuppressedRecord): void;
}

export interface MotionStage {
  /** @param atMs monotonic milliseconds
   *  @returns what was made of it, valid until the next */
  frame(grey: Buffer, atMs: number): GateDecision;
  /** Whether a frame shows anything that may become motion; nothing is made of it. */
  suspects(grey: Buffer): boolean;
  /** Other zones, masks, lines, sensitivity from the next frame on. */
  reconfigure(camera: CameraConfig): void;
  /** Suppressed triggers by reason. */
  counts(): SuppressionCounts;
}

/** Grey frames in, motion and what was suppressed out. What the model knows of the scene outlives other settings,
 *  except for other masks. */
export function createMotionStage(deps: MotionStageDeps): MotionStage {
  const { clock, createDetector = createMotionDetector } = deps;
  const count = createSuppressedCount();
  let { gate, sampler } = setUp(deps.camera);

  function setUp(settings: CameraConfig, before?: MotionGate) {
    const gate = createMotionGate({
      settings,
      size: GREY,
      framesPerSecond: GREY.framesPerSecond,
      createDetector,
      clock,
      ...(before ? { before } : {}),
    });
    const emit = (record: SuppressedRecord) => deps.suppressed(record);
    return { gate, sampler: createSuppressedSampler({ gate, settings, size: GREY, clock, emit }) };
  }

  function moved(motion: Extract<GateDecision, { kind: 'motion' }>, atMs: number): GateDecision {
    const reason = deps.motion(atMs, motion.cause);
    return reason ? { kind: 'suppressed', reason, regions: motion.regions } : motion;
  }

  return {
    frame: (grey, atMs) => {
      const decision = gate.analyse(grey, atMs);
      const noted = decision.kind === 'motion' ? moved(decision, atMs) : decision;
      const fresh = count.note(noted, atMs);
      sampler.note(noted, fresh && !deps.recording(), atMs);
      return decision;
    },
    suspects: (grey) => gate.suspects(grey),
    reconfigure: (camera) => {
      ({ gate, sampler } = setUp(camera, gate));
    },
    counts: () => count.counts(),
  };
}
