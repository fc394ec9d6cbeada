import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Telemetry, TwinReported } from '@dachawatch/contracts';
import { REPORTS } from '../../../../agent/reports/pace.ts';
import { seededRandom } from '../../../faults/ledger/ledger-fragments.ts';
import { camera, cameraConfig, type House, quietHouse, type ReportsRig, reportsRig } from './rig.ts';

/** IoT Hub, free tier: messages a day, of half a kilobyte each; the paid ones count 4 KB pieces, of 400,000 a day. */
const FREE_A_DAY = 8_000;
const FREE_PIECE = 512;
const PAID_PIECE = 4_096;
/** Around the data of an event. */
const ENVELOPE: Omit<Telemetry, 'data'> = {
  schema: 'dachawatch/telemetry/1',
  eventId: '01KAP7X0000000000000000001',
  event: 'trigger.suppressed',
  deviceTimeUtc: '2026-11-22T05:40:00.000Z',
  monotonicMs: 86_400_000,
  clockQuality: 'unsynchronised',
};

/** What differs, as a patch of the twin: the deepest objects, arrays whole. */
function difference(before: unknown, after: unknown): unknown {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(before) || !isObject(after)) return after;
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      const part = key in after ? difference(before[key], after[key]) : null;
      return part === undefined ? [] : [[key, part]];
    }),
  );
}

/** What a day costs: messages as sent, and as IoT Hub counts them. */
function costOf({ told, handed }: ReportsRig) {
  const sizes = (bytes: number[]) => ({
    sent: bytes.length,
    paid: bytes.reduce((sum, size) => sum + Math.ceil(size / PAID_PIECE), 0),
    free: bytes.reduce((sum, size) => sum + Math.ceil(size / FREE_PIECE), 0),
  });
  const patches: number[] = [];
  let last: TwinReported | undefined;
  for (const { reported } of handed) {
    const patch = difference(last ?? {}, reported);
    if (patch !== undefined) patches.push(Buffer.byteLength(JSON.stringify(patch)));
    last = reported;
  }
  return {
    events: sizes(told.map(({ data }) => Buffer.byteLength(JSON.stringify({ ...ENVELOPE, data })))),
    twin: sizes(patches),
  };
}

function fourCameras(): House {
  const ids = ['gate', 'yard', 'door', 'shed'];
  const house = quietHouse();
  return {
    ...house,
    cameras: ids.map((id) => camera(id)),
    settings: { ...house.settings, cameras: ids.map((id) => cameraConfig(id)) },
  };
}

test('a quiet day with four cameras costs about two hundred messages and fits the free tier many times', async (t) => {
  const rig = reportsRig(t, fourCameras());
  const { house, clock, reports, seconds } = rig;
  const random = seededRandom(20_261_122);
  await reports.start();
  for (let minute = 0; minute < 1_440; minute++) {
    const noise = () => random() - 0.5;
    Object.assign(house.facts!, {
      cpuCelsius: 48 + 4 * Math.sin(minute / 229) + noise(),
      load1: Math.max(0, 0.6 + noise()),
      memoryAvailableBytes: Math.round(7.4e9 + 2e8 * noise()),
      agentBytes: Math.round(2.3e8 + 2e7 * noise()),
      uptimeSeconds: 86_400 * 3 + minute * 60,
      agentUptimeSeconds: 86_400 * 2 + minute * 60,
    });
    Object.assign(house.power, { volts: 12.3 + noise() / 5, amps: 0.05 + noise() / 10 });
    for (const one of house.cameras) {
      one.lastFrameAgeMs = Math.round(1_200 * random());
      if (random() < 0.1)
        one.suppressed = { ...one.suppressed, 'too-small': (one.suppressed['too-small'] ?? 0) + 1 };
    }
    // Twenty clips a day, each seen waiting for a minute.
    const isClip = minute % 72 === 0;
    house.summary.clips += isClip ? 1 : 0;
    house.summary.bytes += isClip ? 15_000_000 : 0;
    house.disk.diskFreeBytes -= isClip ? 15_000_000 : 0;
    Object.assign(house.summary, {
      waiting: isClip ? 1 : 0,
      oldestWaitingMs: isClip ? clock.nowMs() : null,
    });
    await seconds(60);
  }
  const cost = costOf(rig);
  t.diagnostic(`quiet day, four cameras: ${JSON.stringify(cost)}`);
  assert.equal(rig.of('heartbeat').length, 96);
  assert.ok(rig.of('trigger.suppressed').length <= 4 * 24);
  assert.ok(cost.twin.sent <= 98, `${cost.twin.sent} twin updates`);
  assert.ok(cost.events.free + cost.twin.free < FREE_A_DAY / 4, JSON.stringify(cost));
});

test('a bad day with sixteen cameras, where everything flaps, stays within its bounds', async (t) => {
  const house = fourCameras();
  const ids = Array.from({ length: 16 }, (_, i) => `c${i}`);
  house.cameras = ids.map((id) => camera(id));
  house.settings = { ...house.settings, cameras: ids.map((id) => cameraConfig(id)) };
  const rig = reportsRig(t, house);
  await rig.reports.start();
  for (let i = 0; i < 2 * 240; i++) {
    const bad = i % 2 === 0;
    for (const one of house.cameras) one.state = bad ? 'unreachable' : 'live';
    house.link = { ...house.link, state: bad ? 'offline' : 'online' };
    house.disk.diskFreeBytes = bad ? 0 : 21e9;
    house.summary.bytes = bad ? 0 : 4e9;
    rig.reports.powerChanged(Object.assign(house.power, { state: bad ? 'on-battery' : 'on-mains' }));
    await rig.seconds(15);
  }
  const hours = 2;
  const bound = hours * ((16 + 1 + 1) * REPORTS.perHour + REPORTS.powerPerHour + 16 + 4);
  t.diagnostic(`two bad hours, sixteen cameras: ${JSON.stringify(costOf(rig))}, bound ${bound} events`);
  assert.ok(rig.told.length <= bound, `${rig.told.length} events`);
  assert.ok(rig.told.length > bound / 2, 'the bounds were reached');
});
