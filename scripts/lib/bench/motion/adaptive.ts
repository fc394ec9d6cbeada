import { createAdaptiveDecoding } from '../../../../agent/capture/child/decoding/adaptive-decoding.ts';
import { createDecodingPolicy } from '../../../../agent/capture/child/decoding/decoding-policy.ts';
import { GREY } from '../../../../agent/capture/child/pipelines.ts';
import type { CodedPicture } from '../../../../agent/capture/packing/coded-pictures.ts';
import type { MotionDetector } from '../../../../agent/motion/motion.ts';

/** As many as are held, and those on their way. */
const KEPT = 200;
const NO_SETS = { spsUnit: Buffer.alloc(0), ppsUnits: [] };

export interface AdaptiveWatcher {
  /** A picture of the watched stream came. */
  picture(grey: Uint8Array, atMs: number): void;
  /** Share of the pictures that was decoded; those that were decoded twice count twice. */
  share(): number;
}

/** The product's adaptive decoding before a detector, with a decoder that has decoded everything already: what it is
 *  given comes out at once.
 *  @param isKey whether the n-th picture is a key picture */
export function createAdaptiveWatcher(deps: {
  readonly detector: MotionDetector;
  readonly isKey: (n: number) => boolean;
  readonly clock: { nowMs: number };
}): AdaptiveWatcher {
  const { detector, isKey, clock } = deps;
  const greys = Array.from({ length: KEPT }, () => Buffer.alloc(GREY.width * GREY.height));
  const out: number[] = [];
  let count = 0;
  const decoding = createAdaptiveDecoding({
    policy: createDecodingPolicy(),
    framesPerSecond: GREY.framesPerSecond,
    clock: { monotonicMs: () => clock.nowMs, sleep: () => Promise.resolve() },
    stage: {
      suspects: (grey) => detector.suspects?.(grey) ?? true,
      frame: (grey, atMs) => {
        const decision = detector.analyse(grey, atMs);
        return decision.kind === 'motion' ? { ...decision, cause: { kind: 'picture' } } : decision;
      },
    },
    decoder: () => ({
      push: (coded) => void out.push(coded.readUInt32BE(coded.length - 4)),
      waiting: () => ({ buffers: 0, bytes: 0 }),
    }),
  });
  return {
    picture(grey, atMs) {
      const n = count++;
      greys[n % KEPT]?.set(grey);
      decoding.coded(codedOf(n, isKey(n), atMs), atMs);
      for (let at = out.shift(); at !== undefined; at = out.shift())
        decoding.decoded(greys[at % KEPT] as Buffer);
    },
    share: () => decoding.report().decoded / Math.max(1, count),
  };
}

/** A picture whose only content is its number. */
function codedOf(n: number, key: boolean, arrivedMs: number): CodedPicture {
  const unit = Buffer.alloc(8);
  unit.writeUInt32BE(n, 4);
  const sets = key ? (NO_SETS as unknown as NonNullable<CodedPicture['sets']>) : undefined;
  return { units: [unit], bytes: unit.length, sets, reordered: false, stampMs: arrivedMs, arrivedMs };
}
