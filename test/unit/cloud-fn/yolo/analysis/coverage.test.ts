import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { decideVerdict } from '../../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { analyseClip, type AnalysisOptions } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { coverageOf } from '../../../../../cloud-fn/yolo/analysis/coverage.ts';
import type { Detector } from '../../../../../cloud-fn/yolo/detectors/detector.ts';
import { isSlice, makePictures } from '../../../../../hardware/simulators/camera/made-pictures.ts';
import { result } from '../../orchestrators/clip-samples.ts';

const run = promisify(execFile);
let dir: string;
/** Ten seconds at 10 pictures a second, a key frame every second, in fragments that begin with it. */
let clip: Buffer;
let fragments: Buffer[];
let init: Buffer;

const FRAGMENTED = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof'];
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '10', '-sc_threshold', '0', '-bf', '0'];

async function make(
  name: string,
  input: string[],
  output: string[] = [...H264, ...FRAGMENTED],
): Promise<string> {
  const file = join(dir, name);
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...input, ...output, file], { timeout: 300_000 });
  return file;
}

const scene = (size = '320x180', seconds = 10) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=s=${size}:r=10:d=${seconds}`,
];

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-coverage-'));
  clip = await readFile(await make('clip.mp4', scene()));
  const starts: number[] = [];
  for (let at = clip.indexOf('moof'); at >= 0; at = clip.indexOf('moof', at + 4)) starts.push(at - 4);
  init = clip.subarray(0, starts[0]);
  const end = clip.indexOf('mfra') - 4;
  fragments = starts.map((at, index) => clip.subarray(at, starts[index + 1] ?? end));
  assert.equal(fragments.length, 10);
});
after(() => rm(dir, { recursive: true, force: true }));

const sees = (label?: string): Detector => ({
  model: { name: 'test', sha256: '0'.repeat(64), licence: 'none' },
  runtime: 'test',
  inputSize: 64,
  detect: async () => (label ? [{ label, confidence: 0.9, box: [0.1, 0.1, 0.5, 0.9] }] : []),
  close: async () => {},
});

async function judged(content: Buffer | string, more: Partial<AnalysisOptions> = {}, label?: string) {
  const file = typeof content === 'string' ? content : join(dir, 'tried.mp4');
  if (typeof content !== 'string') await writeFile(file, content);
  const { details } = await analyseClip(file, sees(label), {
    strategy: 'fixed-rate',
    signal: new AbortController().signal,
    deadlineMs: 120_000,
    ...more,
  });
  return { ...details, judgement: decideVerdict(result(details)) };
}

/** One bit in every so many bytes. */
function withFlippedBits(bytes: Buffer, from: number, every: number): Buffer {
  const broken = Buffer.from(bytes);
  for (let at = from; at < broken.length; at += every) broken.writeUInt8(broken.readUInt8(at) ^ 0x10, at);
  return broken;
}

test('a clip that decodes as a whole is seen as a whole, with any strategy, and may be nothing', async () => {
  for (const strategy of ['fixed-rate', 'every-frame', 'key-frames'] as const) {
    const { coverage, judgement } = await judged(clip, { strategy, expectedMs: 10_000 });
    assert.equal(coverage?.seen_ms, 10_000, strategy);
    assert.equal(coverage.longest_gap_ms, 0, strategy);
    assert.equal(judgement.verdict, 'nothing');
  }
});

test('whole clips with B-frames, in other containers, or with pictures of changing size are seen as a whole', async () => {
  const bFrames = [...H264.slice(0, -1), '2'];
  const files = [
    await make('b-frames.mp4', scene(), bFrames),
    await make('whole.mkv', scene(), bFrames),
    await make('whole.avi', scene(), H264),
    await make('whole.ts', scene(), H264),
  ];
  const [one, other] = [
    await make('one.ts', scene('320x180', 5), H264),
    await make('other.ts', scene('640x480', 5), [...H264, '-output_ts_offset', '5']),
  ];
  const changing = join(dir, 'changing.ts');
  await writeFile(changing, Buffer.concat([await readFile(one), await readFile(other)]));
  for (const file of [...files, changing]) {
    const { coverage, judgement } = await judged(file);
    assert.ok((coverage?.seen_ms ?? 0) >= 9_800, `${file}: ${JSON.stringify(coverage)}`);
    assert.equal(judgement.verdict, 'nothing', judgement.reason);
  }
});

test('pictures that the decoder painted over are not seen: the clip is undecided and says why', async () => {
  const broken = withFlippedBits(clip, init.length + 2_000, 4_001);
  const { frames, coverage, judgement } = await judged(broken);
  assert.ok(frames.decoded >= 90, `${frames.decoded} pictures came out of the decoder`);
  assert.ok((coverage?.seen_ms ?? 0) < 9_000, JSON.stringify(coverage));
  assert.equal(judgement.verdict, 'undecided');
  assert.equal(judgement.decision, 'escalated');
  assert.match(
    judgement.reason,
    /^Only \d+\.\d s of the clip's 10\.0 s could be seen\. A person has to look\.$/,
  );
});

test('a picture that lacks one of its slices is not seen, nor what rests on it, although the decoder says no more than that', async () => {
  // In the sixth second one picture of ten, in the others the first one, which is a key frame.
  for (const [lacks, seen] of [
    [(index: number) => index === 55, 95],
    [(index: number) => index % 10 === 0, 0],
  ] as const) {
    const pictures = await makePictures({ fps: 10, seconds: 10, slices: 4 });
    const units = pictures.flatMap((picture, index) => {
      const third = picture.units.filter(isSlice)[2];
      return lacks(index) ? picture.units.filter((unit) => unit !== third) : picture.units;
    });
    const stream = join(dir, 'sliced.h264');
    await writeFile(stream, Buffer.concat(units.flatMap((unit) => [Buffer.from([0, 0, 0, 1]), unit])));
    const file = await make('sliced.mp4', ['-r', '10', '-f', 'h264', '-i', stream], ['-c', 'copy']);
    const { coverage, judgement } = await judged(file, { expectedMs: 10_000 });
    assert.equal(coverage?.pictures_seen, seen, JSON.stringify(coverage));
    assert.equal(judgement.verdict, seen === 0 ? 'undecided' : 'nothing', judgement.reason);
  }
});

test('a clip with the parameter sets of another shows nothing that counts', async () => {
  const other = await readFile(
    await make('other-sets.mp4', scene('640x480'), [...H264, '-profile:v', 'baseline', ...FRAGMENTED]),
  );
  const mixed = Buffer.concat([other.subarray(0, other.indexOf('moof') - 4), ...fragments]);
  const { judgement } = await judged(mixed).catch((error: { code: string }) => ({ judgement: error }));
  if ('code' in judgement) assert.equal(judgement.code, 'clip.undecodable');
  else assert.equal(judgement.verdict, 'undecided');
});

test('a person in what could be seen is a person; of anything else nobody knows what else was there', async () => {
  const half = Buffer.concat([init, ...fragments.slice(0, 5)]);
  const person = await judged(half, { expectedMs: 10_000 }, 'person');
  assert.deepEqual([person.judgement.verdict, person.judgement.decision], ['person', 'notified']);
  assert.match(person.judgement.reason, /Only 5\.0 s of the clip's 10\.0 s could be seen\.$/);
  const dog = await judged(half, { expectedMs: 10_000 }, 'dog');
  assert.equal(dog.judgement.verdict, 'undecided');
  assert.match(dog.judgement.reason, /In the rest: dog; a person has to look\.$/);
});

test('a clip that is shorter than its metadata say, or cut off in storage, is undecided', async () => {
  assert.equal((await judged(clip, { expectedMs: 35_000 })).judgement.verdict, 'undecided');
  const cut = clip.subarray(0, Math.floor(clip.length * 0.6));
  assert.equal((await judged(cut, { expectedMs: 10_000 })).judgement.verdict, 'undecided');
  const tables = await readFile(await make('tables.mp4', scene(), [...H264, '-movflags', '+faststart']));
  const { judgement } = await judged(tables.subarray(0, Math.floor(tables.length * 0.6)));
  assert.equal(judgement.verdict, 'undecided');
});

test('a missing fragment costs its second; one without a key frame behind it costs up to the next one', async () => {
  const oneGone = await judged(Buffer.concat([init, ...fragments.slice(0, 4), ...fragments.slice(5)]));
  assert.equal(oneGone.coverage?.longest_gap_ms, 1_000);
  assert.equal(oneGone.judgement.verdict, 'nothing', 'nine tenths, and no long gap');
  const threeGone = await judged(Buffer.concat([init, ...fragments.slice(0, 4), ...fragments.slice(7)]));
  assert.equal(threeGone.coverage?.longest_gap_ms, 3_000);
  assert.equal(threeGone.judgement.verdict, 'undecided');
  const late = coverageOf({
    // A key frame at 0 and at 8 s; the pictures from 2 to 3 s are missing.
    pictures: Array.from({ length: 100 }, (_, index) => ({
      atMs: index * 100,
      key: index % 80 === 0,
    })).filter(({ atMs }) => atMs < 2_000 || atMs >= 3_000),
    timeless: false,
    decodedMs: Array.from({ length: 100 }, (_, index) => index * 100),
    expectedMs: 10_000,
    blank: 0,
  });
  assert.equal(late.longest_gap_ms, 6_000);
  assert.equal(late.seen_ms, 4_000);
});

test('pictures that come unevenly, or seldom, are no gap', async () => {
  let atMs = 0;
  const uneven = Array.from({ length: 200 }, (_, index) => ({
    atMs: (atMs += 40 + ((index * 7) % 5) * 60),
    key: index === 0,
  }));
  const seldom = Array.from({ length: 10 }, (_, index) => ({ atMs: index * 4_000, key: true }));
  for (const pictures of [uneven, seldom]) {
    const coverage = coverageOf({
      pictures,
      timeless: false,
      decodedMs: pictures.map((one) => one.atMs),
      expectedMs: undefined,
      blank: 0,
    });
    assert.equal(coverage.longest_gap_ms, 0);
    assert.equal(coverage.seen_ms, coverage.expected_ms);
  }
});

test('pictures of one colour show nothing', async () => {
  const grey = await make('grey.mp4', ['-f', 'lavfi', '-i', 'color=c=gray:s=320x180:r=10:d=5']);
  const { coverage, judgement } = await judged(grey);
  assert.ok((coverage?.blank_frames ?? 0) >= 3, JSON.stringify(coverage));
  assert.equal(judgement.verdict, 'undecided');
  assert.match(judgement.reason, /(\d+) of \1 pictures show one single colour and nothing else\./);
});

test('a clip that begins in the middle of a group of pictures is seen from its first key frame on', async () => {
  const long = await readFile(
    await make('long-gop.mp4', scene(), [
      ...H264.map((one) => (one === '10' ? '40' : one)),
      '-movflags',
      '+empty_moov+default_base_moof',
      '-frag_duration',
      '1000000',
    ]),
  );
  const starts: number[] = [];
  for (let at = long.indexOf('moof'); at >= 0; at = long.indexOf('moof', at + 4)) starts.push(at - 4);
  const headless = Buffer.concat([long.subarray(0, starts[0]), long.subarray(starts[1])]);
  const { coverage, judgement } = await judged(headless, { expectedMs: 9_000 });
  assert.ok((coverage?.longest_gap_ms ?? 0) >= 2_500, JSON.stringify(coverage));
  assert.equal(judgement.verdict, 'undecided');
});

test('a time far ahead neither hides the pictures behind it nor makes the clip safe', async () => {
  const liar = Buffer.from(clip);
  const tfdt = liar.indexOf('tfdt', liar.indexOf(fragments[4] as Buffer));
  liar.writeUInt8(0x20, tfdt + 4 + 4 + 4);
  const { frames, judgement } = await judged(liar);
  assert.ok(frames.analysed >= 15, `${frames.analysed} frames`);
  assert.equal(judgement.verdict, 'undecided');
});

test('a container that says a length of weeks is believed only about what nobody else knows', async () => {
  const tables = Buffer.from(
    await readFile(await make('weeks.mp4', scene(), [...H264, '-movflags', '+faststart'])),
  );
  for (const box of ['mvhd', 'mdhd']) tables.writeUInt32BE(0x7fff_ffff, tables.indexOf(box) + 4 + 16);
  tables.writeUInt32BE(0x7fff_ffff, tables.indexOf('tkhd') + 4 + 20);
  const { frames, judgement } = await judged(tables, { expectedMs: 10_000 });
  assert.equal(frames.analysed, 20);
  assert.equal(judgement.verdict, 'nothing');
});

test('pictures too small to show anybody, no picture track, HTML and another codec under a false name are refused', async () => {
  const hevc = await readFile(
    await make('hevc.mp4', scene('320x180', 2), [
      '-c:v',
      'libx265',
      '-x265-params',
      'log-level=none',
      '-tag:v',
      'hvc1',
    ]),
  );
  const renamed = Buffer.from(
    hevc.toString('latin1').replaceAll('hvc1', 'avc1').replaceAll('hvcC', 'avcC'),
    'latin1',
  );
  const cases: readonly [string, Buffer | string, string][] = [
    ['small', await make('small.mp4', scene('16x16', 2)), 'clip.too-small'],
    [
      'sound',
      await make('sound.mp4', ['-f', 'lavfi', '-i', 'sine=d=2'], ['-c:a', 'aac']),
      'clip.undecodable',
    ],
    ['HTML', Buffer.from('<!doctype html><title>404</title>'), 'clip.undecodable'],
    ['empty', Buffer.alloc(0), 'clip.undecodable'],
    ['no picture', init, 'clip.undecodable'],
    ['HEVC', renamed, 'clip.undecodable'],
  ];
  for (const [what, content, code] of cases)
    await assert.rejects(
      judged(content),
      (error: { code?: string; final?: boolean }) => error.code === code && error.final === true,
      what,
    );
});

test('pictures at uneven times that rest on later ones are all seen, although the file jumps ahead', () => {
  // Shown at 0, 40, … 960, 1300, 1640, 1680, …; the picture at 1640 is coded before those at 1300.
  const shown = [...Array.from({ length: 25 }, (_, at) => at * 40), 1300, 1640, 1680, 1720, 1760];
  const coded = [...shown.slice(0, 25), 1640, 1300, 1680, 1720, 1760];
  const coverage = coverageOf({
    pictures: coded.map((atMs, at) => ({ atMs, key: at === 0 })),
    timeless: false,
    decodedMs: shown,
    expectedMs: undefined,
    blank: 0,
  });
  assert.equal(coverage.seen_ms, coverage.expected_ms);
  assert.equal(coverage.pictures_seen, coded.length);
});
