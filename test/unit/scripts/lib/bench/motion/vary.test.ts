import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure } from '../../../../../../scripts/lib/bench/motion/measure.ts';
import { benchMotion } from '../../../../../../scripts/lib/bench/motion/motion.ts';
import { Refusal } from '../../../../../../scripts/lib/command/ends.ts';
import { report, type Result, summary } from '../../../../../../scripts/lib/bench/report.ts';
import type { Span } from '../../../../../../scripts/lib/bench/motion/spans.ts';
import { createVary, type Variation, VARIATIONS } from '../../../../../../scripts/lib/bench/motion/vary.ts';

const SIZE = { width: 32, height: 18 } as const;
const PIXELS = SIZE.width * SIZE.height;
/** Nothing about it is the same mirrored, turned or moved. */
const grey = Uint8Array.from({ length: PIXELS }, (_, i) => (i * i * 7 + i * 31) % 256);
const plain = (level: number) => new Uint8Array(PIXELS).fill(level);
const pixel = (picture: Uint8Array, x: number, y: number) => picture[y * SIZE.width + x];

const within = (at: number, length: number) => Math.max(0, Math.min(length - 1, at));
const movedBy = (dx: number, dy: number) =>
  grey.map((_, i) => {
    const x = within((i % SIZE.width) + dx, SIZE.width);
    return pixel(grey, x, within(Math.floor(i / SIZE.width) + dy, SIZE.height)) ?? assert.fail();
  });

/** What a clip of this picture is shown as, a picture each 200 ms after a second that stands still. */
function shown(kind: Variation, picture: Uint8Array = grey, count = 20): Uint8Array[] {
  const vary = createVary(kind, SIZE);
  return Array.from({ length: count }, (_, n) => vary(picture, n * 0.2 - 1).slice());
}
const one = (kind: Variation, picture: Uint8Array = grey) => shown(kind, picture, 1)[0] ?? assert.fail();

for (const kind of VARIATIONS) {
  test(`${kind}: the size stays, the picture changes, its own array does not, and a second run shows the same`, () => {
    const before = grey.slice();
    const pictures = shown(kind);
    for (const picture of pictures) assert.equal(picture.length, PIXELS);
    assert.ok(pictures.some((picture) => !Buffer.from(picture).equals(grey)));
    assert.deepEqual(grey, before);
    assert.deepEqual(shown(kind), pictures);
  });

  test(`${kind}: one array is used again for each picture`, () => {
    const vary = createVary(kind, SIZE);
    assert.equal(vary(grey, 0), vary(grey, 0.2));
  });
}

test('mirrored twice, or upside down twice, is the picture itself', () => {
  for (const kind of ['mirrored', 'upside-down'] as const) assert.deepEqual(one(kind, one(kind)), grey);
});

test('mirrored changes left and right, upside down changes above and below', () => {
  assert.equal(pixel(one('mirrored'), 3, 5), pixel(grey, SIZE.width - 4, 5));
  assert.equal(pixel(one('upside-down'), 3, 5), pixel(grey, 3, SIZE.height - 6));
});

test('brighter and darker keep black and white, and move what is between by their gamma', () => {
  for (const [kind, level] of [
    ['brighter', 169],
    ['darker', 85],
  ] as const) {
    assert.deepEqual(one(kind, plain(0)), plain(0));
    assert.deepEqual(one(kind, plain(255)), plain(255));
    assert.deepEqual(one(kind, plain(128)), plain(level));
  }
});

test('flat and flatter leave 60 and 40 % of the distance from 110', () => {
  assert.deepEqual(one('flat', plain(210)), plain(170));
  assert.deepEqual(one('flatter', plain(10)), plain(70));
});

test('grain has a mean of 0, a deviation of 6 levels, and is another one in each picture', () => {
  const pictures = shown('grain', plain(128), 60);
  const off = pictures.flatMap((picture) => [...picture].map((level) => level - 128));
  const mean = off.reduce((sum, each) => sum + each, 0) / off.length;
  const deviation = Math.sqrt(off.reduce((sum, each) => sum + each * each, 0) / off.length);
  assert.ok(Math.abs(mean) < 0.2, `${mean}`);
  assert.ok(Math.abs(deviation - 6) < 0.2, `${deviation}`);
  assert.notDeepEqual(pictures[0], pictures[1]);
});

test('swing goes a fifth up and down in seven seconds, and stops at white', () => {
  const vary = createVary('swing', SIZE);
  assert.deepEqual(vary(plain(100), 7 / 4), plain(120));
  assert.deepEqual(vary(plain(100), (7 * 3) / 4), plain(80));
  assert.deepEqual(vary(plain(250), 7 / 4), plain(255));
});

test('shake moves the whole picture by at most 2 x 1 pixels, and goes on with the border', () => {
  const vary = createVary('shake', SIZE);
  const ways = new Set<string>();
  for (let n = 0; n < 50; n++) {
    const picture = Buffer.from(vary(grey, n * 0.2));
    const moved = [-2, -1, 0, 1, 2].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy] as const));
    const found = moved.find(([dx, dy]) => picture.equals(movedBy(dx, dy)));
    ways.add((found ?? assert.fail(`picture ${n} is no moved picture`)).join(' '));
  }
  assert.ok(ways.size > 6, [...ways].join());
});

test('small shows the whole picture on 60 % of the width with its border pixels around, large only its middle', () => {
  const half = grey.map((_, i) => (i % SIZE.width < SIZE.width / 2 ? 40 : 200));
  for (const kind of ['small', 'large'] as const) {
    const picture = one(kind, half);
    assert.equal(pixel(picture, 14, 9), 40);
    assert.equal(pixel(picture, 17, 9), 200);
  }
  const framed = grey.map((_, i) => (i % SIZE.width === 0 ? 250 : 50));
  assert.equal(pixel(one('small', framed), 2, 9), 250);
  assert.equal(pixel(one('small', framed), 8, 9), 50);
  assert.deepEqual(one('large', framed), plain(50));
});

const clip = {
  ...{ file: 'a.mp4', path: 'a.mp4', durationS: 9, synthetic: false, leadInS: 0 },
  ...{ motion: [{ fromS: 2, toS: 4 }], optional: [], negative: [{ fromS: 5, toS: 9 }] },
};
/** The clip with an alarm or without. */
const results = (...alarms: Span[]): Result[] => [
  { clip, ours: [measure(clip, { alarms, watchedS: 9, cpuS: 1 })], motion: [] },
];
const all = { everyMs: 200, phases: 1, vary: 'all' } as const;

test('of all ways there are totals for each kind beside those of the clips as they are', () => {
  const varied = [{ kind: 'grain', results: results() }] as const;
  const seen = results({ fromS: 2, toS: 3 });
  const told = JSON.parse(JSON.stringify(summary(seen, all, varied))) as {
    ours: { real: { detected: number } };
    varied: Record<string, { real: { detected: number; events: number }; synthetic: { events: number } }>;
  };
  assert.equal(told.ours.real.detected, 1);
  assert.deepEqual(Object.keys(told.varied), ['grain']);
  assert.deepEqual([told.varied['grain']?.real.detected, told.varied['grain']?.real.events], [0, 1]);
  assert.equal(told.varied['grain']?.synthetic.events, 0);
  const table = report(seen, all, varied);
  assert.match(table, /^all real, ours +1\/1/m);
  assert.match(table, /^all real, ours, grain +0\/1/m);
  assert.match(table, /^all synthetic, ours, grain +-/m);
});

test('figures of one way say which, in JSON and in the table; those of clips as they are say none', () => {
  const grain = { ...all, vary: 'grain' } as const;
  assert.deepEqual(Object.entries(summary(results(), grain)).find(([key]) => key === 'vary')?.[1], 'grain');
  assert.match(report(results(), grain), /^all real, ours, grain +0\/1/m);
  for (const vary of ['all', undefined] as const)
    assert.ok(!Object.hasOwn(summary(results(), { ...all, vary }), 'vary'));
});

const refused: readonly [args: string[], says: RegExp][] = [
  [['--direct', '--vary', 'fog'], /^--vary takes all, mirrored, .* small or large, not "fog"$/],
  [['--direct', '--vary', 'toString'], /^--vary takes all, mirrored, .*, not "toString"$/],
  [['--vary', 'grain'], /^--vary goes with --direct/],
  [['--direct', '--vary', 'all', '--peer', 'motion'], /^--vary goes without --peer/],
];
for (const [args, says] of refused) {
  test(`"${args.join(' ')}" is refused in one sentence before anything is read`, async () => {
    const run = benchMotion(['--manifest', 'nowhere.json', ...args], new AbortController().signal);
    await assert.rejects(run, (error: unknown) => error instanceof Refusal && says.test(error.message));
  });
}
