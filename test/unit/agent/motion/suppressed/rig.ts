import { createSuppressedSampler } from '../../../../../agent/motion/suppressed/sampler.ts';
import type { SuppressedRecord } from '../../../../../agent/motion/suppressed/record.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';
import type { GateDecision } from '../../../../../agent/motion/zones/zone-model.ts';
import { createGateRig, NOON_MS, type Script, SIZE } from '../zones/gate-rig.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 12);
export const HOUR_MS = 3_600_000;

/** A note as a store keeps it, of about so many bytes. */
export const note = (atMs: number, reason = 'in-place', bytes = 3_000): SuppressedRecord => ({
  version: 1,
  atMs,
  reason,
  models: [],
  settings: { sensitivity: 5 },
  pictures: [{ afterMs: 0, grey: 'A'.repeat(bytes) }],
});

/** A gate over a model that says what the script says, and a sampler that looks at each of its decisions. */
export function createSamplerRig(
  settings: Partial<ZoneSettings>,
  script: Script,
  emit: (record: SuppressedRecord) => void,
) {
  const { gate, clock, frame, settings: whole } = createGateRig(settings, script);
  const sampler = createSuppressedSampler({ gate, settings: whole, size: SIZE, clock, emit });
  return {
    frame,
    /** The frame number `n`, 200 ms after the one before it.
     *  @param isFresh whether the decision on it is counted anew */
    show(n: number, isFresh: (decision: GateDecision) => boolean): void {
      clock.wallMs = NOON_MS + n * 200;
      const atMs = 1_000 + n * 200;
      const decision = gate.analyse(frame, atMs);
      sampler.note(decision, isFresh(decision), atMs);
    },
  };
}
