import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeVideo } from '../../fakes/media.ts';

const BENCH = join(import.meta.dirname, '../../../scripts/lib/bench/bench.ts');
let dir = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-test-'));
  await makeVideo(join(dir, 'box.mp4'), { seconds: 12, fromS: 4, toS: 9 });
  await makeVideo(join(dir, 'still.mp4'), { seconds: 8, kind: 'still' });
  const clips = [
    { file: 'box.mp4', motion_intervals: [[4, 9]], duration_s: 12 },
    { file: 'still.mp4', motion_intervals: [], synthetic: 'made', duration_s: 8, weather: 'none' },
  ];
  await writeFile(join(dir, 'manifest.json'), JSON.stringify({ clips }));
});
after(() => rm(dir, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Ran> {
  const env = { ...process.env, DACHAWATCH_CACHE: join(dir, 'cache') };
  return new Promise((resolve) => {
    execFile(process.execPath, [BENCH, ...args], { env, timeout: 600_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

const motion = (...args: string[]) => bench('motion', '--manifest', join(dir, 'manifest.json'), ...args);

const FIELDS = [
  ...[
    'events',
    'detected',
    'recall',
    'falseAlarms',
    'negativeS',
    'negAlarmShare',
    'negAlarmShareOutsideMargins',
  ],
  ...['medianDelayS', 'suppressed', 'cpuSPerMin', 'detectorCpuSPerMin', 'nsPerPixel'],
  ...['quietMedianMs', 'quietP95Ms'],
];

type Figures = Record<string, number | null>;

/** The object on the last line, after the shape that is promised was checked. */
function read({ code, stdout, stderr }: Ran) {
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    ours: Record<'real' | 'synthetic', Figures>;
    motion?: unknown;
    clips: { file: string; ours: Figures & { alarms: unknown } }[];
  };
  assert.equal(result.motion, undefined, 'figures of a peer that was not asked for');
  assert.deepEqual(
    result.clips.map(({ file }) => file),
    ['box.mp4', 'still.mp4'],
  );
  for (const figures of [result.ours.real, result.ours.synthetic])
    assert.deepEqual(Object.keys(figures).toSorted(), FIELDS.toSorted());
  for (const { ours } of result.clips)
    assert.deepEqual(Object.keys(ours).toSorted(), [...FIELDS, 'alarms'].toSorted());
  return result;
}

function assertFound({ ours }: ReturnType<typeof read>, longestDelayS: number): void {
  const { events, detected, recall, falseAlarms, negativeS, medianDelayS, cpuSPerMin } = ours.real;
  assert.deepEqual([events, detected, recall, falseAlarms], [1, 1, 1, 0]);
  assert.equal(negativeS, 7);
  assert.ok(typeof medianDelayS === 'number' && medianDelayS <= longestDelayS, `delay ${medianDelayS}`);
  assert.ok((cpuSPerMin ?? 0) > 0);
  const { events: none, recall: unknown, falseAlarms: wrong, negAlarmShare } = ours.synthetic;
  assert.deepEqual([none, unknown, wrong, negAlarmShare], [0, null, 0, 0]);
}

test('straight from file: the walking box is found, the still room is quiet', async () => {
  assertFound(read(await motion('--direct', '--json')), 2.5);
});

test('one picture every two seconds is enough to be measured', async () => {
  const { ours } = read(await motion('--direct', '--every-ms', '2000', '--json'));
  assert.equal(ours.real['events'], 1);
  assert.equal(ours.synthetic['falseAlarms'], 0);
});

test('through camera, RTSP and GStreamer: the same is found, at the same time', async () => {
  // On a busy machine pictures come late. What begins within the five seconds is found.
  assertFound(read(await motion('--json')), 5);
});

test('without --json there is a table, and standard error tells how far it is', async () => {
  const { code, stdout, stderr } = await motion('--direct', '--only', 'still');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /all synthetic, ours/);
  assert.match(stderr, /still\.mp4: 0\/0 found, 0 false/);
});

const refused: readonly [args: string[], says: RegExp][] = [
  [[], /say what to measure: alert, boot, .*, verdicts/],
  [['speed'], /no benchmark "speed"/],
  [['toString'], /no benchmark "toString"/],
  [['motion'], /needs --manifest FILE/],
  [['motion', '--manifest', 'nowhere.json'], /cannot be read/],
  [['motion', '--manifest', 'x', '--sensitivity', '11'], /--sensitivity takes a whole number from 1 to 10/],
  [['motion', '--manifest', 'x', '--every-ms', '2000'], /goes with --direct/],
  [['motion', '--manifest', 'x', '--peer', 'frigate'], /--peer takes motion/],
  [['motion', '--manifest', 'x', '--loud'], /--help/],
  [['motion', '--made', 'up'], /--made takes look or final/],
  [['motion', '--made', 'look', '--manifest', 'x'], /needs --manifest FILE/],
];
for (const [args, says] of refused) {
  test(`"${args.join(' ')}" is refused with one sentence and code 2`, async () => {
    const { code, stderr } = await bench(...args);
    assert.equal(code, 2);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  });
}
