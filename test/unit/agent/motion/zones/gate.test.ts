import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zone } from '@dachawatch/contracts';
import { causeText } from '../../../../../agent/motion/zones/judge.ts';
import { createGateRig, moving, said, SIZE, standing, unsure } from './gate-rig.ts';

const LEFT: Zone['polygon'] = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];
const RIGHT: Zone['polygon'] = [
  [0.5, 0],
  [1, 0],
  [1, 1],
  [0.5, 1],
];
const inLeft = standing(0.25, 0.7);
const inRight = standing(0.75, 0.7);

test('without zones the whole picture is one, and the model’s reasons are the reasons', () => {
  const rig = createGateRig({}, (atMs) =>
    atMs < 1_200 ? unsure('learning') : atMs < 1_400 ? unsure('too-small', inLeft) : moving(inLeft),
  );
  assert.deepEqual(said(rig.watch(3)), ['learning', 'too-small', 'picture']);
  assert.deepEqual(said(createGateRig({ zones: [] }, () => moving(inLeft)).watch(1)), ['picture']);
  assert.deepEqual(said(createGateRig({}, () => ({ kind: 'quiet' })).watch(1)), ['quiet']);
});

test('a trigger names the zone it stands in; outside all of them it is suppressed', () => {
  const zones: Zone[] = [
    {
      id: 'yard',
      polygon: [
        [0, 0.5],
        [0.3, 0.5],
        [0.3, 1],
        [0, 1],
      ],
    },
    {
      id: 'gate',
      polygon: [
        [0.7, 0.5],
        [1, 0.5],
        [1, 1],
        [0.7, 1],
      ],
    },
  ];
  const at = (x: number) => said(createGateRig({ zones }, () => moving(standing(x, 0.8))).watch(1))[0];
  assert.deepEqual([at(0.2), at(0.5), at(0.85)], ['zone yard', 'outside-zones', 'zone gate']);
});

test('a zone too small for what moves, or not active now, says so; one of several that counts is enough', () => {
  const zones: Zone[] = [
    { id: 'left', polygon: LEFT, minSize: 0.05 },
    { id: 'right', polygon: RIGHT, schedule: [{ from: '22:00', to: '06:00' }] },
  ];
  const on = (...regions: Parameters<typeof moving>) =>
    said(createGateRig({ zones }, () => moving(...regions)).watch(1))[0];
  assert.equal(on(inLeft), 'zone-too-small');
  assert.equal(on(standing(0.25, 0.9, 0.2, 0.5)), 'zone left');
  assert.equal(on(inRight), 'zone-inactive');
  assert.equal(on(inRight, inLeft), 'zone-too-small');
  assert.equal(on(inRight, standing(0.25, 0.9, 0.2, 0.5)), 'zone left');
});

test('a schedule is that of the camera’s time zone', () => {
  const zones: Zone[] = [{ id: 'left', polygon: LEFT, schedule: [{ from: '13:30', to: '14:30' }] }];
  assert.deepEqual(said(createGateRig({ zones }, () => moving(inLeft)).watch(1)), ['zone-inactive']);
  // Noon in UTC is 14:00 in Kyiv.
  const kyiv = createGateRig({ zones, timeZone: 'Europe/Kyiv' }, () => moving(inLeft));
  assert.deepEqual(said(kyiv.watch(1)), ['zone left']);
});

test('dwell: what stays long enough triggers, what walks through does not', () => {
  const zones: Zone[] = [{ id: 'left', polygon: LEFT, dwellMs: 2_000 }];
  const staying = said(createGateRig({ zones }, () => moving(inLeft)).watch(12));
  assert.deepEqual(staying.slice(0, 10), Array(10).fill('zone-dwell'));
  assert.deepEqual(staying.slice(10), ['zone left', 'zone left']);
  const through = createGateRig({ zones }, (atMs) => moving(standing(0.4 + (atMs - 1_000) / 8_000, 0.7)));
  assert.ok(!said(through.watch(20)).includes('zone left'));
});

test('dwell goes on while somebody stands still, once the model had confirmed them, and triggers once', () => {
  const zones: Zone[] = [{ id: 'left', polygon: LEFT, dwellMs: 2_000 }];
  const rig = createGateRig({ zones }, (atMs) =>
    atMs < 1_600 ? moving(inLeft) : unsure('in-place', inLeft),
  );
  const seen = said(rig.watch(20));
  assert.equal(seen.filter((word) => word === 'zone left').length, 1);
  assert.equal(seen.indexOf('zone left'), 10);
  assert.equal(seen[15], 'in-place');
  const never = createGateRig({ zones }, () => unsure('in-place', inLeft));
  assert.deepEqual(new Set(said(never.watch(20))), new Set(['in-place']));
});

test('dwell survives a lost frame at key frames every two seconds, and not a long absence', () => {
  const zones: Zone[] = [{ id: 'left', polygon: LEFT, dwellMs: 5_000 }];
  const slow = createGateRig({ zones }, () => moving(inLeft));
  assert.deepEqual(said(slow.watch(5, 2_000)), [
    'zone-dwell',
    'zone-dwell',
    'zone-dwell',
    'zone left',
    'zone left',
  ]);
  const away = createGateRig({ zones }, (atMs) =>
    atMs > 4_000 && atMs < 9_000 ? { kind: 'quiet' } : moving(inLeft),
  );
  assert.equal(said(away.watch(45))[44], 'zone-dwell');
});

test('each sensitivity is a model of its own, and judges only its own zones', () => {
  const zones: Zone[] = [
    { id: 'left', polygon: LEFT, sensitivity: 9 },
    { id: 'right', polygon: RIGHT },
    {
      id: 'both',
      polygon: [
        [0, 0.9],
        [1, 0.9],
        [1, 1],
        [0, 1],
      ],
      sensitivity: 9,
    },
  ];
  const rig = createGateRig({ zones }, (_, sensitivity) =>
    sensitivity === 9 ? moving(inRight) : unsure('too-small', inRight),
  );
  assert.deepEqual(said(rig.watch(1)), ['outside-zones']);
  assert.deepEqual(
    rig.asked.map(({ sensitivity }) => sensitivity),
    [9, 5],
  );
  const sensitive = createGateRig({ zones }, (_, sensitivity) =>
    sensitivity === 9 ? moving(inLeft) : unsure('too-small', inLeft),
  );
  assert.deepEqual(said(sensitive.watch(1)), ['zone left']);
});

test('a masked pixel never reaches the model, which is told where it must not look', () => {
  const rig = createGateRig({ masks: [{ id: 'street', polygon: RIGHT }] }, () => ({ kind: 'quiet' }));
  rig.watch(2);
  const [{ frame, mask } = assert.fail()] = rig.asked;
  for (let i = 0; i < SIZE.width * SIZE.height; i++) {
    const isMasked = i % SIZE.width >= 160;
    assert.equal(frame?.[i], isMasked ? 0 : 90);
    assert.equal(mask?.[i], isMasked ? 0 : 1);
  }
  assert.equal(rig.gate.seen(), frame);
});

const FENCE = { id: 'fence', from: [0.5, 1] as [number, number], to: [0.5, 0] as [number, number] };
const walkRight = (atMs: number) => standing(0.2 + ((atMs - 1_000) / 4_000) * 0.6, 0.7);

test('crossing a line triggers at once, although the zone wants a long stay', () => {
  const zones: Zone[] = [
    {
      id: 'all',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
      dwellMs: 60_000,
    },
  ];
  const lines = [{ ...FENCE, direction: 'left-to-right' as const }];
  const seen = said(createGateRig({ zones, lines }, (atMs) => moving(walkRight(atMs))).watch(21));
  assert.equal(seen.filter((word) => word === 'line fence').length, 1);
  assert.ok(seen.indexOf('line fence') >= 10 && seen.indexOf('line fence') <= 13, seen.join());
  const wrong = [{ ...FENCE, direction: 'right-to-left' as const }];
  const other = said(createGateRig({ zones, lines: wrong }, (atMs) => moving(walkRight(atMs))).watch(21));
  assert.deepEqual(new Set(other), new Set(['zone-dwell']));
});

test('an empty list of zones beside lines: only the lines count; a line has its schedule, too', () => {
  const lines = [{ ...FENCE, direction: 'both' as const }];
  const seen = said(createGateRig({ zones: [], lines }, (atMs) => moving(walkRight(atMs))).watch(21));
  assert.deepEqual(new Set(seen), new Set(['outside-zones', 'line fence']));
  const asleep = [{ ...FENCE, direction: 'both' as const, schedule: [{ from: '01:00', to: '02:00' }] }];
  const night = said(
    createGateRig({ zones: [], lines: asleep }, (atMs) => moving(walkRight(atMs))).watch(21),
  );
  assert.deepEqual(new Set(night), new Set(['outside-zones']));
});

test('what crossed before the model was sure counts when it is; what it never confirms does not', () => {
  const lines = [{ ...FENCE, direction: 'both' as const }];
  const late = createGateRig({ zones: [], lines }, (atMs) =>
    atMs < 4_200 ? unsure('too-short', walkRight(atMs)) : moving(walkRight(atMs)),
  );
  const seen = said(late.watch(21));
  assert.equal(seen.indexOf('line fence'), 16);
  assert.equal(seen.filter((word) => word === 'line fence').length, 1);
  const never = createGateRig({ zones: [], lines }, (atMs) => unsure('in-place', walkRight(atMs)));
  assert.deepEqual(new Set(said(never.watch(21))), new Set(['in-place']));
});

test('a line is crossed between key frames two seconds apart, too', () => {
  const lines = [{ ...FENCE, direction: 'left-to-right' as const }];
  const seen = said(createGateRig({ zones: [], lines }, (atMs) => moving(walkRight(atMs))).watch(3, 2_000));
  assert.ok(seen.includes('line fence'), seen.join());
});

test('what triggered is said in words', () => {
  assert.equal(causeText({ kind: 'picture' }), 'motion in the picture');
  assert.equal(causeText({ kind: 'request' }), "a person's request");
  assert.equal(causeText({ kind: 'zone', id: 'drive' }), 'zone drive');
  assert.equal(
    causeText({ kind: 'line', id: 'fence', direction: 'right-to-left' }),
    'line fence right-to-left',
  );
});
