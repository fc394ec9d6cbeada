import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTimeline, stagesOf } from '../../../../../../scripts/lib/bench/alert/stages.ts';

const second = (s: number) => new Date(Date.UTC(2026, 10, 20, 22, 0, s)).toISOString();

/** What `scripts/run --until-verdict --json` prints, each stage so many seconds after the trigger. */
const printed = ([sealed = 0, uploaded = 0, analysed = 0, judged = 0]: number[]) =>
  JSON.stringify({
    clipId: 'x',
    timeline: {
      triggered: second(0),
      ...{ sealed: second(sealed), uploaded: second(uploaded) },
      ...{ orchestrated: null, analysed: second(analysed), judged: second(judged) },
    },
  });

test('stages are read as milliseconds from the trigger, from the last line', () => {
  assert.deepEqual(readTimeline(`something said before\n${printed([7, 8, 11, 12])}\n`), {
    triggerToSealedMs: 7_000,
    triggerToUploadedMs: 8_000,
    triggerToAnalysedMs: 11_000,
    triggerToVerdictMs: 12_000,
  });
});

test('an event that ended without a verdict, or lacks a stage, has no timeline', () => {
  const unanalysed = JSON.stringify({
    timeline: {
      triggered: second(0),
      sealed: second(1),
      uploaded: second(2),
      analysed: null,
      judged: second(3),
    },
  });
  const undated = printed([1, 2, 3, 4]).replace(second(2), 'soon');
  for (const stdout of ['', 'no verdict', 'null', '{}', unanalysed, undated])
    assert.equal(readTimeline(stdout), undefined, stdout);
});

test('median and worst are of each stage by itself; without events there are none', () => {
  const timelines = [printed([1, 9, 9, 10]), printed([3, 4, 5, 30]), printed([2, 5, 6, 20])].flatMap(
    (stdout) => readTimeline(stdout) ?? [],
  );
  assert.equal(timelines.length, 3);
  const stages = stagesOf(timelines);
  assert.deepEqual(stages.triggerToSealedMs, { median: 2_000, worst: 3_000 });
  assert.deepEqual(stages.triggerToUploadedMs, { median: 5_000, worst: 9_000 });
  assert.deepEqual(stages.triggerToVerdictMs, { median: 20_000, worst: 30_000 });
  assert.equal(stagesOf([]).triggerToVerdictMs, null);
});
