import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusSentence, type StatusFacts } from '../../../../agent/health/health.ts';

const camera = (
  cameraId: string,
  state: StatusFacts['cameras'][number]['state'] = 'live',
  recording = false,
) => ({ cameraId, state, recording });

const WELL: StatusFacts = {
  cameras: [camera('gate'), camera('pond')],
  waiting: 3,
  power: { state: 'on-mains', minutesLeft: null, shutdown: null },
  link: { state: 'online' },
  conditions: [],
};

test('a house in which all is well is one short line', () => {
  assert.equal(statusSentence(WELL), '2 cameras watch, 3 clips wait, on mains, online');
});

test('without a UPS nothing is said of power, and one is one', () => {
  const one = { ...WELL, cameras: [camera('gate')], waiting: 1 };
  for (const power of [null, { state: 'unknown', minutesLeft: null, shutdown: null } as const])
    assert.equal(statusSentence({ ...one, power }), '1 camera watches, 1 clip waits, online');
});

test('a house in trouble says which camera is blind, how long the battery lasts, and what the hub thinks', () => {
  assert.equal(
    statusSentence({
      cameras: [camera('gate', 'unreachable'), camera('pond', 'stalled'), camera('barn', 'starting')],
      waiting: 0,
      power: { state: 'on-battery', minutesLeft: 95, shutdown: null },
      link: { state: 'refused' },
      conditions: [],
    }),
    'no camera watches, no picture from gate, pond, 1 camera starts, no clips wait, on battery (about 95 min left), refused by the hub',
  );
});

test('a recording, an empty battery and the way to the end are said', () => {
  assert.equal(
    statusSentence({
      cameras: [camera('gate', 'live', true), camera('pond')],
      waiting: 12,
      power: { state: 'critical', minutesLeft: null, shutdown: 'waiting' },
      link: { state: 'offline' },
      conditions: [],
    }),
    'switching off, 2 cameras watch, 1 records, 12 clips wait, battery nearly empty, offline',
  );
});

test('what is wrong with the appliance is said in words, and a ledger that does not answer has no clips to count', () => {
  const conditions = [
    { code: 'ledger-unavailable', subject: null },
    { code: 'recording-refused', subject: 'gate' },
    { code: 'clips-parked', subject: null },
  ] as const;
  assert.equal(
    statusSentence({ ...WELL, waiting: null, conditions }),
    '2 cameras watch, on mains, online, WRONG: the ledger cannot be opened: clips are kept as files, nothing is uploaded, ' +
      'WRONG: a camera sees something move, but nothing is recorded (gate), 1 more',
  );
});
