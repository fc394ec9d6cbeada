import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Direction, Edge, Options } from 'onoff';
import { createSysfsGpio, type Onoff } from '../../../../../agent/power/gpio/gpio-sysfs.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';

/** GPIO files as the kernel shows them, and a class in the place of onoff's that remembers how it was used. */
async function bench(
  t: TestContext,
  { chips = [['pinctrl-rp1', 571, 54]] as [string, number, number][], direction = '', fails = '' } = {},
) {
  const sysfs = await mkdtemp(join(tmpdir(), 'wires-sysfs-'));
  t.after(() => rm(sysfs, { recursive: true, force: true }));
  const folder = join(sysfs, 'class/gpio');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'export'), '');
  await writeFile(join(folder, 'unexport'), '');
  for (const [index, [label, base, ngpio]] of chips.entries()) {
    // Kernel 7 shows each chip a second time, under a name that is not for its base.
    for (const name of [`gpiochip${base}`, `chip${index}`]) {
      await mkdir(join(folder, name));
      const texts = name.startsWith('gpio') ? { label, base, ngpio } : { label, ngpio };
      for (const [file, text] of Object.entries(texts))
        await writeFile(join(folder, name, file), `${text}\n`);
    }
  }
  const exportLine = async (number: number) => {
    await mkdir(join(folder, `gpio${number}`));
    for (const file of ['value', 'direction', 'active_low', 'edge'])
      await writeFile(join(folder, `gpio${number}`, file), '0\n');
  };

  const made: { number: number; first: Direction; edges: Edge; options: Options }[] = [];
  const used: string[] = [];
  let listener: ((error: null) => void) | null = null;
  class FakeOnoff implements Onoff {
    constructor(number: number, first: Direction, edges: Edge, options: Options) {
      if (fails) throw Object.assign(new Error(`${fails}: no`), { code: fails, path: '/sys/class/gpio/x' });
      made.push({ number, first, edges, options });
    }
    readSync = () => 1 as const;
    writeSync = (value: 0 | 1) => void used.push(`write ${value}`);
    watch = (one: (error: null) => void) => {
      listener = one;
    };
    unwatchAll = () => {
      listener = null;
    };
    direction = () => (direction || (made.at(-1)?.first === 'in' ? 'in' : 'out')) as Direction;
    edge = () => made.at(-1)?.edges ?? 'none';
    activeLow = () => made.at(-1)?.options.activeLow === true;
    unexport = () => void used.push('unexport');
  }
  const clock = createFakeClock();
  return {
    clock,
    folder,
    made,
    used,
    exportLine,
    open: createSysfsGpio({ clock, sysfs, Gpio: FakeOnoff }),
    edge: () => listener?.(null),
    watched: () => listener !== null,
    exported: () => readFile(join(folder, 'export'), 'utf8'),
    unexported: () => readFile(join(folder, 'unexport'), 'utf8'),
  };
}

const LED = { chipLabel: 'pinctrl-rp1', line: 17, direction: 'out', activeLow: false } as const;
const BUTTON = { chipLabel: 'pinctrl-rp1', line: 27, direction: 'in', activeLow: true } as const;
const forever = new AbortController().signal;

test('the chip is found by its label and the line counted from its base, wherever that is', async (t) => {
  for (const base of [0, 399, 571, 970]) {
    const { open, made, exportLine } = await bench(t, {
      chips: [
        ['gpio-brcmstb@107d508500', 600, 32],
        ['pinctrl-rp1', base, 54],
      ],
    });
    await exportLine(base + 17);
    await open(LED, forever);
    assert.deepEqual(made, [
      { number: base + 17, first: 'low', edges: 'none', options: { activeLow: false } },
    ]);
  }
});

test('an output starts saying no, which on a low-active line is a high wire; an input tells both edges', async (t) => {
  const { open, made, exportLine } = await bench(t);
  await exportLine(571 + 17);
  await exportLine(571 + 27);
  await open({ ...LED, activeLow: true }, forever);
  await open(BUTTON, forever);
  assert.deepEqual(made, [
    { number: 588, first: 'high', edges: 'none', options: { activeLow: true } },
    { number: 598, first: 'in', edges: 'both', options: { activeLow: true } },
  ]);
});

test('a line that nobody uses is exported, and opened when udev has handed over its files', async (t) => {
  const { open, made, exportLine, exported, clock } = await bench(t);
  const opening = open(LED, forever);
  while (clock.sleepers() === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([await exported(), made], ['588', []]);
  await exportLine(588);
  await clock.advance(100);
  await opening;
  assert.equal(made.length, 1);
});

test('a line whose files are never handed over is given back, and the error names the file', async (t) => {
  const { open, unexported, clock } = await bench(t);
  const ended = open(LED, forever).then(
    () => 'opened',
    (error: Error) => error.message,
  );
  const step = () => clock.advance(100).then(() => null);
  let outcome: string | null = null;
  while (outcome === null) outcome = await Promise.race([ended, step()]);
  assert.match(outcome, /gpio588\/value/);
  assert.equal(await unexported(), '588');
});

test('a stop while udev still works on the line ends the wait and gives the line back', async (t) => {
  const { open, unexported, clock } = await bench(t);
  const stop = new AbortController();
  const opening = open(LED, stop.signal);
  while (clock.sleepers() === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await assert.rejects(opening, { name: 'AbortError' });
  assert.deepEqual([await unexported(), clock.sleepers()], ['588', 0]);
});

test('no chip with the label, two of them, a line beyond the chip or no GPIO files: one sentence that says so', async (t) => {
  const none = await bench(t, { chips: [] });
  await assert.rejects(none.open(LED, forever), {
    code: 'gpio.unusable',
    message: 'no GPIO chip is labelled "pinctrl-rp1"; there is none at all',
  });
  const other = await bench(t, {
    chips: [
      ['pinctrl-bcm2835', 512, 54],
      ['raspberrypi-exp-gpio', 570, 8],
    ],
  });
  await assert.rejects(other.open(LED, forever), {
    message: 'no GPIO chip is labelled "pinctrl-rp1"; there are "pinctrl-bcm2835", "raspberrypi-exp-gpio"',
  });
  const two = await bench(t, {
    chips: [
      ['pinctrl-rp1', 512, 54],
      ['pinctrl-rp1', 570, 54],
    ],
  });
  await assert.rejects(two.open(LED, forever), { message: '2 GPIO chips are labelled "pinctrl-rp1"' });
  const small = await bench(t, { chips: [['pinctrl-rp1', 512, 17]] });
  await assert.rejects(small.open(LED, forever), {
    message: 'the GPIO chip "pinctrl-rp1" has 17 lines, numbered from 0: none is 17',
  });
  const gone = await bench(t);
  await rm(gone.folder, { recursive: true });
  await assert.rejects(gone.open(LED, forever), {
    message: /^there is no .*: this kernel has no GPIO files$/,
  });
});

test('what the kernel refuses is said in words: busy, not allowed, read-only', async (t) => {
  const words = {
    EBUSY: /^another driver or program holds the line/,
    EACCES: /^this user may not use it .*udev rule/,
    EROFS: /^the service's sandbox shows it read-only/,
  };
  for (const [fails, message] of Object.entries(words)) {
    const { open, exportLine } = await bench(t, { fails });
    await exportLine(588);
    await assert.rejects(open(LED, forever), { code: 'gpio.unusable', message });
  }
});

test('a line that was exported before and does not obey is refused instead of used the wrong way round', async (t) => {
  const { open, used, exportLine } = await bench(t, { direction: 'in' });
  await exportLine(588);
  await assert.rejects(open(LED, forever), { message: /^GPIO 588 cannot be made an output as configured$/ });
  assert.deepEqual(used, ['unexport']);
});

test('a line is watched only while somebody waits for its edge, and no longer than the signal allows', async (t) => {
  const { open, exportLine, edge, watched, used } = await bench(t);
  await exportLine(598);
  const line = await open(BUTTON, forever);
  assert.equal(watched(), false);
  const waiting = line.edge(forever);
  assert.equal(watched(), true);
  edge();
  await waiting;
  assert.equal(watched(), false);
  const stop = new AbortController();
  const stopped = line.edge(stop.signal);
  stop.abort();
  await stopped;
  assert.equal(watched(), false);
  line.set(true);
  line.close();
  assert.deepEqual([line.active(), used], [true, ['write 1', 'unexport']]);
});
