import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraConfig, ContractError, parse, RecordingConfig } from '@dachawatch/contracts';
import { seededRandom } from '../../../faults/ledger/ledger-fragments.ts';
import { bench, type Bench } from './desired-bench.ts';

const SECRET = 'hunter2';
const RUNS = 600;
type Json = Record<string, unknown>;

/** Documents between right and absurd, the same for the same seed. */
function createDocuments(seed: number) {
  const random = seededRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const anything = (depth: number): unknown =>
    pick<() => unknown>([
      () => null,
      () => below(3) - 1,
      () => random() * 1e9,
      () => `${SECRET}${'x'.repeat(below(100))}`,
      () => `rtsp://u:${SECRET}@cam/${below(9)}`,
      () => random() < 0.5,
      () => (depth > 3 ? [] : Array.from({ length: below(4) }, () => anything(depth + 1))),
      () => (depth > 3 ? {} : some(pick([KEYS, CAMERA_KEYS, INSIDE]), () => anything(depth + 1))),
    ])();
  const some = (keys: readonly string[], make: (key: string) => unknown): Json => {
    const made: Json = {};
    for (let n = below(6); n > 0; n -= 1) {
      const key = pick(keys);
      // As JSON.parse makes them, `__proto__` included.
      Object.defineProperty(made, key, {
        value: make(key),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return made;
  };
  const right = new Map<string, () => unknown>(
    Object.entries({
      preRollMs: () => below(30_001),
      postRollMs: () => 1_000 + below(299_001),
      title: () => 'A title',
      main: () => `rtsp://cam/${below(9)}`,
      sub: () => `rtsps://cam/${below(9)}`,
      credential: () => pick(['camera-gate', 'camera-new']),
      sensitivity: () => 1 + below(10),
      timeZone: () => pick(['Europe/Kyiv', 'UTC']),
      zones: () => [
        {
          id: 'z',
          polygon: [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        },
      ],
      masks: () => [],
      lines: () => [{ id: 'l', from: [0, 0], to: [1, 1], direction: 'both' }],
    }),
  );
  const leaf = (key: string) => (random() < 0.6 ? (right.get(key)?.() ?? anything(0)) : anything(0));
  const section = (keys: readonly string[]) => (random() < 0.9 ? some(keys, leaf) : anything(0));
  return () =>
    some(KEYS, (key) => {
      if (key === 'recording') return section([...RECORDING_KEYS, ...INSIDE]);
      if (key !== 'cameras' || random() < 0.1) return anything(0);
      return some(CAMERAS, () => section([...CAMERA_KEYS, ...CAMERA_KEYS, ...INSIDE]));
    });
}

const RECORDING_KEYS = Object.keys(RecordingConfig.properties);
const CAMERA_KEYS = Object.keys(CameraConfig.properties).filter((key) => key !== 'id');
const KEYS = [
  'recording',
  'recording',
  'cameras',
  'cameras',
  'power',
  'recordng',
  '$x',
  '__proto__',
  'toString',
];
const CAMERAS = ['yard', 'gate', 'barn', 'shed', 'constructor', 'a b', '', '__proto__', 'x'.repeat(64)];
const INSIDE = ['id', 'polygon', 'hasOwnProperty', 'valueOf', '~/', '__proto__', 'ü'];

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null && !Array.isArray(here) && Object.hasOwn(here, key)
        ? (here as Json)[key]
        : undefined,
    value,
  );
const fits = (schema: Parameters<typeof parse>[0], value: unknown) => {
  try {
    parse(schema, value);
    return true;
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return false;
  }
};

/** Every leaf in force, by its path. */
const leaves = (desired: Bench) => {
  const { recording, cameras } = desired.settings();
  return new Map([
    ...Object.entries(recording).map(([key, value]) => [`/recording/${key}`, value] as const),
    ...cameras.flatMap(({ id, ...camera }) =>
      Object.entries(camera).map(([key, value]) => [`/cameras/${id}/${key}`, value] as const),
    ),
  ]);
};

for (const seed of [1, 2, 3])
  test(`no document throws, what is in force is always valid, and only desired or earlier values are (seed ${seed})`, () => {
    const next = createDocuments(seed);
    const desired = bench();
    const base = leaves(desired);
    for (let run = 0; run < RUNS; run += 1) {
      const before = leaves(desired);
      const properties = next();
      desired.take({ version: run, properties });
      const { recording, cameras } = desired.settings();
      parse(RecordingConfig, recording);
      for (const camera of cameras) assert.deepEqual(parse(CameraConfig, camera), camera);
      assert.ok(cameras.length <= 16);
      const now = leaves(desired);
      const refused = new Map(desired.desired().refused.map(({ path, reason }) => [path, reason]));
      for (const [path, value] of now) {
        const wanted = at(properties, ...path.split('/').slice(1));
        const isDefault = path.endsWith('/sensitivity') && value === 5;
        const origins = [base.get(path), before.get(path), wanted];
        assert.ok(isDefault || origins.some((origin) => same(origin, value)), `${path} came from nowhere`);
      }
      for (const key of RECORDING_KEYS) {
        const wanted = at(properties, 'recording', key);
        const schema = RecordingConfig.properties[key as keyof typeof RecordingConfig.properties];
        const inForce = now.get(`/recording/${key}`);
        if (wanted === undefined || wanted === null) continue;
        if (fits(schema, wanted)) assert.equal(inForce, wanted);
        else {
          assert.equal(inForce, before.get(`/recording/${key}`));
          assert.ok(refused.has(`/recording/${key}`));
        }
      }
    }
    assert.ok(desired.applied.length > RUNS / 10, 'the documents must change something');
    assert.ok(!desired.lines.join('').includes(SECRET), 'a value was logged');
  });

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

test('a restart after any document finds the same settings and the same refusals', () => {
  const next = createDocuments(4);
  let desired = bench();
  for (let run = 0; run < 200; run += 1) {
    desired.take({ version: run, properties: next() });
    const restarted = bench(desired.dir);
    assert.deepEqual(restarted.settings(), desired.settings());
    assert.deepEqual(restarted.desired(), desired.desired());
    desired = restarted;
  }
});

test('a value nested without end is refused and does not exhaust the stack', () => {
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
  const desired = bench();
  desired.setDesired({
    recording: { preRollMs: deep },
    cameras: { yard: { zones: [{ id: 'z', polygon: [], extra: deep }] } },
    other: deep,
  });
  assert.deepEqual(Object.keys(desired.reasons()), ['/recording/preRollMs', '/cameras/yard/zones', '/other']);
});
