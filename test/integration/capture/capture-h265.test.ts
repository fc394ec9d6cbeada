import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  makePictures,
  type MadePicture,
  type PicturesOptions,
  setsOf,
} from '../../../hardware/simulators/camera/made-pictures.ts';
import type { MadeStream } from '../../../hardware/simulators/camera/made-stream.ts';
import { probe, until } from './capture-rig.ts';
import { assertWholeClip, decodedSizes, judge, watchMade } from './rig/made-rig.ts';

const FPS = 10;
const SIZE = { width: 320, height: 180, fps: FPS, seconds: 2 } as const;
const made = (settings: PicturesOptions = {}) => makePictures({ ...SIZE, coding: 'H265', ...settings });

let plain: MadePicture[];
let other: MadePicture[];
let h264: MadePicture[];
before(async () => {
  [plain, other, h264] = await Promise.all([
    made(),
    made({ width: 160, height: 120 }),
    made({ coding: 'H264' }),
  ]);
});

const stream = (more: Partial<MadeStream> = {}): MadeStream => ({
  fps: FPS,
  takes: [{ pictures: plain }],
  ...more,
});
const described = (pictures: readonly MadePicture[]) => {
  const [vps, sps, pps] = setsOf(pictures[0] ?? assert.fail());
  return { vps, sps: sps ?? assert.fail(), pps: pps ?? assert.fail() } as const;
};

/** Faults that begin with a picture begin with this one: by then the camera is live and a clip runs. */
const LATER = 60;

const CAMERAS: Record<string, () => Promise<MadeStream>> = {
  'nothing wrong': async () => stream(),
  'B pictures': async () => stream({ takes: [{ pictures: await made({ bPictures: 2 }) }] }),
  'open groups of pictures': async () =>
    stream({ takes: [{ pictures: await made({ bPictures: 2, openGops: true, seconds: 4 }) }] }),
  'another picture size in mid-stream': async () =>
    stream({ takes: [{ pictures: plain, times: 3 }, { pictures: other }] }),
  'a description with the parameter sets of another stream': async () =>
    stream({ described: described(other) }),
  'a description without parameter sets': async () => stream({ described: null }),
  'parameter sets in its description only': async () => stream({ parameterSets: 'described-only' }),
  'no end marks at all': async () =>
    stream({ rewrite: (packets) => packets.map((packet) => ({ ...packet, marker: false })) }),
  'packets that are lost': async () =>
    stream({ rewrite: (packets, index) => (index % 15 === 7 ? packets.slice(1) : packets) }),
  'a clock that steps back by an hour': async () =>
    stream({ stamp: (trueS) => (trueS < LATER / FPS ? trueS : trueS - 3600) }),
};

describe('cameras that send H.265', { concurrency: 4 }, () => {
  for (const [what, make] of Object.entries(CAMERAS))
    test(`of a camera of H.265 with ${what} every clip decodes, lasts what is said of it, and is judged`, async (t) => {
      const sub = stream();
      const { live, sent, record, clips } = await watchMade(t, { main: await make(), sub });
      await live();
      await sent(LATER - 15);
      const all = /mid-stream/.test(what) ? await clips(3) : await record();
      assert.ok(all.length > 0);
      for (const clip of all) {
        await assertWholeClip(clip);
        assert.deepEqual((await probe(clip.file)).codecs, ['hevc']);
        const { verdict, reason } = await judge(clip);
        assert.ok(verdict === 'nothing' || /lost/.test(what), reason);
      }
    });

  test('what is recorded when the picture size of H.265 changes goes on in a clip of the new size', async (t) => {
    const main = stream({ takes: [{ pictures: plain, times: 4 }, { pictures: other }] });
    const still: MadeStream = stream({ takes: [{ pictures: [plain[0] ?? assert.fail()] }] });
    const { live, sent, capture, clips } = await watchMade(t, { main, sub: still });
    await live();
    await sent(65);
    await capture.recordNow('gate', AbortSignal.timeout(120_000));
    const sizes = [];
    for (const { file } of await clips(2)) sizes.push([...new Set(await decodedSizes(file))]);
    assert.deepEqual(sizes, [['320,180'], ['160,120']]);
  });

  test('one stream may be H.265 and the other H.264, either way round', async (t) => {
    for (const [main, sub, codec] of [
      [plain, h264, 'hevc'],
      [h264, plain, 'h264'],
    ] as const) {
      const { rig, live, record } = await watchMade(t, {
        main: stream({ takes: [{ pictures: main }] }),
        sub: stream({ takes: [{ pictures: sub }] }),
      });
      await live();
      await until('a movement', () => rig.kept.some(({ cause }) => cause.kind === 'picture'));
      for (const clip of await record()) {
        await assertWholeClip(clip);
        assert.deepEqual((await probe(clip.file)).codecs, [codec]);
      }
    }
  });

  for (const [called, pictures] of [
    ['H264', () => plain],
    ['H265', () => h264],
  ] as const)
    test(`a camera that calls its pictures ${called} and sends others is waited for, and what is missing is said`, async (t) => {
      const timings = { heartbeatMs: 200, stalledMs: 4000, giveUpMs: 7000, killMs: 20_000, connectMs: 7000 };
      const main = stream({ takes: [{ pictures: pictures() }], calls: called, described: null });
      const { capture, rig } = await watchMade(t, { main, sub: stream(), timings });
      const said = await until('a sentence', () => {
        const [status] = capture.status();
        return status?.state !== 'live' && status?.detail ? status.detail : undefined;
      });
      assert.match(said, /key frame/);
      assert.deepEqual(
        rig.kept.filter(({ written }) => written),
        [],
      );
    });
});
