/** What the unmodified onoff and the wires above it make of gpio-sim. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Gpio } from 'onoff';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import type { Log } from '../../../../agent/kernel/log.ts';
import { createWires, type WiresDeps } from '../../../../agent/power/gpio/wires.ts';
import { createOtherEnd, within } from './chips.ts';
import { say, sayingLog } from './say.ts';

const LED = 17;
const BUTTON = 27;
const MAINS = 22;
const HOLD_MS = 400;
/** Far more than is needed, for a guest that is emulated on a busy machine. */
const PATIENCE_MS = 15_000;
const otherEnd = createOtherEnd();
const folder = '/sys/class/gpio';

const chip = readdirSync(folder).find((name) => /^gpiochip\d+$/.test(name)) ?? 'none';
const base = Number(readFileSync(`${folder}/${chip}/base`, 'utf8'));
say('chip', { label: readFileSync(`${folder}/${chip}/label`, 'utf8').trim(), base });

// The package alone: an output, and edges through epoll.
const output = new Gpio(base + LED, 'out');
output.writeSync(1);
const high = otherEnd.level(LED);
output.writeSync(0);
say('onoff.output', { levels: [high, otherEnd.level(LED)] });
output.unexport();
otherEnd.pull(4, 'down');
const input = new Gpio(base + 4, 'in', 'both');
const edges: number[] = [];
input.watch((error, value) => edges.push(error ? -1 : value));
for (const way of ['up', 'down', 'up'] as const) {
  const before = edges.length;
  otherEnd.pull(4, way);
  await within(PATIENCE_MS, () => edges.length > before);
}
input.unexport();
say('onoff.edges', { edges });

let warnings = 0;
const log: Log = {
  ...sayingLog,
  warn(fields, message) {
    warnings += 1;
    sayingLog.warn(fields, message);
  },
};
function wiresOn(config: Partial<WiresDeps['config']>) {
  return createWires({ config: { chipLabel: 'pinctrl-rp1', ...config }, clock: systemClock, log });
}
const exported = () => [LED, BUTTON, MAINS].filter((line) => existsSync(`${folder}/gpio${base + line}`));

// All three, wired as hardware/wiring.md says: inputs low-active with pull-ups.
otherEnd.pull(BUTTON, 'up');
otherEnd.pull(MAINS, 'up');
const wires = wiresOn({
  statusLed: { line: LED, activeLow: false },
  shutdownButton: { line: BUTTON, activeLow: true, holdMs: HOLD_MS },
  mainsPresent: { line: MAINS, activeLow: true },
});
let held = 0;
wires.onButtonHeld(() => {
  held += 1;
});
await wires.start();
// What the light is told before its line is open, it shows when it is.
wires.show('on');
await within(PATIENCE_MS, () => exported().length === 3 && otherEnd.level(LED) === 1);
say('wires.exported', { lines: exported() });
const on = otherEnd.level(LED);
wires.show('off');
say('wires.light', { on, off: otherEnd.level(LED) });
wires.show('blink');
const seen = new Set<number>();
await within(PATIENCE_MS, () => seen.add(otherEnd.level(LED)).size === 2);
say('wires.blink', { seen: [...seen].toSorted((a, b) => a - b) });
wires.show('on');

const mains: boolean[] = [];
for (const [way, present] of [
  ['up', false],
  ['down', true],
  ['up', false],
] as const) {
  otherEnd.pull(MAINS, way);
  mains.push(await within(PATIENCE_MS, () => wires.mainsPresent() === present));
}
say('wires.mains', { followed: mains });

otherEnd.pull(BUTTON, 'down');
await delay(HOLD_MS / 4);
otherEnd.pull(BUTTON, 'up');
await delay(HOLD_MS * 2);
const afterShort = held;
otherEnd.pull(BUTTON, 'down');
await within(PATIENCE_MS, () => held > 0);
await delay(HOLD_MS * 3);
otherEnd.pull(BUTTON, 'up');
say('wires.button', { afterShort, afterLong: held });
wires.stop();
say('wires.stopped', { light: otherEnd.level(LED), lines: exported() });

// A low-active light is dark when its wire is high.
const lowActive = wiresOn({ statusLed: { line: LED, activeLow: true } });
await lowActive.start();
const dark = await within(PATIENCE_MS, () => otherEnd.level(LED) === 1);
lowActive.show('on');
const lit = otherEnd.level(LED);
lowActive.stop();
say('wires.low-active', { dark, lit: lit === 0 });

// Left behind by an agent that was killed.
const orphan = new Gpio(base + LED, 'in');
const takeover = wiresOn({ statusLed: { line: LED, activeLow: false } });
await takeover.start();
takeover.show('on');
await within(PATIENCE_MS, () => otherEnd.level(LED) === 1);
say('wires.takeover', { light: otherEnd.level(LED), direction: orphan.direction() });
takeover.stop();

// What cannot be used: a label that is not there, a line the kernel says no to.
const wrong = wiresOn({ chipLabel: 'pinctrl-bcm2835', statusLed: { line: LED, activeLow: false } });
await wrong.start();
wrong.show('blink');
await within(PATIENCE_MS, () => warnings > 0);
wrong.stop();
say('wires.over');
