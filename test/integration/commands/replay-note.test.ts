import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { SuppressedRecord } from '../../../agent/motion/motion.ts';
import { packThumbnail } from '../../../agent/motion/suppressed/pictures.ts';
import { makeVideo } from '../../fakes/media.ts';

const REPLAY = join(import.meta.dirname, '../../../scripts/lib/replay/main.ts');
const run = promisify(execFile);
const WHOLE: [number, number][] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const address = 'rtsp://192.168.7.20/a';
let dir = '';

const replay = (...args: string[]) =>
  run(process.execPath, [REPLAY, ...args], { timeout: 600_000, cwd: dir });

const grey = (afterMs: number) => packThumbnail(new Uint8Array(80 * 45).fill(90), afterMs);
const stays = [{ zone: 'drive', ms: 1_200, told: false }];
const sighting = { region: [0.25, 0.2, 0.5, 0.6], confirmed: true, seenMs: 1_400, frames: 7, stays } as const;
const note: SuppressedRecord = {
  version: 1,
  atMs: Date.UTC(2026, 10, 22, 12),
  reason: 'zone-dwell',
  models: [
    { sensitivity: 5, reason: null, quiet: false, sightings: [{ ...sighting, travel: 0.12, path: 0.15 }] },
  ],
  settings: { sensitivity: 5, zones: [{ id: 'drive', polygon: WHOLE, dwellMs: 5_000 }] },
  pictures: [grey(-600), grey(0), grey(1_200)],
};
const camera = (id: string, dwellMs: number) => ({
  id,
  main: address,
  sub: address,
  zones: [{ id: 'drive', polygon: WHOLE, dwellMs }],
});

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-replay-note-'));
  await makeVideo(join(dir, 'box.mp4'), { seconds: 8, fromS: 3, toS: 7 });
  await writeFile(join(dir, 'kept.json'), JSON.stringify(note));
  await writeFile(
    join(dir, 'appliance.json'),
    JSON.stringify({ timeZone: 'Europe/Kyiv', cameras: [camera('gate', 1_000), camera('yard', 9_000)] }),
  );
});
after(() => rm(dir, { recursive: true, force: true }));

test('a kept note is decided again and drawn, and told what other settings would have done', async () => {
  const alone = await replay('kept.json', '--out', 'notes');
  assert.equal(alone.stdout, `${join(dir, 'notes/kept.note.png')}\n`);
  assert.match(alone.stderr, /decided then: suppressed: zone-dwell/u);
  assert.match(alone.stderr, /settings of then: suppressed: zone-dwell/u);
  const png = await readFile(join(dir, 'notes/kept.note.png'));
  assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
  const gate = await replay('kept.json', '--settings', 'appliance.json', '--camera', 'gate');
  assert.match(gate.stderr, /other settings: a recording: zone drive/u);
  const yard = await replay('kept.json', '--settings', 'appliance.json', '--camera', 'yard');
  assert.match(yard.stderr, /other settings: suppressed: zone-dwell/u);
});

test('a clip is judged with the zones and masks of a camera: a mask over everything leaves nothing to draw', async () => {
  const masked = { sensitivity: 5, masks: [{ id: 'all', polygon: WHOLE }] };
  await writeFile(join(dir, 'masked.json'), JSON.stringify(masked));
  const heights = [];
  for (const more of [[], ['--settings', 'masked.json']]) {
    const { stdout } = await replay('box.mp4', '--no-video', ...more);
    const png = await readFile(stdout.trim());
    heights.push(png.readUInt32BE(20));
  }
  // A row for each moment: beside learning there are those of the box, or none.
  assert.ok((heights[0] ?? 0) >= (heights[1] ?? 0) + 2 * 180, heights.join());
});

test('only the seconds that were asked for are drawn, and the model knows what was before', async () => {
  const { stdout } = await replay('box.mp4', '--from', '4', '--to', '6');
  const [, video = ''] = stdout.trim().split('\n');
  const count = ['-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0'];
  const frames = await run('ffprobe', ['-v', 'error', ...count, video]);
  assert.equal(Number(frames.stdout), 11);
});

test('what cannot be judged is refused with one sentence and code 2', async () => {
  await writeFile(join(dir, 'torn.json'), JSON.stringify(note).slice(0, 400));
  await writeFile(join(dir, 'zones.json'), JSON.stringify({ zones: [{ id: 'a', polygon: [[0, 0]] }] }));
  const refused: readonly [args: string[], says: RegExp][] = [
    [['torn.json'], /no kept note/],
    [['kept.json', '--sensitivity', '7'], /goes with a video/],
    [['nowhere.json'], /nowhere\.json/],
    [['box.mp4', '--settings', 'appliance.json'], /gate, yard/],
    [['box.mp4', '--settings', 'zones.json'], /zones\/0\/polygon/],
    [['box.mp4', '--settings', 'box.mp4'], /box\.mp4/],
    [['box.mp4', '--camera', 'gate'], /--settings/],
    [['box.mp4', '--at', 'tomorrow'], /--at/],
    [['box.mp4', '--from', '60'], /8\.0 s long/],
    [['box.mp4', '--from', '5', '--to', '5'], /later/],
  ];
  for (const [args, says] of refused)
    await assert.rejects(replay(...args), (error: Error & { code?: number; stderr?: string }) => {
      assert.equal(error.code, 2, `${args.join(' ')}: ${error.stderr}`);
      assert.match(error.stderr ?? '', says);
      assert.equal((error.stderr ?? '').trim().split('\n').length, 1, error.stderr);
      return true;
    });
});
