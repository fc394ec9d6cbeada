import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { adviseOn } from '../../../../../agent/capture/check/advice.ts';
import {
  createStreamMeasure,
  type StreamMeasures,
} from '../../../../../agent/capture/check/stream-measure.ts';
import type { StreamName } from '../../../../../agent/capture/stream-error.ts';
import {
  makePictures,
  type MadePicture,
  type PicturesOptions,
  typeOf,
} from '../../../../../hardware/simulators/camera/made-pictures.ts';

const FPS = 10;
const FRAME_MS = 1000 / FPS;
const HEAD = Buffer.alloc(4);
const made = (options: PicturesOptions = {}) => makePictures({ fps: FPS, seconds: 12, ...options });

let plain: MadePicture[];
before(async () => {
  plain = await made({ width: 640, height: 360 });
});

interface Sending {
  /** When the n-th picture says it was taken; default the truth. */
  readonly stampMs?: (trueMs: number, index: number) => number;
  /** Picture after which packets are missing. */
  readonly lossBefore?: number;
  readonly skips?: (picture: MadePicture, index: number) => boolean;
  /** Parameter sets come in the description, before the first packet, and not in the stream. */
  readonly describedOnly?: boolean;
}

/** Twelve seconds of a stream, as fast as it can be measured. */
function measured(pictures: readonly MadePicture[], sending: Sending = {}): StreamMeasures {
  const measure = createStreamMeasure({ keepsPicture: false });
  const isSet = (unit: Buffer) => [7, 8].includes(typeOf(unit));
  const give = (unit: Buffer, stampMs: number | undefined, now: number, afterLoss = false) =>
    measure.unit({ unit: Buffer.concat([HEAD, unit]), encoding: 'H264', stampMs, afterLoss }, now);
  if (sending.describedOnly)
    for (const unit of pictures[0]?.units.filter(isSet) ?? []) give(unit, undefined, 0);
  const early = pictures.reduce((most, { shown }, order) => Math.max(most, shown - order), 0);
  for (const [index, picture] of pictures.entries()) {
    if (sending.skips?.(picture, index)) continue;
    const now = index * FRAME_MS;
    const trueMs = (picture.shown - early) * FRAME_MS;
    const stampMs = sending.stampMs?.(trueMs, index) ?? trueMs;
    measure.packet(now);
    const units = picture.units.filter((unit) => !(sending.describedOnly && isSet(unit)));
    for (const [order, unit] of units.entries())
      give(unit, stampMs, now, index === sending.lossBefore && order === 0);
  }
  return measure.result();
}

const close = (value: number | null, expected: number, by: number) =>
  assert.ok(value !== null && Math.abs(value - expected) <= by, `${value} is not ${expected} ± ${by}`);

const advice = (stream: StreamName, measures: StreamMeasures) =>
  adviseOn([{ stream, loginBy: null, trouble: null, measures }], false);

test('a stream is measured: size, profile, rate, key frames, bits, clock, sets', () => {
  const found = measured(plain);
  assert.deepEqual([found.widthPx, found.heightPx, found.slices], [640, 360, 1]);
  assert.match(found.profile ?? '', /^High \d\.\d$/);
  close(found.framesPerSecond, FPS, 0.2);
  close(found.keyFrameMs, 1000, 20);
  close(found.clockRate, 1, 0.005);
  const bytes = plain.flatMap(({ units }) => units).reduce((sum, { length }) => sum + length, 0);
  close(found.bitsPerSecond, (bytes * 8) / 12, bytes / 10);
  assert.deepEqual([found.bPictures, found.parameterSets, found.losses], [false, 'stream', 0]);
});

test('B pictures and slices are counted, and B pictures are advised against', async () => {
  const found = measured(await made({ bPictures: 2, slices: 4 }));
  assert.deepEqual([found.bPictures, found.slices], [true, 4]);
  close(found.framesPerSecond, FPS, 0.3);
  assert.ok(advice('main', found).some(({ sentence }) => sentence.includes('B pictures')));
});

test('a slow clock, one that stands still and one that is set are told apart', () => {
  const slow = measured(plain, { stampMs: (trueMs) => trueMs * 0.84 });
  close(slow.clockRate, 0.84, 0.01);
  assert.ok(advice('main', slow).some(({ sentence }) => sentence.includes('its clock runs at 0.84 of ours')));
  const still = measured(plain, { stampMs: () => 5000 });
  assert.equal(still.clockRate, 0);
  assert.ok(advice('main', still).some(({ sentence }) => sentence.includes('stand still')));
  const set = measured(plain, { stampMs: (trueMs) => (trueMs < 6000 ? trueMs : trueMs + 3_600_000) });
  assert.equal(set.clockSteps, 1);
  assert.ok(advice('main', set).some(({ sentence }) => sentence.includes('NTP')));
});

test('key frames far apart are said with what to set, for each stream by its own measure', async () => {
  const far = measured(await made({ gop: 40 }));
  close(far.keyFrameMs, 4000, 20);
  assert.match(
    advice('main', far)[0]?.sentence ?? '',
    /4\.0 s apart.*set the key frame interval.*1 to 2 seconds/,
  );
  assert.match(advice('sub', far)[0]?.sentence ?? '', /4\.0 s apart; set one a second/);
  const two = measured(await made({ gop: 20 }));
  assert.ok(!advice('main', two).some(({ sentence }) => sentence.includes('apart')));
  assert.ok(advice('sub', two).some(({ sentence }) => sentence.includes('apart')));
});

test('one key frame in all counts as far apart as it was watched', async () => {
  const once = measured(await made({ gop: 600 }));
  assert.equal(once.keyFrames, 1);
  assert.match(advice('main', once)[0]?.sentence ?? '', /at least 12 s apart/);
});

test('a stream without a key frame cannot be used, and its size is known all the same', async () => {
  const found = measured(await made({ gop: 600 }), { skips: ({ key }) => key, describedOnly: true });
  assert.deepEqual([found.keyFrames, found.widthPx, found.pictures], [0, 640, 0]);
  const [first] = advice('sub', found);
  assert.ok(first?.isFatal && first.sentence.includes('no key frame'), first?.sentence);
});

test('where parameter sets are is told, and missing packets are', () => {
  const found = measured(plain, { describedOnly: true, lossBefore: 33 });
  assert.deepEqual([found.parameterSets, found.losses], ['description', 1]);
  assert.ok(advice('sub', found).some(({ sentence }) => sentence.includes('packets were missing once')));
});

test('a small stream as tune sets it needs no advice; a large or fast one does', async () => {
  const tuned = await makePictures({ fps: 5, seconds: 12, gop: 5 });
  const measure = createStreamMeasure({ keepsPicture: false });
  for (const [index, { units }] of tuned.entries()) {
    measure.packet(index * 200);
    for (const unit of units)
      measure.unit(
        { unit: Buffer.concat([HEAD, unit]), encoding: 'H264', stampMs: index * 200, afterLoss: false },
        index * 200,
      );
  }
  assert.deepEqual(advice('sub', measure.result()), []);
  const large = measured(await made({ width: 1280, height: 720 }));
  const said = advice('sub', large).map(({ sentence }) => sentence);
  assert.ok(
    said.some((one) => one.includes('set it to 640×360')),
    said.join('\n'),
  );
  assert.ok(
    said.some((one) => one.includes('set it to 5')),
    said.join('\n'),
  );
});

test('the kept picture is a key frame with its parameter sets', () => {
  const measure = createStreamMeasure({ keepsPicture: true });
  for (const [index, { units }] of plain.entries()) {
    measure.packet(index * FRAME_MS);
    for (const unit of units)
      measure.unit(
        { unit: Buffer.concat([HEAD, unit]), encoding: 'H264', stampMs: index * FRAME_MS, afterLoss: false },
        index * FRAME_MS,
      );
  }
  const picture = measure.keyPicture()?.bytes ?? assert.fail('no picture');
  assert.deepEqual([...picture.subarray(0, 4)], [0, 0, 0, 1]);
  assert.equal(typeOf(picture.subarray(4)), 7);
});
