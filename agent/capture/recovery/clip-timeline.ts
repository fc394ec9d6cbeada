import type { WholeFragment } from './clip-scan.ts';

/** A fragment may begin so much beside the end of the one before: rounding. Seconds. */
const ROUNDING_S = 0.02;
/** A hole in a clip is shorter; a base time further ahead was damaged. Seconds. */
const MAX_GAP_S = 60;
/** The largest base time that 32 bits hold. */
const LATEST_TICKS = 2 ** 32 - 1;
/** How many fragments one chain may pass over in one place. */
const LOOK_BACK = 64;

/** A fragment with its place on the clip's time line, which is not always what its `moof` says. */
export interface PlacedFragment extends WholeFragment {
  readonly placeTicks: number;
}

const endOf = ({ baseTicks, durationTicks }: WholeFragment) => baseTicks + durationTicks;

/** Puts the fragments of a damaged clip on one time line that only goes forward.
 *  Times may be damaged as everything else: the longest chain of fragments that follow each other is believed. What is
 *  not in it is placed where there is room for it, in the order of the file; what finds none, and what is there twice,
 *  is left out. */
export function onOneTimeline(fragments: readonly WholeFragment[], timescale: number): PlacedFragment[] {
  const chain = longestChain(fragments, timescale);
  const taken = new Set(chain.map((index) => contentOf(fragments[index] as WholeFragment)));
  const isNew = (one: WholeFragment) => {
    const before = taken.size;
    return taken.add(contentOf(one)).size > before;
  };
  const placed: PlacedFragment[] = [];
  let cursor = fragments[chain[0] ?? 0]?.baseTicks ?? 0;
  for (const one of fragments.slice(0, chain[0] ?? 0).toReversed()) {
    if (cursor < one.durationTicks || !isNew(one)) continue;
    cursor -= one.durationTicks;
    placed.unshift({ ...one, placeTicks: cursor });
  }
  for (const [step, index] of chain.entries()) {
    const one = fragments[index] as WholeFragment;
    placed.push({ ...one, placeTicks: one.baseTicks });
    cursor = endOf(one);
    const next = fragments[chain[step + 1] ?? fragments.length];
    for (const other of fragments.slice(index + 1, chain[step + 1])) {
      const limit = Math.min(
        LATEST_TICKS,
        next ? next.baseTicks + timescale * ROUNDING_S : cursor + timescale * MAX_GAP_S,
      );
      if (cursor + other.durationTicks > limit || !isNew(other)) continue;
      // Its own time, when nothing speaks against it.
      const own = next && other.baseTicks >= cursor && endOf(other) <= limit;
      const placeTicks = own ? other.baseTicks : cursor;
      placed.push({ ...other, placeTicks });
      cursor = placeTicks + other.durationTicks;
    }
  }
  return placed;
}

/** A fragment that was written twice has the same time and the same samples. */
const contentOf = ({ moof, baseTicks, end, at }: WholeFragment) =>
  `${baseTicks} ${end - at} ${moof.subarray(moof.indexOf('trun', 0, 'latin1')).toString('latin1')}`;

/** Indexes of the longest chain; of several as long the one with most fragments that touch. */
function longestChain(fragments: readonly WholeFragment[], timescale: number): number[] {
  const best: { score: number; from: number }[] = [];
  for (const [index, next] of fragments.entries()) {
    let link = { score: 0, from: -1 };
    for (let from = index - 1; from >= Math.max(0, index - LOOK_BACK); from--) {
      const score =
        (best[from]?.score ?? 0) +
        linkScore(fragments[from] as WholeFragment, next, from === index - 1, timescale);
      // Of two as good the nearer one: when two overlap, the duration of the first was damaged.
      if (score > link.score && score > (best[from]?.score ?? 0)) link = { score, from };
    }
    best.push(link);
  }
  let index = best.reduce((top, { score }, at) => (score > (best[top]?.score ?? 0) ? at : top), 0);
  const chain: number[] = [];
  for (; index >= 0 && index < fragments.length; index = best[index]?.from ?? -1) chain.unshift(index);
  return chain;
}

/** How well one follows the other; 0: not at all. What lies side by side in the file has no gap in time, because the
 *  muxer knows none. */
function linkScore(one: WholeFragment, next: WholeFragment, neighbours: boolean, timescale: number): number {
  const gap = next.baseTicks - endOf(one);
  if (Math.abs(gap) <= timescale * ROUNDING_S) return 3;
  if (gap < 0 || gap > timescale * MAX_GAP_S || (neighbours && next.follows)) return 0;
  return 2;
}
