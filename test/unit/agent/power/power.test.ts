import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';
import { createPower, type PowerStatus, type Wires } from '../../../../agent/power/power.ts';
import { openSocketSmbus } from '../../../../agent/power/i2c/smbus-socket.ts';
import { type Smbus, smbusFailure } from '../../../../agent/power/i2c/smbus.ts';
import { portOf } from '../../../../hardware/simulators/ups/rehearsal.ts';
import { checkScenario } from '../../../../hardware/simulators/ups/scenario.ts';
import { createUpsModel } from '../../../../hardware/simulators/ups/ups-model.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createFakeWires } from '../../../fakes/wires.ts';
import { createLogBook } from '../../../fakes/log-book.ts';

const UPS = { ups: { model: 'waveshare-ups-module-3s' } };
const DEFAULT: object = UPS;
const WIRE = { gpio: { mainsPresent: { line: 22 } } };

/** The power room with a simulated UPS on its bus and fake wires. */
function bench({
  config = DEFAULT,
  wires = undefined as Wires | undefined,
  fill = 0.6,
  open = undefined as (() => Promise<Smbus>) | undefined,
} = {}) {
  const clock = createFakeClock();
  const beganMs = clock.monotonicMs();
  const { log, lines, events } = createLogBook();
  const model = createUpsModel({
    scenario: checkScenario({
      title: 'by hand',
      durationS: 1e6,
      endsInPowerOff: false,
      battery: { fill },
      steps: [{ atS: 0 }],
    }),
  });
  const changes: PowerStatus[] = [];
  const deeds: string[] = [];
  let opened = 0;
  const power = createPower({
    config: parseWithDefaults(PowerConfig, config),
    actions: {
      seal: async () => void deeds.push('seal'),
      tell: async () => void deeds.push('tell'),
      powerOff: () => void deeds.push('powerOff'),
      resume: () => void deeds.push('resume'),
    },
    onChange: (status) => changes.push(status),
    clock,
    log,
    random: () => 0.5,
    openSmbus: async () => {
      opened += 1;
      return open ? open() : portOf(model, () => clock.monotonicMs() - beganMs);
    },
    ...(wires ? { wires } : {}),
  });
  const warnings = () => events('warn');
  return { clock, power, model, changes, deeds, lines, warnings, opened: () => opened };
}

test('without a UPS and without wires nothing runs, and the state says so', async () => {
  const { clock, power, changes, opened } = bench({ config: {} });
  await power.start();
  await clock.advance(3_600_000);
  assert.equal(power.status().state, 'unknown');
  assert.equal(power.status().detail, 'no UPS is configured');
  assert.deepEqual([changes.length, opened(), clock.sleepers()], [0, 0, 0]);
  await power.stop();
});

test('a missing bus is one warning and few attempts, and is found by itself when it appears', async () => {
  let isThere = false;
  const sentence = 'there is no I2C bus 1 (/dev/i2c-1): this machine has none';
  const built = bench();
  const missing = bench({
    open: async () => {
      if (!isThere) throw smbusFailure('smbus.no-bus', sentence);
      return portOf(built.model, () => missing.clock.monotonicMs());
    },
  });
  const { clock, power, warnings, opened, lines } = missing;
  await power.start();
  await clock.advance(3_600_000);
  assert.equal(power.status().detail, sentence);
  assert.deepEqual(warnings(), ['ups.unreadable']);
  assert.ok(opened() > 100 && opened() < 250, `${opened()}`);
  isThere = true;
  await clock.advance(60_000);
  assert.equal(power.status().state, 'on-mains');
  assert.equal(power.status().detail, null);
  assert.ok(lines.some(({ fields }) => fields['event'] === 'ups.readable'));
  await power.stop();
});

test('a transaction that hangs is not repeated beside itself: one port, and none more until it is closed', async () => {
  const closing = Promise.withResolvers<void>();
  const hang = async () => {
    await closing.promise;
    throw smbusFailure('smbus.closed', 'closed at last');
  };
  const hung: Smbus = { readWord: hang, writeWord: hang, close: () => closing.promise };
  const { clock, power, opened } = bench({ open: async () => hung });
  await power.start();
  await clock.advance(600_000);
  assert.equal(opened(), 1);
  assert.match(power.status().detail ?? '', /bus is stuck/);
  closing.resolve();
  await clock.advance(60_000);
  assert.ok(opened() > 1);
  const stopped = power.stop();
  await clock.advance(5_000);
  await stopped;
});

test('an outage is told once, with volts, amperes, percent and minutes; the wall clock may jump meanwhile', async () => {
  const { clock, power, model, changes } = bench();
  await power.start();
  await clock.advance(60_000);
  model.setMains(false);
  await clock.advance(60_000);
  assert.deepEqual(
    changes.map(({ state }) => state),
    ['on-mains', 'on-battery'],
  );
  const { volts, amps, percent, minutesLeft, sinceMs } = power.status();
  assert.ok(volts !== null && volts > 11 && volts < 12, `${volts}`);
  assert.ok(amps !== null && amps < -0.4 && amps > -0.8, `${amps}`);
  assert.ok(percent !== null && percent > 50 && percent < 80, `${percent}`);
  assert.ok(minutesLeft !== null && minutesLeft > 60 && minutesLeft % 10 === 0, `${minutesLeft}`);
  const agoMs = clock.nowMs() - sinceMs;
  clock.setWall(clock.nowMs() + 31_536_000_000);
  assert.equal(clock.nowMs() - power.status().sinceMs, agoMs);
  await power.stop();
});

test('since when stays the same while wall and monotonic clock tremble against each other, and while one is slewed a little', async () => {
  const { clock, power } = bench();
  await power.start();
  await clock.advance(60_000);
  const { sinceMs } = power.status();
  for (const trembleMs of [1, -1, 0.4, -0.6, 300]) {
    clock.setWall(clock.nowMs() + trembleMs);
    await clock.advance(1_000);
    assert.equal(power.status().sinceMs, sinceMs);
  }
  await power.stop();
});

test('the wire knows of mains when the sensor is dead, and what contradicts it is reported', async () => {
  const wires = createFakeWires(true);
  const { clock, power, model } = bench({ config: { ...UPS, ...WIRE }, wires });
  await power.start();
  await clock.advance(30_000);
  model.setMains(false);
  await clock.advance(120_000);
  assert.equal(power.status().state, 'on-mains');
  assert.match(
    power.status().detail ?? '',
    /wire says that mains is there, but the battery is being emptied/,
  );
  wires.setMains(false);
  await clock.advance(30_000);
  assert.deepEqual([power.status().state, power.status().detail], ['on-battery', null]);
  model.setFaults({ absent: true });
  await clock.advance(60_000);
  assert.equal(power.status().state, 'on-battery');
  assert.equal(power.status().volts, null);
  assert.match(power.status().detail ?? '', /no chip answers/);
  await power.stop();
});

test('a dead sensor switches nothing off, unless the wire has missed mains for the configured time', async () => {
  for (const [blindForMs, expected] of [
    [undefined, []],
    [600_000, ['seal', 'tell', 'powerOff']],
  ] as const) {
    const wires = createFakeWires(true);
    const thresholds = blindForMs === undefined ? {} : { blindForMs };
    const { clock, power, model, deeds } = bench({ config: { ...UPS, ...WIRE, thresholds }, wires });
    model.setFaults({ absent: true });
    await power.start();
    await clock.advance(3_600_000);
    assert.deepEqual(deeds, [], 'mains is there');
    wires.setMains(false);
    await clock.advance(590_000);
    wires.setMains(true);
    await clock.advance(10_000);
    wires.setMains(false);
    await clock.advance(590_000);
    assert.deepEqual(deeds, [], 'mains was there in between');
    await clock.advance(60_000);
    assert.deepEqual(deeds, expected);
    await power.stop();
  }
});

test('a sensor that dies after the decision does not take it back', async () => {
  const { clock, power, model, deeds } = bench({ fill: 0.075 });
  model.setMains(false);
  await power.start();
  for (let s = 0; s < 1_800 && power.status().shutdown !== 'waiting'; s += 1) await clock.advance(1_000);
  assert.equal(power.status().shutdown, 'waiting');
  model.setFaults({ absent: true });
  await clock.advance(60_000);
  assert.deepEqual(deeds, ['seal', 'tell', 'powerOff']);
  await power.stop();
});

test('woken with a battery that is still empty, it switches itself off again in good order', async () => {
  const { clock, power, model, deeds } = bench({ fill: 0.045 });
  model.setMains(false);
  await power.start();
  await clock.advance(90_000);
  assert.deepEqual(deeds, ['seal', 'tell', 'powerOff']);
  await power.stop();
});

test('woken by returning mains with an empty battery, it stays', async () => {
  const { clock, power, deeds } = bench({ fill: 0.03 });
  await power.start();
  await clock.advance(600_000);
  assert.equal(power.status().state, 'on-mains');
  assert.deepEqual(deeds, []);
  await power.stop();
});

test('the button switches off without a UPS, and says who asked', async () => {
  const wires = createFakeWires();
  const { clock, power, deeds, changes } = bench({ config: {}, wires });
  await power.start();
  await clock.advance(10_000);
  assert.deepEqual(wires.lights, ['on']);
  wires.holdButton();
  await clock.advance(1_000);
  assert.deepEqual(deeds, ['seal', 'tell', 'powerOff']);
  assert.equal(power.status().detail, 'the shutdown button was held');
  assert.deepEqual(
    changes.map(({ shutdown }) => shutdown),
    ['sealing', 'telling', 'waiting', 'requested'],
  );
  await power.stop();
  assert.deepEqual(wires.lights, ['on', 'blink', 'off']);
});

test('the light is on while all is well on mains, and blinks for anything else', async () => {
  const wires = createFakeWires();
  const { clock, power, model } = bench({ wires });
  await power.start();
  await clock.advance(30_000);
  assert.deepEqual(wires.lights, ['blink', 'on']);
  power.setTrouble(true);
  power.setTrouble(false);
  assert.deepEqual(wires.lights.slice(2), ['blink', 'on']);
  model.setMains(false);
  await clock.advance(30_000);
  assert.equal(wires.lights.at(-1), 'blink');
  await power.stop();
});

test('a listener that fails is logged once, and the battery is watched on', async () => {
  const wires = { ...createFakeWires(), mainsPresent: () => assert.fail('a broken line') };
  const { clock, power, lines } = bench({ wires });
  await power.start();
  await clock.advance(60_000);
  assert.equal(lines.filter(({ fields }) => fields['event'] === 'power.tick-failed').length, 1);
  await power.stop();
});

test('a configuration that contradicts itself is refused with what and where', () => {
  const refuse = (config: object, pattern: RegExp) => {
    assert.throws(() => bench({ config }), pattern);
  };
  refuse(
    { thresholds: { lowVolts: 9, criticalVolts: 9.6 } },
    /lowVolts \(9\) must be above criticalVolts \(9.6\)/,
  );
  refuse(
    { ...UPS, thresholds: { blindForMs: 600_000 } },
    /blindForMs needs the wire power\.gpio\.mainsPresent/,
  );
  refuse({ ...UPS, thresholds: { lowVolts: 5, criticalVolts: 4 } }, /has 6 to 13\.2 V/);
  refuse({ ups: { ...UPS.ups, configuration: 0x0ee8 } }, /0x0EE8 does not measure/);
  refuse({ ups: { ...UPS.ups, calibration: 26_869 } }, /calibration/);
});

test('a socket of a simulator that is missing is the same as a missing bus', async () => {
  const { clock, power } = bench({ open: () => openSocketSmbus('/nonexistent/ups.sock') });
  await power.start();
  // A real socket: its error comes with the system's events, not with simulated time.
  for (let i = 0; i < 200 && power.status().detail?.includes('simulator') !== true; i += 1)
    await clock.advance(1_000);
  assert.equal(power.status().detail, 'no UPS simulator listens at /nonexistent/ups.sock');
  await power.stop();
});
