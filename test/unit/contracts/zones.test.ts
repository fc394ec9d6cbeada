import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ApplianceConfig,
  CameraConfig,
  isSimplePolygon,
  parse,
  parseWithDefaults,
} from '@dachawatch/contracts';

const examples = join(import.meta.dirname, '../../../contracts/examples');
const example = (name: string) => JSON.parse(readFileSync(join(examples, `${name}.1.json`), 'utf8'));
const camera = example('camera');
const SQUARE = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const refused = (change: object, why: RegExp) =>
  assert.throws(() => parse(CameraConfig, { ...camera, ...change }), why);
const zone = (change: object) => ({ zones: [{ id: 'a', polygon: SQUARE, ...change }] });

test('a document from before zones reads as before, and nothing is added to it', () => {
  const { zones: _z, masks: _m, lines: _l, timeZone: _t, ...old } = camera;
  assert.deepEqual(parseWithDefaults(CameraConfig, old), old);
  const appliance = { ...example('appliance'), cameras: [old] };
  assert.deepEqual(parseWithDefaults(ApplianceConfig, appliance), appliance);
});

test('a polygon whose sides cross or touch is refused with its place', () => {
  const bow = [
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 1],
  ];
  refused(zone({ polygon: bow }), /\/zones\/0\/polygon must be a polygon whose sides do not cross/);
  refused({ masks: [{ id: 'm', polygon: bow }] }, /\/masks\/0\/polygon/);
  const inAppliance = { ...example('appliance'), cameras: [{ ...camera, ...zone({ polygon: bow }) }] };
  assert.throws(() => parse(ApplianceConfig, inAppliance), /appliance\/1: \/cameras\/0\/zones\/0\/polygon/);
});

test('simple polygons are told from others', () => {
  const u: [number, number][] = [
    [0.1, 0.1],
    [0.3, 0.1],
    [0.3, 0.7],
    [0.7, 0.7],
    [0.7, 0.1],
    [0.9, 0.1],
    [0.9, 0.9],
    [0.1, 0.9],
  ];
  assert.ok(isSimplePolygon(u) && isSimplePolygon(u.toReversed()));
  assert.ok(
    isSimplePolygon([
      [0, 0],
      [0.5, 0],
      [1, 0],
      [1, 1],
    ]),
    'a corner may be straight',
  );
  const others: Record<string, [number, number][]> = {
    'no area': [
      [0, 0],
      [0.5, 0.5],
      [1, 1],
    ],
    'a corner twice': [
      [0, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ],
    'a spike': [
      [0, 0],
      [1, 0],
      [0.5, 0],
      [0.5, 1],
    ],
    'a corner on another side': [
      [0, 0],
      [1, 0],
      [1, 1],
      [0.5, 0],
      [0, 1],
    ],
    'two loops that share a corner': [
      [0, 0],
      [0.5, 0.5],
      [1, 0],
      [1, 1],
      [0.5, 0.5],
      [0, 1],
    ],
  };
  for (const [what, polygon] of Object.entries(others)) assert.ok(!isSimplePolygon(polygon), what);
});

test('bounds of zones are those of the schema', () => {
  refused(zone({ polygon: SQUARE.slice(0, 2) }), /\/zones\/0\/polygon/);
  refused(
    zone({ polygon: Array.from({ length: 33 }, (_, i) => [i / 40, (i % 2) / 2]) }),
    /\/zones\/0\/polygon/,
  );
  refused(
    zone({
      polygon: [
        [0, 0],
        [1.01, 0],
        [1, 1],
      ],
    }),
    /\/zones\/0\/polygon\/1\/0/,
  );
  refused(zone({ sensitivity: 11 }), /\/zones\/0\/sensitivity/);
  refused(zone({ minSize: 2 }), /\/zones\/0\/minSize/);
  refused(zone({ dwellMs: -1 }), /\/zones\/0\/dwellMs/);
  refused(zone({ schedule: [{ from: '25:00', to: '06:00' }] }), /\/zones\/0\/schedule\/0\/from/);
  refused(
    zone({ schedule: [{ days: ['someday'], from: '05:00', to: '06:00' }] }),
    /\/zones\/0\/schedule\/0\/days/,
  );
  refused(zone({ id: 'no spaces' }), /\/zones\/0\/id/);
  refused({ zones: [camera.zones[0], camera.zones[0]] }, /\/zones must not use an id twice/);
  refused({ zones: [null] }, /\/zones\/0/);
});

test('a line needs two ends and a direction that is known', () => {
  const line = (change: object) => ({ lines: [{ ...camera.lines[0], ...change }] });
  refused(line({ to: camera.lines[0].from }), /\/lines\/0 must end at another place/);
  refused(line({ direction: 'up' }), /\/lines\/0\/direction/);
  refused({ lines: [{ id: 'a' }] }, /\/lines\/0 must have required properties/);
});

test('a time zone that nobody knows is refused', () => {
  refused({ timeZone: 'Mars/Olympus' }, /\/timeZone must be the name of a time zone/);
  assert.equal(parse(CameraConfig, { ...camera, timeZone: 'Pacific/Apia' }).timeZone, 'Pacific/Apia');
});
