import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { rehearse } from '../../../../../hardware/simulators/ups/rehearsal.ts';
import { readScenario } from '../../../../../hardware/simulators/ups/scenario.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

const DIR = join(import.meta.dirname, '../../../../../hardware/simulators/ups/scenarios');
/** Below this the pack is at its end. */
const CUT_OFF_VOLTS = 9;

/** Each scenario is played once, for all tests that look at it. */
const played = new Map<string, ReturnType<typeof rehearse>>();
function rehearseFile(name: string): ReturnType<typeof rehearse> {
  const scenario = readScenario(join(DIR, `${name}.json`));
  const rehearsal =
    played.get(name) ?? rehearse({ scenario, clock: createFakeClock(), log: createLogBook().log });
  played.set(name, rehearsal);
  return rehearsal;
}
const states = ({ changes }: Awaited<ReturnType<typeof rehearseFile>>) =>
  changes.map(({ state, shutdown }) => (shutdown ? `${state}/${shutdown}` : state));

for (const file of readdirSync(DIR)) {
  const scenario = readScenario(join(DIR, file));
  const promise = scenario.endsInPowerOff
    ? 'the machine is switched off once, in good order, before the pack is at its end'
    : 'the machine is never switched off';
  test(`${file}: ${promise}`, async () => {
    const { deeds, moments } = await rehearseFile(file.replace('.json', ''));
    const names = deeds.map(({ deed }) => deed);
    if (!scenario.endsInPowerOff) return assert.ok(!names.includes('powerOff'), names.join());
    assert.deepEqual(names.slice(-3), ['seal', 'tell', 'powerOff']);
    assert.equal(names.filter((name) => name === 'powerOff').length, 1);
    const volts = deeds.at(-1)?.truth.volts ?? 0;
    assert.ok(volts > CUT_OFF_VOLTS, `${volts} V`);
    assert.ok(!moments.at(-1)?.isDead);
  });
}

test('an outage to the end passes through its states in order', async () => {
  assert.deepEqual(states(await rehearseFile('outage-to-end')), [
    'on-mains',
    'on-battery',
    'low',
    'critical',
    'critical/sealing',
    'critical/telling',
    'critical/waiting',
    'critical/requested',
  ]);
});

test('mains that returns at the last moment takes the shutdown back, and recording goes on', async () => {
  const rehearsal = await rehearseFile('returns-at-the-last-moment');
  assert.deepEqual(
    rehearsal.deeds.map(({ deed }) => deed),
    ['seal', 'tell', 'resume'],
  );
  assert.deepEqual(states(rehearsal).slice(-3), ['critical/waiting', 'on-mains/waiting', 'on-mains']);
});

test('a full battery on mains is on mains for hours, whichever way the sensor’s offset points', async () => {
  assert.deepEqual(states(await rehearseFile('full-battery-on-mains')), ['on-mains']);
});

test('a sensor that dies on battery leaves the state unknown, and says why', async () => {
  const rehearsal = await rehearseFile('dying-sensor');
  assert.equal(states(rehearsal).at(-1), 'unknown');
  assert.equal(rehearsal.moments.at(-1)?.status.detail, 'no chip answers at 0x41 on I2C bus 1');
  assert.equal(rehearsal.moments.at(-1)?.status.volts, null);
});

test('minutes left are near the truth half-way, and only told on battery', async () => {
  const { moments, deeds } = await rehearseFile('outage-to-end');
  const offS = deeds.at(-1)?.truth.atS ?? 0;
  const halfWay = moments[Math.round(offS / 2)];
  const toldMinutes = halfWay?.status.minutesLeft ?? 0;
  const trueMinutes = (offS - (halfWay?.atS ?? 0)) / 60;
  assert.ok(toldMinutes > trueMinutes / 2 && toldMinutes < trueMinutes * 2, `${toldMinutes} ${trueMinutes}`);
  assert.equal(moments[100]?.status.minutesLeft, null);
});

test('a scenario that does not fit is refused with file, place and reason', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-ups-'));
  try {
    const file = join(dir, 'bad.json');
    const refuse = (value: unknown, pattern: RegExp) => {
      writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
      assert.throws(() => readScenario(file), pattern);
    };
    const good = { title: 't', durationS: 10, endsInPowerOff: false, steps: [{ atS: 5 }, { atS: 6 }] };
    refuse({ ...good, steps: [{ atS: 5, mians: true }] }, /bad\.json.*\/steps\/0/);
    refuse({ ...good, steps: [{ atS: 5 }, { atS: 1 }] }, /steps\/1\/atS.*before/);
    refuse('not json', /bad\.json/);
    assert.throws(() => readScenario(join(dir, 'missing.json')), /missing\.json cannot be read/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
