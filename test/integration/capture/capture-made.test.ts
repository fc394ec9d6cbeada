import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { marksEachSlice } from '../../../hardware/simulators/camera/made-camera.ts';
import {
  isSlice,
  makePictures,
  type MadePicture,
  type PicturesOptions,
  typeOf,
  withBallast,
  withoutRate,
} from '../../../hardware/simulators/camera/made-pictures.ts';
import type { MadeStream } from '../../../hardware/simulators/camera/made-stream.ts';
import { assertWholeClip, decodedSizes, judge, watchMade } from './rig/made-rig.ts';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { type Kept, probe, until } from './capture-rig.ts';

const FPS = 10;
let plain: MadePicture[];
let sub: MadeStream;

/** Small: what these tests look at is in the stream, and each picture is decoded several times. */
const [PLAIN_SIZE, OTHER_SIZE] = [
  { width: 320, height: 180 },
  { width: 160, height: 120 },
] as const;
const encoded = new Map<string, Promise<MadePicture[]>>();
/** Encoded once, however many streams are made of it. */
function made(settings: PicturesOptions): Promise<MadePicture[]> {
  const all = { ...PLAIN_SIZE, fps: FPS, seconds: 2, ...settings };
  const key = JSON.stringify(all);
  const pictures = encoded.get(key) ?? makePictures(all);
  encoded.set(key, pictures);
  return pictures;
}

before(async () => {
  plain = await made({});
  sub = { fps: FPS, takes: [{ pictures: plain }] };
});

const stream = (more: Partial<MadeStream> = {}): MadeStream => ({
  fps: FPS,
  takes: [{ pictures: plain }],
  ...more,
});

const HOUR_S = 3600;
const setsOf = (pictures: readonly MadePicture[]) => {
  const find = (type: number) => pictures[0]?.units.find((unit) => typeOf(unit) === type) ?? assert.fail();
  return { sps: find(7), pps: find(8) };
};

/** Faults that begin with a picture begin with this one: by then the camera is live and a clip runs. */
const LATER = 60;
const LATER_S = LATER / FPS;

const CAMERAS: Record<string, () => Promise<MadeStream>> = {
  'nothing wrong': async () => stream(),
  'B pictures': async () => stream({ takes: [{ pictures: await made({ bPictures: 2 }) }] }),
  'eight slices a picture, with an end mark on each': async () =>
    stream({ takes: [{ pictures: await made({ slices: 8 }) }], rewrite: marksEachSlice }),
  'an end mark on every packet, also on parameter sets and SEI': async () =>
    stream({ rewrite: (packets) => packets.map((packet) => ({ ...packet, marker: true })) }),
  'no end marks at all': async () =>
    stream({ rewrite: (packets) => packets.map((packet) => ({ ...packet, marker: false })) }),
  'another picture size in mid-stream': async () =>
    stream({ takes: [{ pictures: plain, times: 3 }, { pictures: await made({ ...OTHER_SIZE }) }] }),
  'other parameters at the same size': async () =>
    stream({
      takes: [
        { pictures: plain, times: 3 },
        { pictures: await made({ x264: 'cabac=0:8x8dct=0:ref=1:weightp=0' }) },
      ],
    }),
  'a description with the parameter sets of another stream': async () =>
    stream({ described: setsOf(await made({ ...OTHER_SIZE, x264: 'cabac=0:8x8dct=0' })) }),
  'a description without parameter sets': async () => stream({ described: null }),
  'no word about its frame rate': async () => stream({ takes: [{ pictures: withoutRate(plain) }] }),
  'parameter sets in its description only': async () => stream({ parameterSets: 'described-only' }),
  'a new synchronisation source': async () =>
    stream({
      rewrite: (packets, index) =>
        index < LATER
          ? packets
          : packets.map((packet) => ({ ...packet, ssrc: 77 + Math.floor(index / LATER) })),
    }),
  'sequence numbers that jump': async () =>
    stream({
      rewrite: (packets, index) =>
        packets.map((packet) => ({ ...packet, sequence: packet.sequence + (index < LATER ? 0 : 30_000) })),
    }),
  'packets that are lost': async () =>
    stream({ rewrite: (packets, index) => (index % 15 === 7 ? packets.slice(1) : packets) }),
  'a clock that steps back by 20 s': async () =>
    stream({ stamp: (trueS) => (trueS < LATER_S ? trueS : trueS - 20) }),
  'a clock that steps back by an hour': async () =>
    stream({ stamp: (trueS) => (trueS < LATER_S ? trueS : trueS - HOUR_S) }),
  'a clock that steps forward by 30 s': async () =>
    stream({ stamp: (trueS) => (trueS < LATER_S ? trueS : trueS + 30) }),
  'one picture in thirty stamped ten hours ahead': async () =>
    stream({ stamp: (trueS, index) => (index % 30 === 7 ? trueS + 10 * HOUR_S : trueS) }),
  'one picture in ten stamped three seconds back': async () =>
    stream({ stamp: (trueS, index) => (index % 10 === 7 ? trueS - 3 : trueS) }),
  'stamps that stand still': async () => stream({ stamp: () => 0 }),
  'stamps that mean nothing': async () => stream({ stamp: (_, index) => ((index * 7919) % 1000) * 13 }),
};

/** The pictures of a take, of which some units are sent in another way, or not at all. */
const spoilt = (
  pictures: readonly MadePicture[],
  spoil: (unit: Buffer, picture: number) => Buffer | null,
) => [
  {
    pictures: pictures.map((picture, index) => ({
      ...picture,
      units: picture.units.flatMap((unit) => spoil(unit, index) ?? []),
    })),
  },
];

/** Behind the header of a slice, so that only who decodes it notices. */
const SLICE_HEADER = 24;
function scrambled(unit: Buffer): Buffer {
  const garbage = Buffer.from(unit);
  for (let at = SLICE_HEADER; at < garbage.length; at++) garbage[at] = 1 + ((at * 89 + 31) % 251);
  return garbage;
}

/** What these send cannot be decoded, or not as a whole, and only a decoder can tell. */
const UNDECODABLE: Record<string, () => Promise<MadeStream>> = {
  'parameter sets of other pictures in its stream': async () => {
    const { sps, pps } = setsOf(await made({ ...OTHER_SIZE, x264: 'cabac=0:8x8dct=0' }));
    const others = new Map([
      [7, sps],
      [8, pps],
    ]);
    return stream({
      described: { sps, pps },
      takes: spoilt(plain, (unit) => others.get(typeOf(unit)) ?? unit),
    });
  },
  'garbage in every picture': async () =>
    stream({ takes: spoilt(plain, (unit) => (isSlice(unit) ? scrambled(unit) : unit)) }),
  'garbage in one picture of ten': async () =>
    stream({
      takes: spoilt(plain, (unit, index) => (index % 10 === 4 && isSlice(unit) ? scrambled(unit) : unit)),
    }),
  'pictures that are cut off': async () =>
    stream({
      takes: spoilt(plain, (unit) =>
        isSlice(unit) ? unit.subarray(0, SLICE_HEADER + unit.length / 4) : unit,
      ),
    }),
  'pictures that lack a slice': async () => {
    let slice = 0;
    return stream({
      takes: spoilt(await made({ slices: 4 }), (unit) => (isSlice(unit) && slice++ % 4 === 2 ? null : unit)),
    });
  },
};

/** These change for good: what comes behind the clip in which they change must be good, too. */
const LASTING = /mid-stream|same size|source|jump/;
/** Its clips are undecided when they are long enough to lack a lot. */
const LOSES = 'packets that are lost';
/** Cameras are watched in real time, and mostly waited for. */
const AT_ONCE = 4;

describe('what cameras send', { concurrency: AT_ONCE }, () => {
  for (const [fault, make] of Object.entries(UNDECODABLE))
    test(`a clip of a camera with ${fault} is undecided, never nothing`, async (t) => {
      const { live, sent, record } = await watchMade(t, { main: await make(), sub });
      await live();
      await sent(LATER - 15);
      const clips = await record();
      assert.ok(clips.length > 0);
      for (const clip of clips) {
        const { verdict, reason } = await judge(clip);
        assert.equal(verdict, 'undecided', reason);
      }
    });

  /** What is said of a clip is real time: as much as its pictures took to take. */
  async function assertRealTime({ file, written }: Kept): Promise<void> {
    const tookMs = ((await probe(file)).frames * 1000) / FPS;
    const saidMs = written?.durationMs ?? 0;
    assert.ok(Math.abs(saidMs - tookMs) <= 500 + tookMs / 10, `said ${saidMs} ms of ${tookMs} ms`);
  }

  for (const [fault, make] of Object.entries(CAMERAS)) {
    const isOfTime = /clock|stamp/.test(fault);
    const lasts = isOfTime ? 'lasts what is said of it and what it shows' : 'lasts what is said of it';
    test(`of a camera with ${fault} every clip decodes, ${lasts}, and is judged as a whole`, async (t) => {
      const { live, sent, record, clips } = await watchMade(t, { main: await make(), sub });
      await live();
      await sent(LATER - 15);
      const all = LASTING.test(fault) ? await clips(3) : await record();
      for (const clip of all) {
        await assertWholeClip(clip);
        const { verdict, reason } = await judge(clip);
        const lacksALot = fault === LOSES && (clip.written?.durationMs ?? 0) >= 3000;
        // Where a short one is cut decides how much of it is missing.
        const isOpen = fault === LOSES && !lacksALot && verdict === 'undecided';
        if (!isOpen) assert.equal(verdict, lacksALot ? 'undecided' : 'nothing', reason);
        if (isOfTime) await assertRealTime(clip);
      }
      if (isOfTime) assert.ok(all.reduce((sum, { written }) => sum + (written?.durationMs ?? 0), 0) >= 5000);
    });
  }

  for (const rate of [0.84, 1.25, 0.5])
    test(`a clock that counts ${rate} s in a second costs no pre-roll and no length: both are said in real time`, async (t) => {
      const main = stream({ stamp: (trueS) => trueS * rate });
      const recording = { preRollMs: 3000, postRollMs: 4000 };
      const { live, sent, record } = await watchMade(t, { main, sub, recording });
      await live();
      await sent(150);
      const clips = await record();
      for (const clip of clips) {
        await assertWholeClip(clip);
        // Until its rate is plain, a clock is believed.
        if (clip !== clips[0]) await assertRealTime(clip);
      }
      const asked = clips.at(-1) ?? assert.fail();
      assert.ok((asked.written?.preRollMs ?? 0) <= 5500, `pre-roll ${asked.written?.preRollMs} ms`);
    });

  test('what was being recorded when the picture size changes goes on in a second clip of the new size', async (t) => {
    const small = await made({ ...OTHER_SIZE });
    const main = stream({ takes: [{ pictures: plain, times: 4 }, { pictures: small }] });
    const {
      live,
      sent,
      capture,
      clips: both,
    } = await watchMade(t, {
      main,
      sub: { ...sub, takes: [{ pictures: await still() }] },
    });
    await live();
    await sent(65);
    await capture.recordNow('gate', AbortSignal.timeout(120_000));
    const clips = await both(2);
    const sizes = [];
    for (const { file } of clips) sizes.push([...new Set(await decodedSizes(file))]);
    assert.deepEqual(sizes, [['320,180'], ['160,120']]);
    const [before, after] = clips.map(({ written }) => written ?? assert.fail());
    const endMs = (before?.startedMs ?? 0) + (before?.durationMs ?? 0);
    assert.ok(Math.abs((after?.startedMs ?? 0) - endMs) < 500, `${(after?.startedMs ?? 0) - endMs} ms apart`);
    assert.ok((before?.durationMs ?? 0) + (after?.durationMs ?? 0) >= 6000);
  });

  /** What may be wrong with the watched stream alone. */
  const WATCHED = [
    'no word about its frame rate',
    'another picture size in mid-stream',
    'other parameters at the same size',
    'a description with the parameter sets of another stream',
    'B pictures',
    'eight slices a picture, with an end mark on each',
    'a new synchronisation source',
    'a clock that steps back by an hour',
    'a clock that steps forward by 30 s',
    'one picture in thirty stamped ten hours ahead',
    'stamps that stand still',
  ];
  for (const fault of WATCHED)
    test(`a watched stream with ${fault} still shows what moves`, async (t) => {
      const faulty = (await CAMERAS[fault]?.()) ?? assert.fail();
      const { rig, live, camera, capture } = await watchMade(t, { main: stream(), sub: faulty });
      await live();
      await until('the fault', () => camera.sent('sub') >= LATER + 20);
      const sinceMs = Date.now();
      const seen = () =>
        rig.kept.find(({ triggeredMs, cause }) => triggeredMs > sinceMs && cause.kind === 'picture');
      await until('a movement that begins a clip', seen);
      assert.equal(capture.status()[0]?.state, 'live');
      assert.equal(camera.plays('sub'), 1, 'it was connected anew');
    });

  test('a camera without a key frame at connect is waited for while its pictures come, and told what to set', async (t) => {
    const long = await made({ seconds: 12, gop: 120 });
    const late: MadeStream = { fps: FPS, takes: [{ pictures: long.slice(10) }, { pictures: long }] };
    const conditions = createConditions({ clock: systemClock, log: createLog('silent', () => undefined) });
    // Shorter than the time without a key frame.
    const timings = { heartbeatMs: 200, stalledMs: 4000, giveUpMs: 7000, killMs: 20_000, connectMs: 7000 };
    const { live, capture, record, camera } = await watchMade(t, {
      main: late,
      sub: late,
      timings,
      conditions,
    });
    const said = () => conditions.list().find(({ code }) => code === 'camera-keyframes');
    const notice = await until('the advice', said);
    assert.equal(notice.subject, 'gate');
    assert.match(
      notice.detail,
      /^camera gate, (main|sub) stream: its pictures come, but no key frame .*; set the key frame interval .* to 1 to 2 seconds in the camera$/,
    );
    assert.equal(capture.status()[0]?.state, 'starting');
    assert.equal(capture.status()[0]?.detail, notice.detail);
    await live();
    assert.equal(camera.plays('main'), 1, 'it was connected anew');
    // The next one shows how far apart they are.
    await until('the interval', () => /are 12 s apart/.test(said()?.detail ?? ''));
    const clips = await record();
    for (const clip of clips) await assertWholeClip(clip);
    assert.deepEqual(conditions.list(), []);
  });

  test('of a group of pictures that memory does not hold what can be is recorded, and what to set is said', async (t) => {
    // 12 s with 14 MiB a second: no room for the last three, nor for what moves in them.
    const pictures = await made({ fps: 5, seconds: 12, gop: 60 });
    const takes = [{ pictures: withBallast(pictures, 2_900_000) }];
    const main: MadeStream = { fps: 5, takes, packetBytes: 60_000, beginsWith: 'key-frame' };
    const standing = { pictures: await still(), times: 220 };
    const conditions = createConditions({ clock: systemClock, log: createLog('silent', () => undefined) });
    const { live, sent, clips } = await watchMade(t, {
      main,
      sub: { fps: FPS, takes: [standing, ...sub.takes] },
      recording: { preRollMs: 1000, postRollMs: 4000 },
      conditions,
    });
    await live();
    const said = () => conditions.list().find(({ code }) => code === 'camera-keyframes')?.detail ?? '';
    await until('the advice', () => /memory does not hold/.test(said()), 120_000);
    assert.match(said(), /; set the key frame interval of this stream .* to 1 to 2 seconds in the camera$/);
    await sent(110);
    const clip = (await clips(1))[0] ?? assert.fail();
    await assertWholeClip(clip);
    const { startedMs = 0, durationMs = 0 } = clip.written ?? {};
    assert.ok(startedMs >= clip.triggeredMs, `begins ${clip.triggeredMs - startedMs} ms before what moved`);
    assert.ok(durationMs >= 4000);
  });

  const still = async () => [(await made({ seconds: 1 }))[0] ?? assert.fail()];
});
