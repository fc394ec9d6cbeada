import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { bootGuest, type Guest } from './guest.ts';

/** It takes a third of this on an idle machine. */
const DEADLINE_MS = 220_000;

describe("a power cut, in a guest with systemd, the real units and the agent's sandbox", () => {
  let guest: Guest;
  let failed = false;
  /** Number of the first line of the console that matches; the last one with `last`. */
  const lineOf = (pattern: RegExp, which: 'first' | 'last' = 'first') => {
    const lines = guest.console();
    const at =
      which === 'first'
        ? lines.findIndex((line) => pattern.test(line))
        : lines.findLastIndex((line) => pattern.test(line));
    assert.ok(at >= 0, `the console has no line ${pattern.source}`);
    return at;
  };

  before(async () => {
    guest = bootGuest({ deadlineMs: DEADLINE_MS });
    await guest.ended;
  });
  afterEach((context) => {
    if ('passed' in context && !context.passed) failed = true;
  });
  after(async () => {
    guest.kill();
    if (failed) process.stderr.write(`${await guest.keep()}\n`);
  });

  it('the machine switches itself off, through systemd', async () => {
    assert.deepEqual(await guest.ended, { code: 0, tooLate: false });
    assert.deepEqual(guest.facts('garbled'), []);
    lineOf(/reboot: Power down/);
  });

  it('in order: clips sealed, cloud told, power-off asked for, the agent stopped, poweroff.target, power down', () => {
    const order = [
      lineOf(/"fact":"sealed"/, 'last'),
      lineOf(/"fact":"told"/, 'last'),
      lineOf(/"fact":"power-off-requested"/),
      lineOf(/"fact":"stopped"/),
      lineOf(/Reached target .*(poweroff\.target|System Power Off)/),
      lineOf(/reboot: Power down/),
    ];
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    assert.ok(lineOf(/dachawatch-power-off.*: powering off;/) > lineOf(/"fact":"power-off-requested"/));
  });

  it('power-off is asked for once; mains that is back in time prevents it, and recording goes on', () => {
    assert.equal(guest.facts('power-off-requested').length, 1);
    assert.equal(guest.facts('sealed').length, 2);
    assert.equal(guest.facts('resumed').length, 1);
    const back = lineOf(/"fact":"player.mains-back"/);
    const second = lineOf(/"fact":"player.outage","number":2/);
    const resumed = lineOf(/"fact":"resumed"/);
    assert.ok(back < resumed && resumed < second);
    assert.ok(second < lineOf(/"fact":"power-off-requested"/));
  });

  it('each outage is seen as one, and its end as mains', () => {
    const states = guest.facts('power').map(({ state }) => state);
    const turns = states
      .filter((state) => state === 'on-mains' || state === 'critical')
      .filter((state, index, all) => state !== all[index - 1]);
    assert.deepEqual(turns, ['on-mains', 'critical', 'on-mains', 'critical']);
    assert.ok(states.includes('on-battery') || states.includes('low'));
  });

  it('all of it happens as an unprivileged user that reaches the bus and the lines and no other device', () => {
    assert.ok(Number(guest.fact('who')['uid']) > 0);
    const outcomes = guest.facts('sandbox').map(({ what, outcome }) => [what, outcome]);
    assert.deepEqual(outcomes, [
      ['the I2C bus', 'done'],
      ['a device that is not allowed', 'EPERM'],
      ['the lines', 'done'],
      ['other files of the kernel', 'EROFS'],
    ]);
    assert.deepEqual(
      guest.facts('warning').filter(({ event }) => event === 'gpio.line-unusable'),
      [],
    );
  });

  it('a child that takes more memory than the unit may have is killed, and the agent goes on', () => {
    assert.deepEqual(guest.fact('memory')['signal'], 'SIGKILL');
  });
});
