import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CameraConfig, parse, TwinReported } from '@dachawatch/contracts';
import { type Observed, twinOf } from '../../../../agent/reports/document.ts';
import {
  fitTwin,
  REPORTED_BYTES_GOOD,
  REPORTED_BYTES_MAX,
  shorten,
  twinBytes,
} from '../../../../agent/reports/fit.ts';
import { ageMark, createSteady, stepOfDigits, uptimeMark } from '../../../../agent/reports/steady.ts';
import { camera, cameraConfig, quietHouse } from './rig.ts';

const observe = (changes: Partial<Observed> = {}): Observed => ({
  ...quietHouse(),
  clipBytesMax: 20_000_000_000,
  ...changes,
});
const twin = (observed: Observed, steady = createSteady()) => {
  const document = twinOf(observed, steady);
  assert.deepEqual(parse(TwinReported, document), document);
  assert.doesNotMatch(JSON.stringify(document), /null/);
  assert.ok(twinBytes(document) <= REPORTED_BYTES_MAX, `${twinBytes(document)} bytes`);
  return document;
};

/** A regular polygon of so many corners, with as many digits as numbers have. */
const polygon = (corners: number, digits = 15) =>
  Array.from({ length: corners }, (_, i): [number, number] => [
    Number((0.5 + 0.4 * Math.cos((2 * Math.PI * i) / corners)).toFixed(digits)),
    Number((0.5 + 0.4 * Math.sin((2 * Math.PI * i) / corners)).toFixed(digits)),
  ]);

const crowded = (id: string, zones: number, corners: number, changes: Partial<CameraConfig> = {}) =>
  cameraConfig(id, {
    zones: Array.from({ length: zones }, (_, i) => ({ id: `zone-${i}`, polygon: polygon(corners) })),
    masks: Array.from({ length: zones }, (_, i) => ({ id: `mask-${i}`, polygon: polygon(corners) })),
    lines: [{ id: 'door', from: [0.1, 0.1], to: [0.9, 0.9], direction: 'both' }],
    ...changes,
  });

const houseOf = (cameras: readonly CameraConfig[], changes: Partial<Observed> = {}) =>
  observe({
    cameras: cameras.map(({ id }) => camera(id)),
    settings: { recording: { preRollMs: 5_000, postRollMs: 30_000 }, cameras },
    ...changes,
  });

test('the document says what the rooms say, rounded; what is not known is absent', () => {
  const document = twin(
    observe({
      cameras: [camera('gate', { state: 'unreachable', detail: 'no route to host', lastFrameAgeMs: null })],
    }),
  );
  assert.deepEqual(document, {
    schema: 'dachawatch/twin-reported/1',
    desiredVersion: 3,
    recording: { preRollMs: 5_000, postRollMs: 30_000 },
    cameras: {
      gate: {
        state: 'unreachable',
        sinceUtc: '2026-06-01T11:00:00.000Z',
        detail: 'no route to host',
        settings: { main: 'rtsp://10.0.0.9:554/gate/1', sub: 'rtsp://10.0.0.9:554/gate/2', sensitivity: 5 },
      },
    },
    power: { state: 'on-mains', sinceUtc: '2026-06-01T11:00:00.000Z', volts: 12.3, amps: 0, percent: 95 },
    storage: {
      clips: 412,
      clipBytes: 3_910_000_000,
      clipBytesMax: 20_000_000_000,
      diskFreeBytes: 21_500_000_000,
      diskTotalBytes: 30_900_000_000,
    },
    backlog: { waiting: 0, awaitingVerdict: 1, events: 0 },
    health: {
      cpuCelsius: 48,
      throttled: [],
      load1: 0.5,
      cores: 4,
      memoryTotalBytes: 8_455_000_000,
      memoryAvailableBytes: 7_400_000_000,
      agentBytes: 230_000_000,
      uptimeSeconds: 259_200,
      agentUptimeSeconds: 172_800,
      clock: 'synchronised',
    },
    versions: quietHouse().versions,
    conditions: [],
    refused: [],
  });
  assert.ok(!('health' in twin(observe({ facts: null }))));
});

test('noise gives the same document, also on the border of a step; a real change does not', () => {
  const steady = createSteady();
  const house = quietHouse();
  const first = twin(observe(house), steady);
  for (const sign of [1, -1, 1, -1]) {
    Object.assign(house.facts!, {
      cpuCelsius: 48.5 + sign * 0.3,
      load1: 0.42 + sign * 0.3,
      memoryAvailableBytes: 7_412_345_678 + sign * 50_000_000,
      agentBytes: 231_234_567 + sign * 5_000_000,
      uptimeSeconds: 86_400 * 3 + 500 + sign,
      agentUptimeSeconds: 86_400 * 2 + 500 + sign,
    });
    Object.assign(house.power, { volts: 12.31 + sign * 0.06, amps: 0.04 + sign * 0.05, percent: 97 + sign });
    Object.assign(house.summary, { bytes: 3_912_345_678 + sign * 2_000_000, outgoing: 5 + sign });
    house.disk.diskFreeBytes = 21_512_345_678 + sign * 40_000_000;
    house.cameras[0]!.lastFrameAgeMs = 1_000 + sign * 900;
    assert.deepEqual(twin(observe(house), steady), first);
  }
  house.facts!.cpuCelsius = 50.2;
  assert.equal(twin(observe(house), steady).health?.cpuCelsius, 50);
  house.disk.diskFreeBytes = 0;
  assert.equal(twin(observe(house), steady).storage?.diskFreeBytes, 0, 'a full disk is not rounded away');
});

test('steps, ages and uptimes', () => {
  assert.deepEqual(
    [0, 7, 999, 1_000, 21_512_345_678].map((value) => stepOfDigits(value, 3)),
    [1, 1, 1, 10, 100_000_000],
  );
  assert.deepEqual([0, 180, 5_000, 5_001, 3e9].map(ageMark), [5_000, 5_000, 5_000, 10_000, 86_400_000]);
  assert.deepEqual(
    [-1, 899, 900, 3_599, 3_600, 86_399, 86_400, 200_000].map(uptimeMark),
    [0, 0, 900, 2_700, 3_600, 82_800, 86_400, 172_800],
  );
});

test('no login and no key is reported, wherever a room put it', () => {
  const document = twin(
    observe({
      cameras: [camera('gate', { detail: 'rtsp://watch:s3cret@10.0.0.9/1 answered 401' })],
      power: { ...quietHouse().power, detail: 'password=s3cret' },
      settings: {
        recording: { preRollMs: 0, postRollMs: 1_000 },
        cameras: [cameraConfig('gate', { main: 'rtsp://10.0.0.9/user=watch&password=s3cret&channel=1' })],
      },
      desired: {
        version: 1,
        refused: [{ path: '/cameras/gate/main', reason: 'rtsp://a:s3cret@b is no address' }],
      },
    }),
  );
  assert.doesNotMatch(JSON.stringify(document), /s3cret/);
});

test('a document of usual size is complete; one that is too long leaves out polygons first, and says so', () => {
  const usual = twin(houseOf([crowded('gate', 3, 6), crowded('yard', 3, 6)]));
  assert.equal(usual.leftOut, undefined);
  assert.equal(usual.cameras['gate']?.settings?.zones?.length, 3);
  const long = twin(houseOf(Array.from({ length: 6 }, (_, i) => crowded(`c${i}`, 6, 16))));
  assert.equal(long.leftOut, 'zones, masks and lines of the cameras');
  for (const { settings } of Object.values(long.cameras))
    assert.deepEqual(Object.keys(settings ?? {}), ['main', 'sub', 'sensitivity']);
  assert.ok(twinBytes(long) <= REPORTED_BYTES_GOOD);
});

test('corners count as IoT Hub counts them: eight bytes a number, however short it is written', () => {
  const short = {
    polygon: [
      [0, 1],
      [1, 1],
      [1, 0],
    ],
  };
  assert.ok(JSON.stringify(short).length < 8 * 6 + 7);
  assert.equal(twinBytes(short), 8 * 6 + 7);
});

test('sixteen cameras of sixteen zones of thirty-two corners fit, with the longest addresses, texts and refusals', () => {
  const ids = Array.from({ length: 16 }, (_, i) => `${i}`.padStart(2, '0').padEnd(63, 'x'));
  const address = `rtsp://10.0.0.9/${'a'.repeat(1_000)}`;
  const worst = '\u0001"\\é👀'.repeat(2_000);
  const all = twin(houseOf(ids.map((id) => crowded(id, 16, 32))));
  assert.equal(all.leftOut, 'zones, masks and lines of the cameras');
  const addresses = twin(houseOf(ids.map((id) => crowded(id, 16, 32, { main: address, sub: address }))));
  assert.equal(addresses.leftOut, 'settings of the cameras');
  assert.equal(Object.keys(addresses.cameras).length, 16);
  const refused = Array.from({ length: 500 }, () => ({ path: `/${worst}`, reason: worst }));
  const everything = twin(
    houseOf(
      ids.map((id) => crowded(id, 16, 32, { main: address, sub: address })),
      {
        cameras: ids.map((id) => camera(id, { state: 'unreachable', detail: worst })),
        power: { ...quietHouse().power, detail: worst },
        desired: { version: 9, refused },
        versions: { agent: worst, node: worst, kernel: worst, os: worst, hardware: worst },
      },
    ),
  );
  assert.match(everything.leftOut ?? '', /refused values beyond/);
  assert.ok(everything.refused.length > 0);
});

test('the document that was given is not changed', () => {
  const document = twin(houseOf([crowded('gate', 16, 32)]));
  const before = structuredClone(document);
  fitTwin(document);
  assert.deepEqual(document, before);
});

test('a text is cut by the bytes of its JSON, never inside a character', () => {
  assert.equal(shorten('short', 20), 'short');
  assert.equal(shorten('aaaaaaaaaaaaaaaaaaaaa', 20), `${'a'.repeat(17)}…`);
  for (const text of ['👀'.repeat(50), '\u0001'.repeat(50), '"\\'.repeat(50)]) {
    const cut = shorten(text, 50);
    assert.ok(Buffer.byteLength(JSON.stringify(cut)) - 2 <= 50);
    assert.ok(cut.endsWith('…') && cut.length > 3 && text.startsWith(cut.slice(0, -1)));
    assert.equal(cut, cut.toWellFormed());
  }
});
