import type { SuppressionReason } from '@dachawatch/contracts';
import { createSuppressedCount } from '../../../../agent/capture/child/suppressed-count.ts';
import { addScores, alarmsOf, type Decision, median, type Score, scoreClip, type Truth } from './score.ts';
import type { Span } from './spans.ts';
import type { DetectorCost } from './witness.ts';

/** One system's run over one clip. */
export interface Run {
  /** As it saw them; pictures after the clip's end are not among them. */
  readonly decisions?: readonly (Decision & { readonly reason?: SuppressionReason })[];
  readonly alarms: readonly Span[];
  /** Time it watched, lead-in included. */
  readonly watchedS: number;
  readonly cpuS: number;
  /** The part of it that is the detector's, and the pixels it looked at. */
  readonly detector?: DetectorCost;
  /** Share of the pictures that was decoded. */
  readonly decodedShare?: number;
}

/** Figures of one clip or of several, as `--json` prints them. */
export interface Figures {
  readonly events: number;
  readonly detected: number;
  readonly recall: number | null;
  readonly falseAlarms: number;
  readonly negativeS: number;
  readonly negAlarmShare: number | null;
  readonly negAlarmShareOutsideMargins: number | null;
  readonly medianDelayS: number | null;
  readonly suppressed: Readonly<Record<string, number>>;
  readonly cpuSPerMin: number | null;
  /** Of the pictures of the watched stream; those that were decoded twice count twice. */
  readonly decodedShare?: number | null;
  readonly detectorCpuSPerMin?: number | null;
  readonly nsPerPixel?: number | null;
  /** How long the detector takes for one picture in which nothing moves: half of them less, 95 of 100 less. */
  readonly quietMedianMs?: number | null;
  readonly quietP95Ms?: number | null;
}

/** What is left of one clip when its pictures are forgotten; can be added up. */
export interface Measured extends Score {
  readonly alarms: readonly Span[];
  readonly suppressed: Readonly<Record<string, number>>;
  readonly watchedS: number;
  readonly cpuS: number;
  readonly detector: DetectorCost | undefined;
  readonly decodedShare: number | undefined;
}

export function measure(truth: Truth, run: Run): Measured {
  const { alarms, watchedS, cpuS, detector, decodedShare } = run;
  const count = createSuppressedCount();
  for (const { kind, reason, atS } of run.decisions ?? [])
    if (kind === 'suppressed' && reason) count.note({ kind, reason, regions: [] }, atS * 1000);
  return {
    ...scoreClip(truth, alarms),
    alarms,
    suppressed: count.counts(),
    watchedS,
    cpuS,
    detector,
    decodedShare,
  };
}

/** @param decisions seen every `everyS` seconds */
export function runOf(
  decisions: NonNullable<Run['decisions']>,
  everyS: number,
  cost: Omit<Run, 'decisions' | 'alarms'>,
): Run {
  return { decisions, alarms: alarmsOf(decisions, everyS), ...cost };
}

export function figuresOf(measured: readonly Measured[]): Figures {
  const score = addScores(measured);
  const sum = (of: (one: Measured) => number) => measured.reduce((total, one) => total + of(one), 0);
  const minutes = sum(({ watchedS }) => watchedS) / 60;
  const detectorCpuS = sum(({ detector }) => detector?.cpuS ?? 0);
  const pixels = sum(({ detector }) => detector?.pixels ?? 0);
  const quietMs = measured.flatMap(({ detector }) => detector?.quietMs ?? []).toSorted((a, b) => a - b);
  const suppressed: Record<string, number> = {};
  for (const one of measured)
    for (const [reason, count] of Object.entries(one.suppressed))
      suppressed[reason] = (suppressed[reason] ?? 0) + count;
  return {
    events: score.events,
    detected: score.delaysS.length,
    recall: share(score.delaysS.length, score.events),
    falseAlarms: score.falseAlarms,
    negativeS: round(score.negativeS, 2),
    negAlarmShare: share(score.negativeAlarmS, score.negativeS),
    negAlarmShareOutsideMargins: share(score.clearAlarmS, score.clearS),
    medianDelayS: nullable(median(score.delaysS), 2),
    suppressed,
    cpuSPerMin: share(
      sum(({ cpuS }) => cpuS),
      minutes,
    ),
    ...(measured.some(({ decodedShare }) => decodedShare !== undefined) && {
      decodedShare: share(
        sum(({ decodedShare = 1, watchedS }) => decodedShare * watchedS),
        sum(({ watchedS }) => watchedS),
      ),
    }),
    ...(measured.some(({ detector }) => detector) && {
      detectorCpuSPerMin: share(detectorCpuS, minutes),
      nsPerPixel: share(detectorCpuS * 1e9, pixels),
      quietMedianMs: quantile(quietMs, 0.5),
      quietP95Ms: quantile(quietMs, 0.95),
    }),
  };
}

/** @param sorted the least first */
const quantile = (sorted: readonly number[], share: number) =>
  nullable(sorted[Math.floor(share * (sorted.length - 1))] ?? null, 3);
const round = (value: number, digits: number) => Number(value.toFixed(digits));
const nullable = (value: number | null, digits: number) => (value === null ? null : round(value, digits));
const share = (part: number, whole: number) => (whole > 0 ? round(part / whole, 4) : null);
