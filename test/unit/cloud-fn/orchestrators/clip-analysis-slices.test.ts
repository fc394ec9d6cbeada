import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analysisInput, details, detection, result } from './clip-samples.ts';
import { fails, namesOf, person, run } from './clip-analysis-bench.ts';

test('a wait of a millisecond is a wait', () => {
  assert.equal(run({ event: person, input: analysisInput({ waitMs: 1 }) }).output?.ok, true);
});

test('the timer is set to the wait of the input and cancelled when the answer comes', () => {
  const driven = run({ event: person, input: analysisInput({ waitMs: 5_000 }) });
  assert.ok(driven.actions.includes('timer 2026-11-21T12:00:07.000Z'), driven.actions.join('\n'));
  assert.equal(driven.timerCancelled, true);
});

test('whoever looks at an instance sees when it no longer waits for an answer', () => {
  const driven = run({});
  assert.deepEqual(driven.steps, [
    'starting-container',
    'requesting',
    'waiting',
    'closing',
    'notifying',
    'storing',
    'telling-device',
  ]);
});

test('an answer whose event was lost is found at the end of the slice', () => {
  const driven = run({ outcomes: { find_result: () => person.payload } });
  assert.equal(driven.output?.verdict, 'person');
  assert.equal(namesOf(driven.actions).filter((name) => name === 'timer').length, 1);
});

test('an event that comes in a later slice, or between two, is taken at once', () => {
  for (const between of [false, true]) {
    const driven = run({ event: { ...person, slice: 2, between } });
    assert.deepEqual([driven.output?.verdict, driven.output?.decision], ['person', 'notified']);
    assert.equal(namesOf(driven.actions).filter((name) => name === 'timer').length, 3);
  }
});

test('an answer to an earlier analysis of the clip that says nothing does not end the wait; one that says something does', () => {
  const failed = result(
    { error: { code: 'bad-video', message: 'broken' } },
    { status: 'FAILED', instance_id: 'clip-0123456789abcdef0123456789abcde0' },
  );
  const waits = run({ outcomes: { find_result: () => failed } });
  assert.equal(namesOf(waits.actions).filter((name) => name === 'timer').length, 6);
  assert.equal(waits.output?.decision, 'failed');
  const dog = { ...result(details([detection('dog')])), instance_id: failed.instance_id };
  assert.equal(run({ outcomes: { find_result: () => dog } }).output?.verdict, 'animal');
});

test('a failure that is followed by what was seen after all is judged by the better answer', () => {
  const failed = result({ error: { code: 'bad-video', message: 'broken' } }, { status: 'FAILED' });
  for (const first of [failed, result({}), result(details([]))]) {
    const driven = run({ event: { payload: first }, outcomes: { find_result: () => person.payload } });
    assert.deepEqual([driven.output?.verdict, driven.output?.decision], ['person', 'notified']);
  }
  const worse = run({ event: { payload: result(details([])) }, outcomes: { find_result: () => failed } });
  assert.equal(worse.output?.verdict, 'nothing');
});

test('answers that cannot be looked for are no failure of the analysis', () => {
  const driven = run({ event: { ...person, slice: 1 }, outcomes: { find_result: fails('storage is away') } });
  assert.deepEqual([driven.output?.ok, driven.output?.verdict], [true, 'person']);
  assert.equal(run({ outcomes: { find_result: fails('storage is away') } }).output?.decision, 'escalated');
});

test('nobody is told twice by one orchestration, also when nothing can be stored', () => {
  const driven = run({ event: person, outcomes: { store_verdict: fails('disk full') } });
  const told = namesOf(driven.actions).filter((name) => /^(Send(V|F)|Escalate)/.test(name ?? ''));
  assert.deepEqual(told, ['SendVideoComplited']);
});

test('the longest wait has as many slices as any, and one that is longer is no input', () => {
  const day = 24 * 3_600_000;
  const driven = run({ input: analysisInput({ waitMs: day }) });
  assert.equal(namesOf(driven.actions).filter((name) => name === 'timer').length, 24);
  for (const waitMs of [day + 1, 1e300, Number.MAX_SAFE_INTEGER]) {
    const refused = run({ input: analysisInput({ waitMs }) });
    assert.deepEqual([refused.actions, refused.output?.problems[0]?.code], [[], 'bad-input']);
  }
});

test('what fails is tried again as often as the table says, each time after twice the wait', () => {
  const tries = (name: string, script: Parameters<typeof run>[0] = { event: person }) => {
    const action = run(script).actions.find((one) => one.startsWith(`${name} `)) ?? assert.fail(name);
    const options = JSON.parse(action.slice(name.length + 1, action.indexOf('} {') + 1)) as Record<
      string,
      number
    >;
    return [
      options['_firstRetryIntervalInMilliseconds'] ?? options['firstRetryIntervalInMilliseconds'],
      options['_maxNumberOfAttempts'] ?? options['maxNumberOfAttempts'],
      options['backoffCoefficient'],
    ];
  };
  assert.deepEqual(tries('start_container'), [2_000, 3, 2]);
  assert.deepEqual(tries('send_processing_request'), [2_000, 4, 2]);
  assert.deepEqual(tries('find_result', {}), [2_000, 3, 2]);
  assert.deepEqual(tries('store_verdict'), [2_000, 5, 2]);
  for (const [name, script] of [
    ['SendVideoComplited', { event: person }],
    ['Escalate', {}],
    ['SendFailureNotification', { outcomes: { start_container: fails('no') } }],
    ['send_verdict_to_device', {}],
  ] as const)
    assert.deepEqual(tries(name, script), [5_000, 3, 2], name);
});
