/** What `scripts/test engine` takes for a difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCEPTED } from '../../engine/differences.ts';
import { ABSENT, differencesOf, normalised } from '../../engine/transcript.ts';

const transcript = (...steps: (readonly [string, unknown])[]) => ({
  scenario: 's',
  steps: steps.map(([label, value]) => ({ label, value })),
});

test('equal transcripts differ nowhere', () => {
  const one = transcript(['a', { b: [1, { c: null }] }]);
  assert.deepEqual(differencesOf(one, transcript(['a', { b: [1, { c: null }] }])), []);
});

test('a value, a field that is missing, the order of fields and a longer list are differences, each with its place', () => {
  const real = transcript(['a', { x: 1, y: [1], z: { p: 1, q: 2 } }]);
  const ours = transcript(['a', { x: 2, y: [1, 2], z: { q: 2, p: 1 } }]);
  assert.deepEqual(
    differencesOf(real, ours).map(({ path, real: one, ours: other }) => [path, one, other]),
    [
      ['x', 1, 2],
      ['y.1', ABSENT, 2],
      ['z.(order)', 'p,q', 'q,p'],
    ],
  );
  const [missing] = differencesOf(transcript(['a', { x: 1 }]), transcript(['a', {}]));
  assert.deepEqual([missing?.step, missing?.path, missing?.ours], ['a', 'x', ABSENT]);
});

test('a step that only one of them took is a difference', () => {
  const [found] = differencesOf(transcript(['a', 1], ['b', 2]), transcript(['a', 1]));
  assert.deepEqual([found?.step, found?.real, found?.ours], ['b', 'b', ABSENT]);
});

test('times keep their form, and what no two runs share gets a name', () => {
  const value = {
    createdTime: '2026-11-30T16:40:10Z',
    lastUpdatedTime: '2026-11-30T16:40:10.123Z',
    Timestamp: '2026-11-30T16:40:10.1234567Z',
    ScheduledTime: '2026-11-30T16:40:10+00:00',
    link: 'http://127.0.0.1:1/x/run7?code=secret&a=1',
    execution: '4b7c5d22-9e16-417c-ac0c-d0b445ab67a3',
  };
  assert.deepEqual(
    normalised(value, [
      ['http://127.0.0.1:1', '$origin'],
      ['run7', '$run'],
    ]),
    {
      createdTime: '<timeZ>',
      lastUpdatedTime: '<time.fZ>',
      Timestamp: '<timeZ>',
      ScheduledTime: '<time+00:00>',
      link: '$origin/x/$run?code=$key&a=1',
      execution: '$guid',
    },
  );
});

test('an exception of .NET counts as one word, the text before it does not', () => {
  const details = (message: string) =>
    `failed: ${message} \n {"$type":"System.Exception, X","Message":"${message}","WatsonBuckets":null}`;
  assert.equal(normalised(details('no'), []), 'failed: no \n $exception');
  assert.notEqual(normalised(details('no'), []), normalised(details('yes'), []));
});

test('every accepted difference has a name of its own and a reason, and there are fewer than fifteen', () => {
  assert.equal(new Set(ACCEPTED.map(({ name }) => name)).size, ACCEPTED.length);
  assert.ok(ACCEPTED.length < 15);
  for (const { reason } of ACCEPTED) assert.ok(reason.length > 40);
  const other = { scenario: 'one activity', step: 'end', path: 'body.output', real: 1, ours: 2 };
  assert.ok(!ACCEPTED.some(({ covers }) => covers(other)));
});
