import type { AnalysisDetails } from '@dachawatch/contracts';
import type { CodedPicture } from './coded-pictures.ts';

export type Coverage = NonNullable<AnalysisDetails['coverage']>;

/** Pictures may lie so much further apart than usual before something counts as missing: encoders skip some. */
const SKIPPED_MS = 500;
/** Times are told in microseconds by the one and in ticks by the other. */
const SAME_MS = 2;
/** A container may say what it likes. */
const LONGEST_MS = 1e12;

export interface CoverageDeps {
  /** Coded pictures in the order of the file. */
  readonly pictures: readonly CodedPicture[];
  /** The container does not tell when they are shown: they can only be counted. */
  readonly timeless: boolean;
  /** Times of the pictures that decoded without an error, milliseconds in the clip. */
  readonly decodedMs: readonly number[];
  /** How long the clip should be, when anybody says so. */
  readonly expectedMs: number | undefined;
  /** Analysed frames that are of one single colour. */
  readonly blank: number;
}

/** How much of a clip was seen.
 *  A picture counts as seen when it decoded without an error, and so did all it may rest on, back to a key frame: after
 *  one that did not decode, and after one that is missing, what follows shows garbage until the next key frame. It
 *  stands for the time up to the next one, when that comes about as soon as it usually does. */
export function coverageOf(deps: CoverageDeps): Coverage {
  return deps.timeless ? byCount(deps) : byTime(deps);
}

/** The share of the pictures that decoded is that of the time; what is missing may lie in one piece. */
function byCount({ pictures, decodedMs, expectedMs = 0, blank }: CoverageDeps): Coverage {
  const expected = pictures.length;
  const seen = Math.min(decodedMs.length, expected);
  const wholeMs = Math.min(LONGEST_MS, Math.round(expectedMs));
  const seenMs = expected === 0 ? 0 : Math.round((wholeMs * seen) / expected);
  return {
    expected_ms: wholeMs,
    seen_ms: seenMs,
    longest_gap_ms: wholeMs - seenMs,
    pictures: expected,
    pictures_seen: seen,
    blank_frames: blank,
  };
}

function byTime({ pictures, decodedMs, expectedMs, blank }: CoverageDeps): Coverage {
  const decoded = new Set(decodedMs.map(Math.round));
  const isDecoded = (atMs: number) => {
    for (let off = -SAME_MS; off <= SAME_MS; off++) if (decoded.has(Math.round(atMs) + off)) return true;
    return false;
  };
  const times = pictures.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  const usualMs = usualDistanceMs(pictures);
  const firstMs = times[0] ?? 0;
  const spanMs = times.length > 0 ? (times.at(-1) as number) - firstMs + usualMs : 0;
  const wholeMs = Math.min(LONGEST_MS, Math.max(expectedMs ?? 0, spanMs));

  // In the order of time: with pictures that rest on later ones, the file jumps ahead without anything missing.
  const jumps = times.filter((atMs, at) => atMs - (times[at - 1] ?? atMs) > usualMs + SKIPPED_MS);
  const seen: number[] = [];
  let trusted = false;
  let jump = 0;
  for (const { atMs, key } of pictures) {
    let missing = false;
    for (; (jumps[jump] ?? Infinity) <= atMs; jump++) missing = true;
    trusted = isDecoded(atMs) && (key || (trusted && !missing));
    if (trusted) seen.push(atMs - firstMs);
  }
  seen.sort((a, b) => a - b);
  let seenMs = 0;
  let gapMs = seen[0] ?? wholeMs;
  for (const [index, atMs] of seen.entries()) {
    const toNext = (seen[index + 1] ?? wholeMs) - atMs;
    const missingMs = toNext > usualMs + SKIPPED_MS ? toNext - usualMs : 0;
    seenMs += toNext - missingMs;
    gapMs = Math.max(gapMs, missingMs);
  }
  return {
    expected_ms: Math.round(wholeMs),
    seen_ms: Math.round(Math.min(seenMs, wholeMs)),
    longest_gap_ms: Math.round(gapMs),
    pictures: pictures.length,
    pictures_seen: seen.length,
    blank_frames: blank,
  };
}

/** How far apart pictures usually are shown; 0 when there are fewer than two. */
export function usualDistanceMs(pictures: readonly CodedPicture[]): number {
  const times = pictures.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  const distances = times
    .slice(1)
    .map((atMs, index) => atMs - (times[index] as number))
    .filter((ms) => ms > 0)
    .toSorted((a, b) => a - b);
  return distances[distances.length >> 1] ?? 0;
}
