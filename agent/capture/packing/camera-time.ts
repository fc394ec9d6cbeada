/** When a picture was shown, on a time line of our own. */
export interface PlacedPicture {
  /** Milliseconds since the first picture, in real time. */
  readonly mediaMs: number;
  /** From here on the camera counts from another beginning. */
  readonly stepped: boolean;
}

export interface CameraTime {
  place(picture: {
    readonly stampMs: number | undefined;
    readonly arrivedMs: number;
    readonly reordered: boolean;
  }): PlacedPicture;
  /** How long pictures last, usually. */
  readonly frameMs: number;
}

/** A stamp may be this much ahead of the fastest arrival seen lately. */
const AHEAD_MS = 1_000;
/** Pictures may come this late; beyond that it is the camera's clock that stands still. */
const LATE_MS = 10_000;
/** B pictures lie at most this far before the picture they were sent behind. */
const REORDER_MS = 1_000;
const WINDOW_MS = 10_000;
/** The clock's rate is measured with the fastest arrival of each half second of the last twenty. */
const BUCKET_MS = 500;
const BUCKETS = 40;
const ENOUGH_BUCKETS = 12;
/** A rate that is measured to be this close to ours is ours. */
const SAME_RATE = 0.03;
const USABLE_RATES = { least: 0.25, most: 4 } as const;
const FIRST_FRAME_MS = 66;
const LONGEST_FRAME_MS = 2_000;
/** A picture that came this much later than usual was taken later. */
const FAR_MS = 1_000;

/** Makes a time line out of a camera's stamps and of the moments its pictures come.
 *
 *  Stamps tell the time between two pictures well, arrivals badly; but stamps can be wrong in ways that arrivals
 *  cannot. So stamps count as long as they agree with arrivals: a picture is never shown later than it came, never
 *  before the one before it, and not ten seconds before it came. One that disagrees is placed by its arrival. When
 *  the next one agrees with that one's stamp, the camera's clock was set: from there on its stamps count again.
 *  Otherwise it was one odd stamp, and nothing else happens. A clock that is too slow or too fast shows in arrivals
 *  that drift away from stamps steadily: what it counts is stretched or shortened to real time.
 *  Invariants
 *  1. Each picture that is no B picture is placed behind all before it.
 *  2. Over any longer time the line advances as our monotonic clock does. */
export function createCameraTime(): CameraTime {
  let anchor: { stampMs: number | undefined; mediaMs: number; arrivedMs: number } | undefined;
  /** The last picture that was placed by its arrival, if the stamp of the next one shall be compared with it. */
  let candidate: { stampMs: number; mediaMs: number; arrivedMs: number } | undefined;
  let lastMs = 0;
  let frameMs = FIRST_FRAME_MS;
  let learned = 0;
  let lastArrivedMs: number | undefined;
  let rate = 1;
  let usable = true;
  const lags = createLags();
  let drift = createDrift();

  function agrees(
    from: { stampMs: number | undefined; mediaMs: number },
    stampMs: number,
    arrivedMs: number,
  ) {
    if (from.stampMs === undefined || !usable || stampMs <= from.stampMs) return undefined;
    const mediaMs = from.mediaMs + (stampMs - from.stampMs) * rate;
    const lagMs = arrivedMs - mediaMs - lags.least();
    return mediaMs > lastMs && lagMs > -AHEAD_MS && lagMs < LATE_MS ? mediaMs : undefined;
  }

  /** As much later than the last one as pictures usually come, drawn to the moment it came: pictures that come in a
   *  burst are spread. */
  function byArrival(arrivedMs: number): number {
    const wanted = (anchor?.mediaMs ?? 0) + arrivedMs - (anchor?.arrivedMs ?? arrivedMs);
    const apartMs = wanted - lastMs - frameMs;
    if (apartMs > FAR_MS) return wanted;
    return lastMs + Math.max(frameMs * 0.75, Math.min(frameMs * 1.5, frameMs + apartMs / 8));
  }

  function settle(mediaMs: number, stampMs: number | undefined, arrivedMs: number, stepped: boolean) {
    lastMs = mediaMs;
    lags.note(arrivedMs, arrivedMs - mediaMs);
    if (stepped) drift = createDrift();
    if (stampMs !== undefined) {
      const measured = drift.measure(stampMs, arrivedMs);
      if (measured !== undefined) {
        usable = measured >= USABLE_RATES.least && measured <= USABLE_RATES.most;
        if (usable) rate = Math.abs(measured - 1) < SAME_RATE ? 1 : measured;
      }
    }
    return { mediaMs, stepped };
  }

  function placeReordered(stampMs: number | undefined): PlacedPicture {
    const behind = anchor ?? { stampMs: undefined, mediaMs: 0 };
    const backMs =
      stampMs === undefined || behind.stampMs === undefined ? 0 : (behind.stampMs - stampMs) * rate;
    const believed = backMs > 0 && backMs < REORDER_MS;
    return { mediaMs: Math.max(0, behind.mediaMs - (believed ? backMs : frameMs / 2)), stepped: false };
  }

  /** Of all pictures, B pictures too: what they come apart on average is what they last. */
  function learnFrame(arrivedMs: number): void {
    const apartMs = arrivedMs - (lastArrivedMs ?? arrivedMs - frameMs);
    if (apartMs < LONGEST_FRAME_MS && lastArrivedMs !== undefined)
      frameMs += (apartMs - frameMs) / Math.min(16, ++learned);
    lastArrivedMs = arrivedMs;
  }

  return {
    place({ stampMs, arrivedMs, reordered }) {
      learnFrame(arrivedMs);
      if (!anchor) {
        anchor = { stampMs, mediaMs: 0, arrivedMs };
        return settle(0, stampMs, arrivedMs, false);
      }
      if (reordered) return placeReordered(stampMs);
      for (const from of [anchor, candidate]) {
        const mediaMs = from && stampMs !== undefined ? agrees(from, stampMs, arrivedMs) : undefined;
        if (mediaMs === undefined) continue;
        const stepped = from === candidate;
        candidate = undefined;
        anchor = { stampMs, mediaMs, arrivedMs };
        return settle(mediaMs, stampMs, arrivedMs, stepped);
      }
      const mediaMs = byArrival(arrivedMs);
      candidate = stampMs === undefined ? undefined : { stampMs, mediaMs, arrivedMs };
      // Its own stamp says nothing: the last good one stays the measure, or there is none any more.
      if (!usable || stampMs === undefined) anchor = { stampMs: undefined, mediaMs, arrivedMs };
      return settle(mediaMs, undefined, arrivedMs, false);
    },
    get frameMs() {
      return frameMs;
    },
  };
}

/** How late pictures came in the last ten seconds. */
function createLags() {
  let lags: { arrivedMs: number; lagMs: number }[] = [];
  return {
    /** Infinity before the first. */
    least: () => lags.reduce((least, { lagMs }) => Math.min(least, lagMs), Infinity),
    /** One for each half second is enough. */
    note(arrivedMs: number, lagMs: number): void {
      lags = lags.filter((one) => arrivedMs - one.arrivedMs < WINDOW_MS);
      const last = lags.at(-1);
      if (last && Math.floor(last.arrivedMs / BUCKET_MS) === Math.floor(arrivedMs / BUCKET_MS))
        lags[lags.length - 1] = { arrivedMs, lagMs: Math.min(last.lagMs, lagMs) };
      else lags.push({ arrivedMs, lagMs });
    },
  };
}

export interface Drift {
  /** @returns the rate, once it is plain and steady */
  measure(stampMs: number, arrivedMs: number): number | undefined;
}

/** Measures how many of our milliseconds a camera's take; Infinity: its clock stands still. */
export function createDrift(): Drift {
  let buckets: { atMs: number; offsetMs: number }[] = [];
  return {
    measure(stampMs: number, arrivedMs: number): number | undefined {
      const last = buckets.at(-1);
      const offsetMs = arrivedMs - stampMs;
      if (last && arrivedMs - last.atMs < BUCKET_MS) {
        last.offsetMs = Math.min(last.offsetMs, offsetMs);
        return undefined;
      }
      const measured = buckets.length >= ENOUGH_BUCKETS ? slope(buckets) : undefined;
      buckets.push({ atMs: arrivedMs, offsetMs });
      buckets = buckets.slice(-BUCKETS);
      return measured === undefined ? undefined : 1 / (1 - measured);
    },
  };
}

/** Growth of the offset in each of two halves; undefined when they differ: then it is the network. */
function slope(buckets: readonly { atMs: number; offsetMs: number }[]): number | undefined {
  const third = Math.floor(buckets.length / 3);
  const at = (begin: number) => {
    const part = buckets.slice(begin, begin + third);
    const offsets = part.map(({ offsetMs }) => offsetMs).toSorted((a, b) => a - b);
    const middle = part[Math.floor(part.length / 2)]?.atMs ?? 0;
    return { middle, offsetMs: offsets[Math.floor(offsets.length / 2)] ?? 0 };
  };
  const [early, mid, late] = [at(0), at(third), at(2 * third)];
  const first = (mid.offsetMs - early.offsetMs) / (mid.middle - early.middle);
  const second = (late.offsetMs - mid.offsetMs) / (late.middle - mid.middle);
  const mean = (first + second) / 2;
  return Math.abs(first - second) < 0.02 + Math.abs(mean) / 5 ? mean : undefined;
}
