import { GREY } from '../../../../agent/capture/child/pipelines.ts';
import { readGreyFrames } from './grey-frames.ts';
import type { BenchClip } from './manifest.ts';
import { runOf, type Run } from './measure.ts';
import { createVary, type Variation } from './vary.ts';
import { createWitness } from './witness.ts';

export interface DirectOptions {
  /** Distance of the pictures. */
  readonly everyMs: number;
  readonly sensitivity: number;
  /** So many detectors look on, each with its first picture `everyMs / phases` later than the one before. */
  readonly phases: number;
  /** How the pictures are shown to all of them; as they are without it. */
  readonly variation?: Variation | undefined;
}

/** One clip straight from file, as fast as it goes.
 *  @returns a run for each phase; the decoder's CPU is shared among them */
export async function runDirect(
  clip: Pick<BenchClip, 'path' | 'leadInS'>,
  { everyMs, sensitivity, phases, variation }: DirectOptions,
): Promise<Run[]> {
  const watchers = Array.from({ length: phases }, () => {
    const witness = createWitness();
    const detector = witness.createDetector({ size: GREY, framesPerSecond: 1000 / everyMs, sensitivity });
    return { witness, detector, frames: 0 };
  });
  const vary = variation ? createVary(variation, GREY) : undefined;
  let turn = 0;
  const { decoderCpuS } = await readGreyFrames(
    { file: clip.path, everyMs: everyMs / phases, leadInS: clip.leadInS },
    (frame, atS) => {
      const watcher = watchers[turn++ % phases] as (typeof watchers)[number];
      // Any beginning will do, but monotonic time is never negative.
      watcher.detector.analyse(vary?.(frame, atS) ?? frame, (atS + clip.leadInS) * 1000);
      watcher.frames++;
    },
  );
  return watchers.map(({ witness, frames }) => {
    const cost = witness.cost();
    const decisions = witness
      .seen()
      .map(({ atMs, ...said }) => ({ ...said, atS: atMs / 1000 - clip.leadInS }));
    return runOf(decisions, everyMs / 1000, {
      watchedS: (frames * everyMs) / 1000,
      cpuS: decoderCpuS / phases + cost.cpuS,
      detector: cost,
    });
  });
}
