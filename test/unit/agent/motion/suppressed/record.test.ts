import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zone } from '@dachawatch/contracts';
import { pixelsOf } from '../../../../../agent/motion/suppressed/pictures.ts';
import { replayRecord, type SuppressedRecord } from '../../../../../agent/motion/suppressed/record.ts';
import { here, LEFT, moving, NOON_MS, type Script, there, unsure } from '../zones/gate-rig.ts';
import { createSamplerRig } from './rig.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';

const ALL: Zone['polygon'] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/** What a sampler hands over while a gate runs, `fresh` at every frame in the list. */
function sample(
  settings: Partial<ZoneSettings>,
  script: Script,
  fresh: readonly number[] = [0],
  frames = 40,
) {
  const emitted: SuppressedRecord[] = [];
  const rig = createSamplerRig(settings, script, (record) => emitted.push(structuredClone(record)));
  for (let n = 0; n < frames; n++) {
    rig.frame.fill(n);
    rig.show(n, () => fresh.includes(n));
  }
  return emitted;
}
const asStored = (record: SuppressedRecord | undefined) =>
  JSON.parse(JSON.stringify(record)) as SuppressedRecord;

const explained: Record<string, { settings: Partial<ZoneSettings>; script: Script }> = {
  'too-small': { settings: {}, script: () => unsure('too-small', here) },
  'in-place': { settings: { zones: [{ id: 'a', polygon: ALL }] }, script: () => unsure('in-place', here) },
  'whole-scene': { settings: {}, script: () => unsure('whole-scene') },
  'outside-zones': { settings: { zones: [{ id: 'a', polygon: LEFT }] }, script: () => moving(there) },
  'zone-inactive': {
    settings: {
      timeZone: 'Europe/Kyiv',
      zones: [{ id: 'a', polygon: ALL, schedule: [{ from: '15:00', to: '13:00' }] }],
    },
    script: () => moving(here),
  },
  'zone-too-small': {
    settings: { zones: [{ id: 'a', polygon: ALL, minSize: 0.4 }] },
    script: () => moving(here, there),
  },
  'zone-dwell': {
    settings: {
      zones: [
        { id: 'a', polygon: LEFT, dwellMs: 600_000 },
        { id: 'b', polygon: ALL, minSize: 0.4, sensitivity: 8 },
      ],
    },
    script: (_, sensitivity) => (sensitivity === 8 ? unsure('lighting', there) : moving(here)),
  },
};

for (const [reason, { settings, script }] of Object.entries(explained)) {
  test(`a stored record explains itself: ${reason}`, () => {
    const [record] = sample(settings, script);
    const stored = asStored(record);
    assert.equal(stored.reason, reason);
    assert.deepEqual(replayRecord(stored), { kind: 'suppressed', reason });
  });
}

test('a record tells what other settings would have done', () => {
  const { settings, script } = explained['zone-dwell'] ?? assert.fail();
  const record = asStored(sample(settings, script, [10])[0]);
  const stay = record.models.flatMap(({ sightings }) => sightings.flatMap(({ stays }) => stays));
  assert.deepEqual(stay, [
    { zone: 'a', ms: 2_000, told: false },
    { zone: 'b', ms: 2_000, told: false },
  ]);
  const shorter: ZoneSettings = { sensitivity: 5, zones: [{ id: 'a', polygon: LEFT, dwellMs: 2_000 }] };
  assert.deepEqual(replayRecord(record, shorter), { kind: 'motion', cause: { kind: 'zone', id: 'a' } });
  assert.deepEqual(replayRecord(record, { sensitivity: 5 }), {
    kind: 'motion',
    cause: { kind: 'picture' },
  });
});

test('a record has pictures from before, of and after the decision, as the model saw them', () => {
  const masks = [{ id: 'm', polygon: LEFT }];
  const [record = assert.fail()] = sample({ masks }, () => unsure('in-place', there), [10]);
  assert.equal(record.atMs, NOON_MS + 2_000);
  const times = record.pictures.map(({ afterMs }) => afterMs);
  assert.deepEqual([times.length, times[2], times[3]], [4, 0, 1_200]);
  assert.ok((times[0] ?? 0) < (times[1] ?? 0) && (times[1] ?? 0) < 0, times.join());
  for (const picture of record.pictures) {
    const pixels = pixelsOf(picture) ?? assert.fail();
    assert.equal(pixels[5], 0);
    assert.equal(pixels[75], 10 + picture.afterMs / 200);
  }
});

test('what becomes a recording after all, or is only being learnt, leaves no record', () => {
  assert.deepEqual(
    sample({}, (atMs) => (atMs < 1_800 ? unsure('too-short', here) : moving(here))),
    [],
  );
  assert.deepEqual(
    sample({}, () => unsure('learning')),
    [],
  );
});

test('of reasons that follow one another the last is told, and never later than it takes to wait', () => {
  const script: Script = (atMs) => unsure(atMs < 2_000 ? 'too-short' : 'in-place', here);
  const found = sample({}, script, [0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.deepEqual(
    found.map(({ reason }) => reason),
    ['in-place'],
  );
});

test('what is no picture is none', () => {
  for (const grey of ['', 'AAAA', '%%%', Buffer.alloc(9_000).toString('base64')])
    assert.equal(pixelsOf({ afterMs: 0, grey }), undefined);
});
