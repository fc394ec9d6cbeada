import type { Detection, RelativeBox } from '../../detectors/detector.ts';

/** A person seen that surely needs no closer look. */
const SURE = 0.6;
/** A hint is followed for so long, and so often. */
const FOLLOWED_MS = 1_600;
const FOLLOWED_TIMES = 12;
/** Hints whose boxes begin so near to each other are one. */
const SAME_PLACE = 0.05;

/** Remembers where a person may be: the next frame is looked at closely there. */
export function createHints() {
  let last: { atMs: number; box: RelativeBox; times: number } | undefined;

  function add(atMs: number, things: readonly Detection[]): void {
    const [best] = things
      .filter(({ label, confidence }) => label === 'person' && confidence < SURE)
      .toSorted((a, b) => b.confidence - a.confidence);
    if (!best) return;
    const again = last !== undefined && Math.abs(last.box[0] - best.box[0]) < SAME_PLACE;
    last = { atMs, box: best.box, times: again ? (last?.times ?? 0) + 1 : 0 };
  }

  /** Boxes to look at now. */
  const at = (atMs: number): RelativeBox[] =>
    last && atMs - last.atMs <= FOLLOWED_MS && last.times <= FOLLOWED_TIMES ? [last.box] : [];

  return { add, at };
}
