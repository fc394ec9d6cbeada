import { intersection, lengthS, overlaps, type Span, union, widen, without } from './spans.ts';

/** What must, may and must not be reported in one clip. */
export interface Truth {
  readonly motion: readonly Span[];
  readonly optional: readonly Span[];
  readonly negative: readonly Span[];
}

/** A detector's word on one picture. */
export interface Decision {
  /** Seconds from the clip's first picture; negative in its lead-in. */
  readonly atS: number;
  readonly kind: 'quiet' | 'suppressed' | 'motion';
}

/** Sums of one clip or of several; rates and medians are taken from sums only. */
export interface Score {
  readonly events: number;
  /** One for each must-detect interval that was found: start of its first alarm after its own start, at least 0. */
  readonly delaysS: readonly number[];
  readonly falseAlarms: number;
  readonly negativeS: number;
  readonly negativeAlarmS: number;
  /** Negative time that no widened interval reaches, and what of it lies under an alarm. */
  readonly clearS: number;
  readonly clearAlarmS: number;
}

/** Pictures further apart than this are not one alarm, unless nothing was seen between them. */
const MERGE_S = 1;
/** An alarm may begin this much before an interval and end this much after it (post-roll). */
export const BEFORE_S = 1;
export const AFTER_S = 3;

/** Alarms: pictures with motion, merged over gaps of at most 1 s. Each lasts to the picture after its last one with
 *  motion, at most one and a half usual distances, so an alarm of a single picture has a length, too.
 *  @param everyS usual distance between two pictures */
export function alarmsOf(decisions: readonly Decision[], everyS: number): Span[] {
  const alarms: Span[] = [];
  let lastMotion = Number.NEGATIVE_INFINITY;
  decisions.forEach(({ atS, kind }, index) => {
    if (kind !== 'motion') return;
    const next = decisions[index + 1]?.atS ?? atS + everyS;
    const toS = Math.min(next, atS + 1.5 * everyS);
    const before = decisions[index - 1];
    const last = alarms.at(-1);
    if (last && (atS - lastMotion <= MERGE_S || before?.atS === lastMotion))
      alarms[alarms.length - 1] = { fromS: last.fromS, toS };
    else alarms.push({ fromS: atS, toS });
    lastMotion = atS;
  });
  return alarms;
}

/** The manifest's rule. */
export function scoreClip({ motion, optional, negative }: Truth, alarms: readonly Span[]): Score {
  const near = widen([...motion, ...optional], BEFORE_S, AFTER_S);
  const under = union(alarms);
  const quiet = union(negative);
  const clear = without(quiet, near);
  return {
    events: motion.length,
    delaysS: motion.flatMap((interval) => {
      const first = under.find((alarm) => overlaps(alarm, interval));
      return first ? [Math.max(0, first.fromS - interval.fromS)] : [];
    }),
    falseAlarms: alarms.filter((alarm) => !near.some((span) => overlaps(alarm, span))).length,
    negativeS: lengthS(quiet),
    negativeAlarmS: lengthS(intersection(quiet, under)),
    clearS: lengthS(clear),
    clearAlarmS: lengthS(intersection(clear, under)),
  };
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, value) => sum + value, 0);

export function addScores(scores: readonly Score[]): Score {
  const sum = (field: Exclude<keyof Score, 'delaysS'>) => total(scores.map((score) => score[field]));
  return {
    events: sum('events'),
    delaysS: scores.flatMap(({ delaysS }) => delaysS),
    falseAlarms: sum('falseAlarms'),
    negativeS: sum('negativeS'),
    negativeAlarmS: sum('negativeAlarmS'),
    clearS: sum('clearS'),
    clearAlarmS: sum('clearAlarmS'),
  };
}

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
