import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { analysisInput, details, detection, result } from './clip-samples.ts';
import { drive, type Outcomes, type Script } from './drive.ts';

const working: Outcomes = {
  start_container: () => ({ worker: 'started' }),
  send_processing_request: () => null,
  find_result: () => null,
  keep_picture: () => ({ kept: true }),
  store_verdict: ({ verdict }: { verdict: Verdict }) => verdict,
  SendVideoComplited: () => new Error('no'),
  Escalate: () => null,
  SendFailureNotification: () => null,
  send_verdict_to_device: () => new Error('no'),
};
const SCRIPTS: Readonly<Record<string, Script>> = {
  person: {
    input: analysisInput(),
    activities: working,
    event: { payload: result(details([detection('person')])) },
  },
  'person, between two slices': {
    input: analysisInput(),
    activities: { ...working, SendVideoComplited: () => null },
    event: { payload: result(details([detection('person')])), slice: 2, between: true },
  },
  'nothing, and nobody can be told of it': {
    input: analysisInput(),
    activities: { ...working, store_verdict: () => new Error('disk full') },
    event: { payload: result(details([])) },
  },
  'judged again': {
    input: analysisInput({ revision: 3, result: result(details([detection('dog')])) }),
    activities: working,
  },
  'the first version': { input: { ...analysisInput(), version: undefined }, activities: working },
  'no answer': { input: analysisInput(), activities: working },
  broken: { input: analysisInput(), activities: { ...working, start_container: () => new Error('no') } },
};

for (const [path, script] of Object.entries(SCRIPTS))
  test(`every replay of a prefix of the history does the same: ${path}`, (t) => {
    const whole = drive(script);
    // A year later and with other luck, as a replay on another machine would be.
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2027, 10, 21) });
    t.mock.method(Math, 'random', () => 0.123);
    for (let yields = 0; yields <= whole.yields; yields += 1) {
      const prefix = drive({ ...script, yields });
      assert.deepEqual(
        prefix.actions,
        whole.actions.slice(0, prefix.actions.length),
        `after ${yields} yields`,
      );
      assert.deepEqual(prefix.steps, whole.steps.slice(0, prefix.steps.length));
    }
    assert.deepEqual(drive(script), whole);
  });
