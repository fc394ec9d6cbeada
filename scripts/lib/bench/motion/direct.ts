import { createAdaptiveWatcher } from './adaptive.ts';
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
  /** Decoded adaptively, with key pictures this far apart; everything is decoded without it. */
  readonly keysMs?: number | undefined;
  /** How the pictures are shown to all of them; as they are without it. */
  readonly variation?: Variation | undefined;
}

/** One clip straight from file, as fast as it goes.
 *  @returns a run for each phase; the decoder's CPU is shared among them */
export async function runDirect(
  clip: Pick<BenchClip, 'path' | 'leadInS'>,
  options: DirectOptions,
): Promise<Run[]> {
  const { everyMs, phases, variation, keysMs } = options;
  const watchers = Array.from({ length: phases }, (_, phase) => createWatcher(options, phase));
  const vary = variation ? createVary(variation, GREY) : undefined;
  let turn = 0;
  const { decoderCpuS } = await readGreyFrames(
    // With key pictures it is those that fall elsewhere in each phase.
    { file: clip.path, everyMs: keysMs ? everyMs : everyMs / phases, leadInS: clip.leadInS },
    (frame, atS) => {
      const shown = vary?.(frame, atS) ?? frame;
      // Any beginning will do, but monotonic time is never negative.
      const atMs = (atS + clip.leadInS) * 1000;
      if (keysMs) for (const watcher of watchers) watcher.picture(shown, atMs);
      else watchers[turn++ % phases]?.picture(shown, atMs);
    },
  );
  return watchers.map(({ witness, frames, share }) => {
    const cost = witness.cost();
    const decisions = witness
      .seen()
      .map(({ atMs, ...said }) => ({ ...said, atS: atMs / 1000 - clip.leadInS }));
    return runOf(decisions, everyMs / 1000, {
      watchedS: (frames() * everyMs) / 1000,
      cpuS: decoderCpuS / phases + cost.cpuS,
      detector: cost,
      ...(keysMs && { decodedShare: share() }),
    });
  });
}

/** A detector, and what shows it pictures. */
function createWatcher({ everyMs, sensitivity, phases, keysMs }: DirectOptions, phase: number) {
  const clock = { nowMs: 0 };
  const witness = createWitness(() => clock.nowMs);
  const detector = witness.createDetector({ size: GREY, framesPerSecond: 1000 / everyMs, sensitivity });
  const group = Math.round((keysMs ?? everyMs) / everyMs);
  const first = Math.floor((phase * group) / phases);
  const adaptive = keysMs
    ? createAdaptiveWatcher({ detector, clock, isKey: (n) => n === 0 || n % group === first })
    : undefined;
  let frames = 0;
  return {
    witness,
    frames: () => frames,
    share: () => adaptive?.share() ?? 1,
    picture(frame: Uint8Array, atMs: number): void {
      frames++;
      clock.nowMs = atMs;
      if (adaptive) adaptive.picture(frame, atMs);
      else detector.analyse(frame, atMs);
    },
  };
}
