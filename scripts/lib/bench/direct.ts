import { GREY } from '../../../agent/capture/pipelines.ts';
import { readGreyFrames } from './grey-frames.ts';
import type { BenchClip } from './manifest.ts';
import { runOf, type Run } from './measure.ts';
import { createWitness } from './witness.ts';

/** One clip straight from file, as fast as it goes. */
export async function runDirect(
  clip: Pick<BenchClip, 'path' | 'leadInS'>,
  { everyMs, sensitivity }: { readonly everyMs: number; readonly sensitivity: number },
): Promise<Run> {
  const witness = createWitness();
  const detector = witness.createDetector({ size: GREY, framesPerSecond: 1000 / everyMs, sensitivity });
  const { decoderCpuS, frames } = await readGreyFrames(
    { file: clip.path, everyMs, leadInS: clip.leadInS },
    (frame, atS) => {
      // Any beginning will do, but monotonic time is never negative.
      detector.analyse(frame, (atS + clip.leadInS) * 1000);
    },
  );
  const decisions = witness.seen().map(({ atMs, ...said }) => ({ ...said, atS: atMs / 1000 - clip.leadInS }));
  const cost = witness.cost();
  return runOf(decisions, everyMs / 1000, {
    watchedS: (frames * everyMs) / 1000,
    cpuS: decoderCpuS + cost.cpuS,
    detector: cost,
  });
}
