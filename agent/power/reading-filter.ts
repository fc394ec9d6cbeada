/** Medians of this many readings: two wrong ones in a row change nothing. */
const MEDIAN_OF = 5;
/** A pack does not change by more than this between readings, load step and all. */
const JUMP_VOLTS = 0.8;
/** What jumped is believed after this many readings that agree with each other and none that agree with before. */
const BELIEVE_AFTER = 10;
/** The first level needs fewer. */
const BEGIN_AFTER = 5;
/** After a gap like this, what was known is no longer a reason to doubt what is read. */
const FORGET_MS = 30_000;
/** Of the last readings, this part may be doubted before none is believed. */
const JUDGED = 40;
const JUDGED_LEAST = 10;
const DOUBTED_MOST = 0.5;
/** One reading stands for at most this long: a gap is not time spent at any voltage. */
const STANDS_FOR_MS = 3_000;
/** A computer's current is never the same for this long; the chip or the bus repeats itself. */
const FROZEN_MS = 10_000;
const FROZEN_SAMPLES = 10;
/** Only what flows out of the pack is judged: what a charger gives, or a full pack does not take, may stand still. */
const FLOWS_OUT_AMPS = -0.1;

export interface Sample {
  readonly volts: number;
  readonly amps: number;
  /** The registers it came from, to see whether they ever change. */
  readonly raw: string;
  /** Monotonic. */
  readonly atMs: number;
}

/** What the last samples add up to. */
export interface Filtered {
  readonly volts: number;
  readonly amps: number;
  /** How long the newest sample stands for; 0 while the registers repeat themselves. */
  readonly forMs: number;
}

export interface ReadingFilter {
  /** The filtered values when this sample was believed, null when it was doubted. */
  offer(sample: Sample): Filtered | null;
  latest(): Filtered | null;
  /** When a sample was last believed, monotonic; null: not since it was forgotten. */
  believedMs(): number | null;
  /** More than half of what is read contradicts the rest: nothing follows from any of it. */
  contradicts(): boolean;
  /** Since when the registers repeat themselves although a current flows; null when they do not. */
  frozenSinceMs(): number | null;
}

/** Readings a person would believe.
 *  Invariants
 *  1. A value outside the pack's possible range, or far from the ones before it, is doubted; it moves no median.
 *  2. A level far from the last one is believed when ten samples in a row agree on it.
 *  @param range volts that a working pack can have */
export function createReadingFilter(range: { readonly least: number; readonly most: number }): ReadingFilter {
  let believed: Sample[] = [];
  let candidates: Sample[] = [];
  let verdicts: boolean[] = [];
  let latest: Filtered | null = null;
  let sameRaw: { raw: string; sinceMs: number; samples: number } | undefined;

  const volts = (samples: readonly Sample[]) => median(samples.map((sample) => sample.volts));

  /** The samples that are believed now because of this one. */
  function believe(sample: Sample): readonly Sample[] {
    const last = believed.at(-1);
    if (last && sample.atMs - last.atMs > FORGET_MS) believed = [];
    if (sample.volts < range.least || sample.volts > range.most) return [];
    if (believed.length > 0 && Math.abs(sample.volts - volts(believed)) <= JUMP_VOLTS) return [sample];
    const agree =
      candidates.length > 0 && Math.abs(sample.volts - volts(candidates)) <= JUMP_VOLTS / 2
        ? [...candidates, sample]
        : [sample];
    candidates = agree;
    if (agree.length < (believed.length > 0 ? BELIEVE_AFTER : BEGIN_AFTER)) return [];
    believed = [];
    return agree;
  }

  /** Whether the registers have been the same for too long, this sample included. */
  function repeats({ raw, atMs, amps }: Sample): boolean {
    if (!sameRaw || sameRaw.raw !== raw || amps > FLOWS_OUT_AMPS)
      sameRaw = { raw, sinceMs: atMs, samples: 0 };
    sameRaw.samples += 1;
    return isFrozen(sameRaw, atMs);
  }

  return {
    offer(sample) {
      const previousMs = believed.at(-1)?.atMs;
      const news = believe(sample);
      verdicts = [...verdicts, news.length > 0].slice(-JUDGED);
      if (news.length === 0) return null;
      candidates = [];
      believed = [...believed, ...news].slice(-MEDIAN_OF);
      const elapsedMs = previousMs === undefined ? 0 : sample.atMs - previousMs;
      latest = {
        volts: volts(believed),
        amps: median(believed.map(({ amps }) => amps)),
        forMs: repeats(sample) ? 0 : Math.min(elapsedMs, STANDS_FOR_MS),
      };
      return latest;
    },
    latest: () => latest,
    believedMs: () => believed.at(-1)?.atMs ?? null,
    contradicts: () =>
      verdicts.length >= JUDGED_LEAST &&
      verdicts.filter((good) => !good).length > verdicts.length * DOUBTED_MOST,
    frozenSinceMs() {
      const lastMs = believed.at(-1)?.atMs;
      return sameRaw && lastMs !== undefined && isFrozen(sameRaw, lastMs) ? sameRaw.sinceMs : null;
    },
  };
}

const isFrozen = (same: { sinceMs: number; samples: number }, atMs: number) =>
  same.samples >= FROZEN_SAMPLES && atMs - same.sinceMs >= FROZEN_MS;

/** The middle one; of an even number the lower of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
