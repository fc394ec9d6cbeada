import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdaptiveDecoding } from '../../../../../../agent/capture/child/decoding/adaptive-decoding.ts';
import { createDecodingPolicy } from '../../../../../../agent/capture/child/decoding/decoding-policy.ts';
import type { GateDecision } from '../../../../../../agent/motion/motion.ts';
import { createFakeClock } from '../../../../../fakes/clock.ts';
import { codedPicture, numberIn } from './coded.ts';

const FPS = 10;
const QUIET: GateDecision = { kind: 'quiet' };
const CANDIDATE: GateDecision = { kind: 'suppressed', reason: 'too-short', regions: [] };

/** A camera of ten pictures a second, whose n-th is taken at 100 n ms and is a key picture when n is a multiple of
 *  `group`.
 *  The decoder decodes when it is told to; what it makes of a picture is its number. The detector suspects what
 *  `visible` says.
 *  @param holdsBack so many pictures come out of the decoder only when later ones go in */
function watch(visible: (n: number) => boolean, { holdsBack = 0, group = FPS, checksTimes = true } = {}) {
  const clock = createFakeClock();
  const startMs = clock.monotonicMs();
  const inDecoder: number[] = [];
  const given: number[] = [];
  const judged: number[] = [];
  const frame = (n: number) => {
    const grey = Buffer.alloc(4);
    grey.writeUInt32BE(n);
    return grey;
  };
  const decoding = createAdaptiveDecoding({
    policy: createDecodingPolicy(),
    clock,
    framesPerSecond: 5,
    decoder: () => ({
      push: (coded) => {
        given.push(numberIn(coded));
        inDecoder.push(numberIn(coded));
      },
      waiting: () => ({ buffers: Math.max(0, inDecoder.length - holdsBack), bytes: 0 }),
    }),
    stage: {
      suspects: (grey) => visible(grey.readUInt32BE()),
      frame: (grey, atMs) => {
        const n = grey.readUInt32BE();
        if (checksTimes) assert.equal(Math.round((atMs - startMs) / 100), n, 'the moment of another picture');
        judged.push(n);
        return visible(n) ? CANDIDATE : QUIET;
      },
    },
  });
  let next = 0;
  const decodeOne = () => decoding.decoded(frame(inDecoder.shift() as number));
  const decodeAll = () => {
    while (inDecoder.length > holdsBack) decodeOne();
  };
  return {
    decoding,
    given,
    judged,
    decodeAll,
    decodeOne,
    /** The decoder drops the next picture. */
    drop: () => void inDecoder.shift(),
    pass: (ms: number) => clock.advance(ms),
    /** Shows pictures up to the `until`-th. */
    async show(until: number, decode = true) {
      for (; next < until; next++) {
        const arrivedMs = startMs + next * 100;
        await clock.advance(arrivedMs - clock.monotonicMs());
        decoding.coded(codedPicture(next, { key: next % group === 0, arrivedMs }), next * 100);
        if (decode) decodeAll();
      }
    },
  };
}
const range = (from: number, to: number, step: number) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);

test('in a quiet scene only key pictures are decoded, and each is looked at', async () => {
  const it = watch(() => false);
  await it.show(60);
  it.given.length = 0;
  it.judged.length = 0;
  await it.show(160);
  assert.deepEqual(it.given, range(60, 160, FPS));
  assert.deepEqual(it.judged, range(60, 160, FPS));
  assert.equal(it.decoding.report().alertness, 'quiet');
});

test('what a key picture makes suspicious is seen as if everything had been decoded: in order, each moment once', async () => {
  const it = watch((n) => n >= 94);
  await it.show(60);
  it.judged.length = 0;
  await it.show(130);
  assert.deepEqual(it.judged, [60, 70, 80, 90, ...range(92, 130, 2)]);
  assert.equal(it.decoding.report().alertness, 'suspicious');
});

test('the decoder gets a group of pictures from its key picture on, whenever decoding begins', async () => {
  const it = watch(() => false);
  await it.show(85);
  it.given.length = 0;
  it.judged.length = 0;
  void it.decoding.demand();
  it.decodeAll();
  await it.show(90);
  assert.deepEqual(it.given, range(80, 90, 1));
  assert.deepEqual(it.judged, [82, 84, 86, 88]);
});

test('who demands pictures waits until what was held is decoded', async () => {
  const it = watch(() => false);
  await it.show(87);
  let ready = false;
  const demanded = it.decoding.demand().then(() => {
    ready = true;
  });
  await Promise.resolve();
  assert.equal(ready, false, 'the decoder has not caught up');
  it.decodeAll();
  await demanded;
  it.judged.length = 0;
  await it.show(89);
  assert.deepEqual(it.judged, [88], 'pictures come one by one now');
});

test('a picture that the decoder dropped keeps nobody waiting', async () => {
  const it = watch(() => false, { checksTimes: false });
  await it.show(87);
  void it.decoding.demand();
  it.drop();
  it.decodeAll();
  await it.show(88);
  const demanded = it.decoding.demand();
  await it.show(90);
  await demanded;
});

test('a decoder that does not catch up in two seconds gives no picture, rather than an old one', async () => {
  const it = watch(() => false);
  await it.show(87);
  const refused = assert.rejects(it.decoding.demand(), { code: 'capture.no-picture' });
  await it.pass(2_000);
  await refused;
});

test('key pictures come and go while one is looked at: nothing is seen twice or out of order', async () => {
  const it = watch((n) => n >= 84);
  await it.show(60);
  it.judged.length = 0;
  // A machine that is busy: two key pictures are on their way before the first is looked at.
  await it.show(104, false);
  it.decodeAll();
  await it.show(112);
  assert.deepEqual(
    it.judged,
    it.judged.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(it.judged).size, it.judged.length);
  assert.deepEqual(
    it.judged.filter((n) => n > 80),
    range(82, 112, 2),
  );
});

test('when everything is quiet again, only key pictures are decoded again', async () => {
  const it = watch((n) => n >= 94 && n < 120);
  await it.show(180);
  it.given.length = 0;
  await it.show(220);
  assert.deepEqual(it.given, range(180, 220, FPS));
});

test('a decoder that holds pictures back is given all: a key picture alone would come out with the next one', async () => {
  const it = watch(() => false, { holdsBack: 1, checksTimes: false });
  await it.show(100);
  it.given.length = 0;
  await it.show(300);
  assert.deepEqual(it.given, range(100, 300, 1));
});

test('of a camera that sends nothing but key pictures about one a second is looked at, and nothing is missed either', async () => {
  const it = watch((n) => n >= 184, { group: 1 });
  await it.show(60);
  it.given.length = 0;
  await it.show(180);
  assert.ok(it.given.length >= 12 && it.given.length <= 14, `${it.given.length} of 120`);
  it.judged.length = 0;
  await it.show(230);
  const seen = it.judged.filter((n) => n >= 184);
  assert.deepEqual(seen, range(seen[0] ?? 0, 230, 2));
  assert.ok((seen[0] ?? 0) <= 186, `the first one seen is ${seen[0]}`);
});

test('a machine that decodes half of what comes looks at what it can, and goes on doing so', async () => {
  const camera = watch(() => true, { group: 20, checksTimes: false });
  await camera.show(600, false);
  const seen: number[] = [];
  for (let n = 602; n <= 2_000; n += 2) {
    await camera.show(n, false);
    const before = camera.judged.length;
    camera.decodeOne();
    if (camera.judged.length > before) seen.push(camera.judged.at(-1) as number);
  }
  assert.ok(seen.length > 200, `only ${seen.length} pictures were looked at`);
  assert.ok((seen.at(-1) as number) > 1_600, `the last picture that was looked at is ${seen.at(-1)} of 2000`);
  assert.ok(
    camera.given.length < 1_200,
    `${camera.given.length} pictures were given to a decoder that takes half of 2000`,
  );
});
