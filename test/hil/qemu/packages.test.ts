import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { bootGuest, type Fact, type Guest } from './guest.ts';

/** It takes a quarter of this on an idle machine. */
const DEADLINE_MS = 170_000;
const HERE = '/usr/lib/dachawatch/current/test/hil/qemu/guest';
/** A fact without its name. */
const fieldsOf = (fact: Fact) => Object.fromEntries(Object.entries(fact).filter(([key]) => key !== 'fact'));

describe('i2c-bus, onoff and what the power room builds on them, in a guest with simulated chips', () => {
  let guest: Guest;
  let failed = false;

  before(async () => {
    guest = bootGuest({ program: `${HERE}/bench.sh`, deadlineMs: DEADLINE_MS });
    await guest.ended;
  });
  afterEach((context) => {
    if ('passed' in context && !context.passed) failed = true;
  });
  after(async () => {
    guest.kill();
    if (failed) process.stderr.write(`${await guest.keep()}\n`);
  });

  it('the guest has run to its end and nothing in it keeps a process alive', async () => {
    assert.deepEqual(await guest.ended, { code: 0, tooLate: false });
    assert.deepEqual(guest.facts('garbled'), []);
    assert.deepEqual(
      ['buses', 'absent', 'lines'].map((program) => guest.fact(`${program}.exit`)['code']),
      [0, 0, 0],
    );
  });

  it('i2c-bus writes and reads words of a chip', () => {
    const words = guest.facts('i2c-bus.word').map(({ wrote, read }) => [wrote, read]);
    assert.deepEqual(words, [
      [0x0000, 0x0000],
      [0x1234, 0x1234],
      [0x8001, 0x8001],
      [0xffff, 0xffff],
    ]);
    assert.equal(guest.fact('smbus.word')['read'], 0x1234);
  });

  it('i2c-bus on i2c-stub passes the contract of every SMBus port', () => {
    const results = guest.facts('contract');
    assert.deepEqual(
      results.filter(({ passed }) => passed !== true),
      [],
    );
    assert.equal(results.length, 4);
  });

  it('the sensor is set up at the first reading, with the configuration and calibration of the UPS', () => {
    assert.equal(guest.fact('ina219.first')['kind'], 'not-ready');
    assert.deepEqual(fieldsOf(guest.fact('ina219.set-up')), { configuration: 0x0eef, calibration: 26_868 });
  });

  it('volts and amperes come back as another handle has written them, charging and discharging', () => {
    const readings = guest.facts('ina219.reading');
    assert.equal(readings.length, 4);
    for (const { wrote, read } of readings as unknown as {
      wrote: { volts: number; amps: number };
      read: { kind: string; volts: number; amps: number };
    }[]) {
      assert.equal(read.kind, 'good');
      assert.ok(Math.abs(read.volts - wrote.volts) <= 0.002, `${wrote.volts} V was read as ${read.volts} V`);
      assert.ok(Math.abs(read.amps - wrote.amps) <= 0.0001, `${wrote.amps} A was read as ${read.amps} A`);
    }
  });

  it('a lost calibration is noticed, not taken for a reading, and written again', () => {
    assert.equal(guest.fact('ina219.after-reset')['kind'], 'lost-calibration');
    assert.deepEqual(fieldsOf(guest.fact('ina219.set-up-again')), {
      configuration: 0x0eef,
      calibration: 26_868,
    });
    assert.equal(guest.fact('ina219.then')['kind'], 'good');
  });

  it('a chip that is not there is told from a bus that is not there, on the stub and on the bus of the PC', () => {
    const absent = guest.facts('absent').map(({ where, code, message }) => [where, code, message]);
    assert.deepEqual(absent.slice(0, 2), [
      ['other-address', 'smbus.no-chip', 'no chip answers at 0x42 on I2C bus 1'],
      ['empty-bus', 'smbus.no-chip', 'no chip answers at 0x41 on I2C bus 0'],
    ]);
    const [where, code, message] = absent[2] ?? [];
    assert.deepEqual([where, code, absent.length], ['no-bus', 'smbus.no-bus', 3]);
    assert.match(
      String(message),
      /^there is no I2C bus 7 \(\/dev\/i2c-7\): this machine has 0 \(SMBus I801 .*\), 1 \(SMBus stub driver\)$/,
    );
  });

  it('without its bus the power room says why it knows nothing, warns once, and finds the bus when it comes', () => {
    const { state, volts, detail } = guest.fact('absent.at-first');
    assert.deepEqual([state, volts], ['unknown', null]);
    assert.match(String(detail), /^there is no I2C bus 1 /);
    const warnings = guest.facts('warning').filter(({ event }) => event === 'ups.unreadable');
    assert.deepEqual(
      warnings.map((warning) => warning['detail']),
      [detail],
    );
    const found = guest.fact('absent.found');
    assert.deepEqual([found['state'], found['volts'], found['detail']], ['on-mains', 11.8, null]);
    assert.deepEqual(guest.facts('absent.power-off'), []);
  });

  it('the bus is held while it is read, and given back at the stop', () => {
    const removals = guest.facts('kernel').filter(({ command }) => command === 'rmmod i2c-stub');
    assert.deepEqual(
      removals.map(({ status, stderr }) => [status, stderr]),
      [
        [0, ''],
        [1, 'rmmod: ERROR: Module i2c_stub is in use'],
        [0, ''],
      ],
    );
  });

  it('the GPIO chip is found by its label, and its lines do not begin at 0', () => {
    const { label, base } = guest.fact('chip');
    assert.equal(label, 'pinctrl-rp1');
    assert.ok(Number(base) > 0, `its base is ${Number(base)}`);
    assert.deepEqual(guest.fact('wires.exported')['lines'], [17, 27, 22]);
  });

  it('onoff sets an output and hears the edges of an input', () => {
    assert.deepEqual(guest.fact('onoff.output')['levels'], [1, 0]);
    assert.deepEqual(guest.fact('onoff.edges')['edges'], [1, 0, 1]);
  });

  it('the status light is on, off and blinks on its wire; a low-active one is dark until it is switched on', () => {
    assert.deepEqual(fieldsOf(guest.fact('wires.light')), { on: 1, off: 0 });
    assert.deepEqual(guest.fact('wires.blink')['seen'], [0, 1]);
    assert.deepEqual(fieldsOf(guest.fact('wires.low-active')), { dark: true, lit: true });
  });

  it('mains is followed in both directions', () => {
    assert.deepEqual(guest.fact('wires.mains')['followed'], [true, true, true]);
  });

  it('a short press of the button does nothing, a long one counts once', () => {
    assert.deepEqual(fieldsOf(guest.fact('wires.button')), { afterShort: 0, afterLong: 1 });
  });

  it('after the stop the light is off and the lines belong to the kernel; lines that were left behind are taken over', () => {
    assert.deepEqual(fieldsOf(guest.fact('wires.stopped')), { light: 0, lines: [] });
    assert.deepEqual(fieldsOf(guest.fact('wires.takeover')), { light: 1, direction: 'out' });
  });

  it('a wrong label is one warning that names what there is', () => {
    guest.fact('wires.over');
    assert.deepEqual(
      guest
        .facts('warning')
        .filter(({ event }) => event === 'gpio.line-unusable')
        .map(({ line, message }) => [line, message]),
      [
        [
          'statusLed',
          'the status light is not used: no GPIO chip is labelled "pinctrl-bcm2835"; there are "pinctrl-rp1"',
        ],
      ],
    );
  });
});
