/** One judged picture. */
export interface Judged {
  readonly atS: number;
  readonly kind: 'quiet' | 'suppressed' | 'motion';
  readonly reason?: string;
  /** What counted, in words. */
  readonly cause?: string;
}

export interface Moment {
  /** Among all pictures of the clip. */
  readonly index: number;
  readonly what: string;
}

/** A change of mind that lasts shorter is not worth a picture. */
const LEAST_PICTURES = 2;
const LEAST_APART = 3;
const MOST_OF_A_REASON = 2;

/** The pictures that a person who tunes wants to see: where motion begins and where it ends, and the middle of what
 *  was suppressed longest for each reason. Sorted by time.
 *  @param most how many at most */
export function interestingMoments(judged: readonly Judged[], most: number): Moment[] {
  const episodes = episodesOf(judged);
  const motion = episodes.filter(({ kind }) => kind === 'motion');
  const wanted: Moment[] = [
    ...motion.map(({ from }) => ({ index: from, what: 'motion begins' })),
    ...turns(episodes.filter(({ kind, from, to }) => kind === 'suppressed' && to - from >= LEAST_PICTURES)),
    ...motion
      .filter(({ from, to }) => to - from > LEAST_APART)
      .map(({ to }) => ({ index: to - 1, what: 'motion ends' })),
  ];
  // The rest of the room goes to the middle of what lasted long, motion above all.
  wanted.push(
    ...motion
      .toSorted((a, b) => b.to - b.from - (a.to - a.from))
      .map(({ from, to }) => ({ index: (from + to) >> 1, what: 'motion' })),
  );
  const chosen: Moment[] = [];
  for (const moment of wanted) {
    if (chosen.length === most) break;
    if (chosen.every(({ index }) => Math.abs(index - moment.index) >= LEAST_APART)) chosen.push(moment);
  }
  return chosen.toSorted((a, b) => a.index - b.index);
}

interface Episode {
  readonly kind: Judged['kind'];
  readonly reason: string;
  readonly from: number;
  /** The first picture that is no longer part of it. */
  to: number;
}

function episodesOf(judged: readonly Judged[]): Episode[] {
  const episodes: Episode[] = [];
  judged.forEach(({ kind, reason = '' }, index) => {
    const last = episodes.at(-1);
    if (last?.kind === kind && last.reason === reason) last.to = index + 1;
    else episodes.push({ kind, reason, from: index, to: index + 1 });
  });
  return episodes;
}

/** The longest of each reason, then the second longest of each. */
function turns(episodes: readonly Episode[]): Moment[] {
  const byReason = new Map<string, Episode[]>();
  for (const episode of episodes.toSorted((a, b) => b.to - b.from - (a.to - a.from)))
    byReason.set(episode.reason, [...(byReason.get(episode.reason) ?? []), episode]);
  const ranked = [...byReason.values()].flatMap((list) => list.map((episode, rank) => ({ episode, rank })));
  return ranked
    .filter(({ rank }) => rank < MOST_OF_A_REASON)
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ episode: { from, to, reason } }) => ({ index: (from + to) >> 1, what: `suppressed: ${reason}` }));
}

export const timeOf = ({ atS }: Judged): string => `${atS.toFixed(1)} s`;

export const wordsOf = ({ kind, reason, cause }: Judged): string =>
  kind === 'suppressed' ? `suppressed: ${reason}` : [kind, cause].filter(Boolean).join(': ');
