import type { SuppressionReason, Zone } from '@dachawatch/contracts';
import type { Region } from '../../../../../agent/motion/motion.ts';
import type { MotionDecision } from '../../../../../agent/motion/motion.ts';
import { createMotionGate } from '../../../../../agent/motion/zones/gate.ts';
import type { GateDecision } from '../../../../../agent/motion/zones/zone-model.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';

export const SIZE = { width: 320, height: 180 } as const;
export const NOON_MS = Date.UTC(2026, 10, 20, 12);

/** What a scripted model says about the frame of this moment. */
export type Script = (atMs: number, sensitivity: number) => MotionDecision;

export function moving(...regions: Region[]): MotionDecision {
  const found = { kind: 'motion' as const, regions, tracks: regions.map((_, i) => i), presence: false };
  return found;
}
export const unsure = (reason: SuppressionReason, ...regions: Region[]): MotionDecision => ({
  kind: 'suppressed',
  reason,
  regions,
});
/** A box of this size that stands at x, y: the middle of its lower edge. */
export const standing = (x: number, y: number, width = 0.06, height = 0.25): Region => [
  x - width / 2,
  y - height,
  x + width / 2,
  y,
];

/** The left half of the picture. */
export const LEFT: Zone['polygon'] = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];
/** Somebody in the left half, and in the right one. */
export const here = standing(0.25, 0.7);
export const there = standing(0.75, 0.7);

/** A gate over a model that says what the script says, and a clock that the test sets. */
export function createGateRig(settings: Partial<ZoneSettings>, script: Script) {
  const clock = { wallMs: NOON_MS, nowMs: () => clock.wallMs };
  const whole: ZoneSettings = { sensitivity: 5, ...settings };
  const asked: { sensitivity: number; mask: Uint8Array | undefined; frame?: Uint8Array }[] = [];
  const gate = createMotionGate({
    settings: whole,
    size: SIZE,
    framesPerSecond: 5,
    clock,
    createDetector: (deps) => {
      const note: (typeof asked)[number] = {
        sensitivity: deps.sensitivity,
        mask: deps.mask,
      };
      asked.push(note);
      return {
        analyse: (frame, atMs) => {
          note.frame = frame;
          return script(atMs, deps.sensitivity);
        },
      };
    },
  });
  const frame = new Uint8Array(SIZE.width * SIZE.height).fill(90);
  return {
    gate,
    clock,
    asked,
    frame,
    settings: whole,
    /** @returns the decisions on frames 200 ms apart */
    watch(frames: number, everyMs = 200): GateDecision[] {
      return Array.from({ length: frames }, (_, n) => {
        clock.wallMs = NOON_MS + n * everyMs;
        return structuredClone(gate.analyse(frame, 1_000 + n * everyMs));
      });
    },
  };
}

export const said = (decisions: readonly GateDecision[]) =>
  decisions.map((decision) =>
    decision.kind === 'motion'
      ? 'id' in decision.cause
        ? `${decision.cause.kind} ${decision.cause.id}`
        : decision.cause.kind
      : decision.kind === 'suppressed'
        ? decision.reason
        : 'quiet',
  );
