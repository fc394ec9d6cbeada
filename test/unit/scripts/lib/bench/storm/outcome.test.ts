import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { isSettled, outcomeOf } from '../../../../../../scripts/lib/bench/storm/outcome.ts';
import { verdictOfClip } from '../../../../cloud-fn/activities/verdict-sample.ts';

const clips = ['a', 'b', 'c', 'd', 'e'].map((name, at) => ({ name, url: '', person: at < 4 }));
const NOTHING = { verdict: 'nothing', decision: 'marked-safe', confidence: 0 } as const;
const counts = { kills: 1, deaths: 1, asked: 5, seconds: 9, medianMs: 700, worstMs: 4_000 };

test('each clip is counted by what is stored and by what a person saw', () => {
  const verdicts = new Map<string, Verdict>([
    ['a', verdictOfClip()],
    ['b', verdictOfClip({ revision: 2 })],
    ['c', verdictOfClip({ decision: 'recorded' })],
    ['e', verdictOfClip(NOTHING)],
  ]);
  const seen: Readonly<Record<string, readonly string[]>> = {
    'dacha-video/a': ['person-seen', 'analysis-failed'],
    'dacha-video/c': ['person-seen', 'person-seen'],
  };
  const webhook = { shownAbout: (name: string) => seen[name] ?? [], redelivered: () => 3 };
  const outcome = outcomeOf(clips, { verdicts, open: 1 }, webhook, counts);
  assert.deepEqual(outcome, {
    ...{ right: 4, noVerdict: 1, falselyNotified: 1, untold: 2, toldTwice: 1, redelivered: 3 },
    ...counts,
    revisions: { 1: 3, 2: 1 },
  });
});

test('nothing more is to come when every clip is right and closed', () => {
  const verdicts = new Map(clips.map(({ name, person }) => [name, verdictOfClip(person ? {} : NOTHING)]));
  assert.equal(isSettled(clips, { verdicts, open: 0 }), true);
  assert.equal(isSettled(clips, { verdicts, open: 1 }), false);
  assert.equal(
    isSettled(clips, { verdicts: new Map([...verdicts, ['a', verdictOfClip(NOTHING)]]), open: 0 }),
    false,
  );
});
