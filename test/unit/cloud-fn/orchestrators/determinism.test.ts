import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import type { Step } from '../../../../cloud-fn/orchestrators/clip-analysis-steps.ts';
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
const person = result(details([detection('person')]));
const failed = result({ error: { code: 'bad-video', message: 'broken' } }, { status: 'FAILED' });
const FIRST = { ...analysisInput(), version: undefined };
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
  'input that names no clip': { input: { waitMs: 1 }, activities: working },
  'the worker failed': { input: analysisInput(), activities: working, event: { payload: failed } },
  'the worker failed, and something better is stored': {
    input: analysisInput(),
    activities: { ...working, find_result: () => person },
    event: { payload: failed, slice: 1 },
  },
  'found between two slices, without an event': {
    input: analysisInput(),
    activities: { ...working, find_result: () => ({ ...person, instance_id: 'clip-of-another-analysis' }) },
  },
  'an answer in the last slice': {
    input: analysisInput(),
    activities: working,
    event: { payload: person, slice: 5 },
  },
  'nothing can be looked for': {
    input: analysisInput(),
    activities: { ...working, find_result: () => new Error('storage is away') },
  },
  'no request can be sent': {
    input: analysisInput(),
    activities: { ...working, send_processing_request: () => new Error('the queue is away') },
  },
  'no picture can be kept, nothing stored, nobody told': {
    input: analysisInput(),
    activities: Object.fromEntries(Object.keys(working).map((name) => [name, () => new Error('no')])),
  },
  'no picture can be kept': {
    input: analysisInput(),
    activities: { ...working, keep_picture: () => new Error('no'), SendVideoComplited: () => null },
    event: { payload: person },
  },
  'a clip of no device': {
    input: { ...analysisInput(), clip: { ...analysisInput().clip, device_id: undefined } },
    activities: working,
    event: { payload: person },
  },
  'a wait of a day': {
    input: analysisInput({ waitMs: 24 * 3_600_000 }),
    activities: working,
    event: { payload: person, slice: 23 },
  },
  'the first version, a person': {
    input: FIRST,
    activities: { ...working, SendVideoComplited: () => null },
    event: { payload: person },
  },
  'the first version, nobody can be told': { input: FIRST, activities: working, event: { payload: person } },
  'the first version, nothing stored': {
    input: FIRST,
    activities: { ...working, store_verdict: () => new Error('disk full') },
    event: { payload: person },
  },
  'the first version, judged again': {
    input: { ...FIRST, revision: 2, result: person },
    activities: working,
  },
};

test('the paths are all there are: every step of the orchestration and every activity is on one of them', () => {
  const driven = Object.values(SCRIPTS).map((script) => drive(script));
  const steps: Step[] = [
    'starting-container',
    'requesting',
    'waiting',
    'closing',
    'keeping-picture',
    'storing',
    'notifying',
    'telling-device',
  ];
  assert.deepEqual([...new Set(driven.flatMap((one) => one.steps))].toSorted(), steps.toSorted());
  const called = new Set(driven.flatMap(({ inputs }) => Object.keys(inputs)));
  assert.deepEqual([...called].toSorted(), Object.keys(working).toSorted());
});

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
