import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresOf, measure, runOf } from '../../../../../../scripts/lib/bench/motion/measure.ts';
import {
  alarmsOf,
  type Decision,
  median,
  scoreClip,
} from '../../../../../../scripts/lib/bench/motion/score.ts';
import type { Span } from '../../../../../../scripts/lib/bench/motion/spans.ts';

const span = (fromS: number, toS: number): Span => ({ fromS, toS });
const spans = (...pairs: [number, number][]): Span[] => pairs.map(([fromS, toS]) => span(fromS, toS));
/** Two events, one doubtful stretch, negative everywhere else. */
const truth = {
  motion: spans([10, 20], [40, 50]),
  optional: spans([60, 62]),
  negative: spans([0, 10], [20, 40], [50, 60], [62, 100]),
};
/** A picture each 200 ms, with motion in these stretches. */
function pictures(motion: readonly Span[], toS: number, everyS = 0.2): Decision[] {
  return Array.from({ length: Math.round(toS / everyS) }, (_, index) => {
    const atS = Math.round(index * everyS * 1000) / 1000;
    const moves = motion.some(({ fromS, toS }) => fromS <= atS && atS < toS);
    return { atS, kind: moves ? 'motion' : 'quiet' };
  });
}
const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-6, `${actual} is not ${expected}`);

test('an event is found when an alarm overlaps it, and its delay is the start of the first such alarm', () => {
  const { events, delaysS } = scoreClip(truth, spans([12.5, 13], [18, 19]));
  assert.equal(events, 2);
  assert.deepEqual(delaysS, [2.5]);
});

test('an alarm that is up already when an event begins has no delay, never a negative one', () => {
  assert.deepEqual(scoreClip(truth, spans([9, 12])).delaysS, [0]);
});

test('one long alarm finds each event that it overlaps', () => {
  assert.equal(scoreClip(truth, spans([11, 45])).delaysS.length, 2);
});

test('an alarm within 1 s before or 3 s after an event is not false, and does not find it', () => {
  const { falseAlarms, delaysS } = scoreClip(truth, spans([8.5, 9.2], [22.5, 25]));
  assert.equal(falseAlarms, 0);
  assert.deepEqual(delaysS, []);
});

test('an alarm beyond the margins is false', () => {
  assert.equal(scoreClip(truth, spans([7, 8.9], [23.1, 25])).falseAlarms, 2);
});

test('an alarm in a doubtful stretch, or beside it, counts neither way', () => {
  const { falseAlarms, delaysS } = scoreClip(truth, spans([59.1, 59.5], [61, 61.5], [64.5, 66]));
  assert.equal(falseAlarms, 0);
  assert.deepEqual(delaysS, []);
});

test('the share of negative time takes the intervals as they stand; margins are left out of the second one', () => {
  const score = scoreClip(truth, spans([18, 24]));
  near(score.negativeS, 78);
  near(score.negativeAlarmS, 4);
  // 0-9, 23-39, 53-59, 65-100
  near(score.clearS, 66);
  near(score.clearAlarmS, 1);
});

test('alarms that overlap each other do not count negative time twice', () => {
  near(scoreClip(truth, spans([70, 80], [75, 85])).negativeAlarmS, 15);
});

test('pictures with motion are one alarm over a gap of 1 s, two over a longer one', () => {
  assert.equal(alarmsOf(pictures(spans([1, 2], [2.8, 4]), 10), 0.2).length, 1);
  assert.equal(alarmsOf(pictures(spans([1, 2], [3.2, 4]), 10), 0.2).length, 2);
});

test('an alarm lasts from its first picture with motion to the picture after the last one', () => {
  const [alarm] = alarmsOf(pictures(spans([1, 2]), 10), 0.2);
  near(alarm?.fromS, 1);
  near(alarm?.toS, 2);
});

test('sparse pictures that follow each other are one alarm, and one without motion between them ends it', () => {
  const sparse = (kinds: string) =>
    kinds
      .split('')
      .map((kind, index): Decision => ({ atS: index * 2, kind: kind === 'm' ? 'motion' : 'suppressed' }));
  assert.deepEqual(alarmsOf(sparse('.mmm..m'), 2), spans([2, 8], [12, 14]));
});

test('an alarm does not reach over a stream that was silent', () => {
  const decisions: Decision[] = [
    { atS: 1, kind: 'motion' },
    { atS: 9, kind: 'quiet' },
  ];
  near(alarmsOf(decisions, 0.2)[0]?.toS, 1.3);
});

test('figures of several clips come from their sums, not from the average of their rates', () => {
  const quiet = { motion: [], optional: [], negative: spans([0, 90]) };
  const short = { motion: spans([2, 5]), optional: [], negative: spans([0, 2], [5, 15]) };
  const cost = (watchedS: number, cpuS: number, quietMs: readonly number[]) => ({
    watchedS,
    cpuS,
    detector: { cpuS: cpuS / 2, pixels: 5e8, quietMs },
  });
  const figures = figuresOf([
    measure(quiet, runOf(pictures([], 90), 0.2, cost(90, 1, [0.4, 0.1, 0.2]))),
    measure(short, runOf(pictures(spans([2.6, 8]), 15), 0.2, cost(30, 1, [0.3, 9]))),
  ]);
  assert.equal(figures.recall, 1);
  near(figures.medianDelayS ?? undefined, 0.6);
  assert.equal(figures.negativeS, 102);
  assert.equal(figures.negAlarmShare, Number((3 / 102).toFixed(4)));
  assert.equal(figures.negAlarmShareOutsideMargins, 0);
  assert.equal(figures.cpuSPerMin, 1);
  assert.equal(figures.detectorCpuSPerMin, 0.5);
  assert.equal(figures.nsPerPixel, 1);
  assert.deepEqual([figures.quietMedianMs, figures.quietP95Ms], [0.3, 0.4]);
});

test('what cannot be known is null, not zero', () => {
  const { recall, negAlarmShare, medianDelayS } = figuresOf([]);
  assert.deepEqual([recall, negAlarmShare, medianDelayS], [null, null, null]);
});

test('suppressed triggers are counted as the product counts them: episodes, not pictures', () => {
  const decisions = pictures([], 20).map(({ atS }) => ({
    atS,
    kind: (atS >= 2 && atS < 4) || (atS >= 10 && atS < 12) ? ('suppressed' as const) : ('quiet' as const),
    reason: 'in-place' as const,
  }));
  const { suppressed } = measure(truth, runOf(decisions, 0.2, { watchedS: 20, cpuS: 0 }));
  assert.deepEqual(suppressed, { 'in-place': 2 });
});

test('a median of an even number of values lies between the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([]), null);
});
