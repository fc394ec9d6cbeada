import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../../../../agent/kernel/log.ts';
import { BLINK_MS } from '../../../../../agent/power/gpio/status-led.ts';
import { createWires, type WiresDeps } from '../../../../../agent/power/gpio/wires.ts';
import { IDLE_MS, SETTLE_MS } from '../../../../../agent/power/gpio/wires-input.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createFakeLines } from './wires-lines.ts';

const LED = 17;
const BUTTON = 27;
const MAINS = 22;
const HOLD_MS = 3_000;
const ALL: WiresDeps['config'] = {
  chipLabel: 'pinctrl-rp1',
  statusLed: { line: LED, activeLow: false },
  shutdownButton: { line: BUTTON, activeLow: true, holdMs: HOLD_MS },
  mainsPresent: { line: MAINS, activeLow: true },
};

function bench({
  config = ALL,
  refuse = {},
}: {
  config?: WiresDeps['config'];
  refuse?: Record<number, string>;
} = {}) {
  const clock = createFakeClock();
  const warnings: { fields: Record<string, unknown>; message: string }[] = [];
  const quiet = () => {};
  const log: Log = {
    debug: quiet,
    info: quiet,
    warn: (fields, message) => warnings.push({ fields: { ...fields }, message }),
    error: (_, message) => assert.fail(message),
    child: () => log,
  };
  const lines = createFakeLines(refuse);
  const wires = createWires({ config, clock, log, openLine: lines.open });
  let held = 0;
  wires.onButtonHeld(() => {
    held += 1;
  });
  const start = async () => {
    await wires.start();
    await clock.advance(0);
  };
  return { clock, warnings, lines, wires, start, held: () => held };
}

test('the lines of the configuration are opened with their chip, direction and polarity, and nothing before the start', async () => {
  const { lines, start, wires } = bench();
  assert.deepEqual(lines.opened(), []);
  await start();
  assert.deepEqual(
    [LED, BUTTON, MAINS].map((line) => lines.line(line).request),
    [
      { chipLabel: 'pinctrl-rp1', line: LED, direction: 'out', activeLow: false },
      { chipLabel: 'pinctrl-rp1', line: BUTTON, direction: 'in', activeLow: true },
      { chipLabel: 'pinctrl-rp1', line: MAINS, direction: 'in', activeLow: true },
    ],
  );
  wires.stop();
});

test('without lines in the configuration everything can be asked and nothing is opened or logged', async () => {
  const { clock, lines, start, wires, warnings } = bench({ config: { chipLabel: 'pinctrl-rp1' } });
  await start();
  wires.show('blink');
  await clock.advance(60_000);
  assert.equal(wires.mainsPresent(), null);
  wires.stop();
  assert.deepEqual([lines.opened(), warnings, clock.sleepers()], [[], [], 0]);
});

test('a line that cannot be opened costs one warning with its name and reason; the others work', async () => {
  const { clock, lines, start, wires, warnings, held } = bench({
    refuse: { [MAINS]: 'another driver holds the line' },
  });
  await start();
  await clock.advance(10 * IDLE_MS);
  assert.equal(wires.mainsPresent(), null);
  wires.show('on');
  assert.equal(lines.line(LED).active, true);
  lines.line(BUTTON).turn(true);
  await clock.advance(HOLD_MS + SETTLE_MS);
  assert.equal(held(), 1);
  assert.deepEqual(
    warnings.map(({ fields, message }) => [fields['event'], fields['line'], fields['gpio'], message]),
    [
      [
        'gpio.line-unusable',
        'mainsPresent',
        MAINS,
        'the mains-present wire is not used: another driver holds the line',
      ],
    ],
  );
  wires.stop();
});

test('a wire that fails later answers null and is given up with one warning; the light still shines', async () => {
  const { clock, lines, start, wires, warnings } = bench();
  await start();
  lines.line(MAINS).active = true;
  await clock.advance(IDLE_MS + SETTLE_MS * 2);
  assert.equal(wires.mainsPresent(), true);
  lines.line(MAINS).break();
  await clock.advance(10 * IDLE_MS);
  assert.equal(wires.mainsPresent(), null);
  assert.deepEqual(
    warnings.map(({ fields }) => fields['line']),
    ['mainsPresent'],
  );
  wires.show('on');
  assert.equal(lines.line(LED).active, true);
  wires.stop();
});

test('a light that fails is given up with one warning, whether it blinks or is switched', async () => {
  for (const light of ['blink', 'off'] as const) {
    const { clock, lines, start, wires, warnings } = bench();
    await start();
    wires.show('on');
    lines.line(LED).break();
    wires.show(light);
    await clock.advance(10 * BLINK_MS);
    wires.show('on');
    assert.deepEqual(
      warnings.map(({ fields }) => fields['line']),
      ['statusLed'],
    );
    wires.stop();
  }
});

test('mains is unknown until its wire has stood still once, and a change counts when it has settled', async () => {
  const { clock, lines, start, wires } = bench();
  await start();
  assert.equal(wires.mainsPresent(), null);
  await clock.advance(SETTLE_MS * 2);
  assert.equal(wires.mainsPresent(), false);
  lines.line(MAINS).turn(true);
  await clock.advance(SETTLE_MS / 2);
  assert.equal(wires.mainsPresent(), false);
  await clock.advance(SETTLE_MS);
  assert.equal(wires.mainsPresent(), true);
  wires.stop();
});

test('a mains wire that bounces keeps its old value until it rests', async () => {
  const { clock, lines, start, wires } = bench();
  await start();
  lines.line(MAINS).active = true;
  await clock.advance(SETTLE_MS * 2);
  for (let bounce = 0; bounce < 40; bounce += 1) {
    lines.line(MAINS).turn(bounce % 2 === 1);
    await clock.advance(SETTLE_MS / 2);
    assert.equal(wires.mainsPresent(), true);
  }
  lines.line(MAINS).turn(false);
  await clock.advance(SETTLE_MS * 2);
  assert.equal(wires.mainsPresent(), false);
  wires.stop();
});

test('a change whose edge was lost is seen all the same', async () => {
  const { clock, lines, start, wires } = bench();
  await start();
  await clock.advance(IDLE_MS);
  lines.line(MAINS).turn(true, 'lost');
  await clock.advance(IDLE_MS + SETTLE_MS * 2);
  assert.equal(wires.mainsPresent(), true);
  wires.stop();
});

test('a wire that flickers without end is looked at, and waited for, a bounded number of times', async () => {
  const { clock, lines, start, wires } = bench();
  await start();
  await clock.advance(SETTLE_MS * 2);
  const mains = lines.line(MAINS);
  const before = mains.looks;
  for (let ms = 0; ms < 1_000; ms += 1) {
    mains.turn(!mains.active);
    mains.turn(!mains.active);
    await clock.advance(1);
  }
  assert.ok(mains.looks - before < 100, `${mains.looks - before} looks at 2,000 edges`);
  wires.stop();
});

test('a button held for its time counts once per press, also when every edge is lost', async () => {
  for (const edge of ['edge', 'lost'] as const) {
    const { clock, lines, start, wires, held } = bench();
    await start();
    await clock.advance(IDLE_MS);
    lines.line(BUTTON).turn(true, edge);
    await clock.advance(HOLD_MS - SETTLE_MS);
    assert.equal(held(), 0);
    await clock.advance(IDLE_MS + SETTLE_MS * 2);
    assert.equal(held(), 1);
    await clock.advance(10 * HOLD_MS);
    assert.equal(held(), 1);
    lines.line(BUTTON).turn(false, edge);
    await clock.advance(IDLE_MS + SETTLE_MS * 2);
    lines.line(BUTTON).turn(true, edge);
    await clock.advance(HOLD_MS + IDLE_MS + SETTLE_MS * 2);
    assert.equal(held(), 2);
    wires.stop();
  }
});

test('presses that are too short never add up; a bounce in a long one does not end it', async () => {
  const { clock, lines, start, wires, held } = bench();
  await start();
  await clock.advance(IDLE_MS);
  const button = lines.line(BUTTON);
  for (let press = 0; press < 5; press += 1) {
    button.turn(true);
    await clock.advance(HOLD_MS - 2 * SETTLE_MS);
    button.turn(false);
    await clock.advance(2 * SETTLE_MS);
  }
  assert.equal(held(), 0);
  button.turn(true);
  await clock.advance(HOLD_MS / 2);
  button.turn(false);
  await clock.advance(SETTLE_MS / 2);
  button.turn(true);
  await clock.advance(HOLD_MS / 2);
  assert.equal(held(), 1);
  wires.stop();
});

test('the time a button is held does not notice the wall clock being set', async () => {
  const { clock, lines, start, wires, held } = bench();
  await start();
  await clock.advance(IDLE_MS);
  lines.line(BUTTON).turn(true);
  await clock.advance(HOLD_MS / 2);
  clock.setWall(clock.nowMs() + 86_400_000);
  await clock.advance(SETTLE_MS);
  assert.equal(held(), 0);
  await clock.advance(HOLD_MS / 2);
  assert.equal(held(), 1);
  wires.stop();
});

test('a button that is held since before the start counts only after it was let go', async () => {
  const { clock, lines, start, wires, held } = bench();
  const started = start();
  lines.line(BUTTON).active = true;
  await started;
  await clock.advance(10 * HOLD_MS);
  assert.equal(held(), 0);
  lines.line(BUTTON).turn(false);
  await clock.advance(SETTLE_MS * 2);
  lines.line(BUTTON).turn(true);
  await clock.advance(HOLD_MS + SETTLE_MS);
  assert.equal(held(), 1);
  wires.stop();
});

test('the light blinks evenly until it is told otherwise', async () => {
  const { clock, lines, start, wires } = bench();
  wires.show('blink');
  await start();
  const led = lines.line(LED);
  const seen: boolean[] = [];
  for (let phase = 0; phase < 4; phase += 1) {
    seen.push(led.active);
    await clock.advance(BLINK_MS);
  }
  assert.deepEqual(seen, [true, false, true, false]);
  wires.show('on');
  await clock.advance(5 * BLINK_MS);
  assert.equal(led.active, true);
  wires.stop();
});

test('stop leaves the light off, every line closed and nothing that waits, at whatever moment', async () => {
  for (const at of ['opening', 'settling', 'idle', 'held', 'blinking'] as const) {
    const { clock, lines, start, wires, warnings } = bench();
    wires.show(at === 'blinking' ? 'blink' : 'on');
    const started = start();
    if (at !== 'opening') {
      await started;
      await clock.advance(at === 'settling' ? 1 : IDLE_MS);
      if (at === 'held') lines.line(BUTTON).turn(true);
      await clock.advance(1);
    }
    wires.stop();
    await started;
    await clock.advance(10 * IDLE_MS);
    const states = lines.opened().map((line) => [lines.line(line).closed, lines.line(line).waiting]);
    assert.deepEqual(
      states,
      [
        [true, 0],
        [true, 0],
        [true, 0],
      ],
      at,
    );
    assert.equal(lines.line(LED).active, false, at);
    assert.deepEqual([clock.sleepers(), warnings], [0, []], at);
    wires.show('on');
  }
});
