import { type AnalysisDetails, BOXES_MAX } from '@dachawatch/contracts';
import { importance } from '../detectors/coco-labels.ts';
import type { Detection, RelativeBox } from '../detectors/detector.ts';

/** A label seen in one frame only counts when the detector is so sure. False hits last a frame, things that are
 *  there are seen again half a second later. */
const SURE = 0.6;
/** Otherwise it has to be seen in so many analysed frames. */
const STEADY_FRAMES = 2;

export interface BestFrame {
  readonly atMs: number;
  /** Everything reported that is in that frame, the most important first. */
  readonly detections: readonly Detection[];
}

interface Sighting {
  countMax: number;
  frames: number;
  firstMs: number;
  lastMs: number;
  best: { atMs: number; confidence: number; detections: readonly Detection[] };
}

/** Collects what the frames of a clip show.
 *  A label is reported when it is in two analysed frames, or in one with a confidence of 0.6; when only one frame
 *  was analysed there is no second opinion to wait for. What it means (a person at the house, nothing at all) is
 *  decided by the orchestration, not here. */
export function createSightings() {
  const byLabel = new Map<string, Sighting>();
  let analysed = 0;

  function add(atMs: number, detections: readonly Detection[]): void {
    analysed++;
    for (const [label, group] of Map.groupBy(detections, (detection) => detection.label)) {
      const confidence = Math.max(...group.map((detection) => detection.confidence));
      const best = { atMs, confidence, detections };
      const known = byLabel.get(label);
      if (!known) {
        byLabel.set(label, { countMax: group.length, frames: 1, firstMs: atMs, lastMs: atMs, best });
        continue;
      }
      known.countMax = Math.max(known.countMax, group.length);
      known.frames++;
      known.lastMs = atMs;
      if (confidence > known.best.confidence) known.best = best;
    }
  }

  function reported(): [string, Sighting][] {
    const needed = Math.min(STEADY_FRAMES, analysed);
    return [...byLabel]
      .filter(([, sighting]) => sighting.frames >= needed || sighting.best.confidence >= SURE)
      .toSorted(
        ([a, seenA], [b, seenB]) =>
          importance(a) - importance(b) || seenB.best.confidence - seenA.best.confidence,
      );
  }

  /** The frame that shows the most important label best; undefined when nothing is reported. */
  function bestFrame(): BestFrame | undefined {
    const labels = reported();
    const [first] = labels;
    if (!first) return undefined;
    const { atMs, detections } = first[1].best;
    const names = new Set(labels.map(([label]) => label));
    return {
      atMs,
      detections: detections
        .filter(({ label }) => names.has(label))
        .toSorted((a, b) => importance(a.label) - importance(b.label) || b.confidence - a.confidence),
    };
  }

  function summary(): AnalysisDetails['detections'] {
    const best = bestFrame();
    return reported().map(([label, sighting]) => ({
      label,
      count_max: sighting.countMax,
      confidence_max: rounded(sighting.best.confidence),
      first_ms: sighting.firstMs,
      last_ms: sighting.lastMs,
      frames: sighting.frames,
      boxes: (best?.detections ?? [])
        .filter((detection) => detection.label === label)
        .slice(0, BOXES_MAX)
        .map(({ box }) => box.map(rounded) as RelativeBox),
    }));
  }

  return { add, bestFrame, summary, analysed: () => analysed };
}

/** Four digits: a tenth of a pixel of a 1000 pixel picture; the rest is noise in the message. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
