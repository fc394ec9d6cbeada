import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { makePictures, type MadePicture } from '../../../hardware/simulators/camera/made-pictures.ts';
import type { MadeStream, MadeTrack } from '../../../hardware/simulators/camera/made-stream.ts';
import { payloadsOf } from '../../../hardware/simulators/camera/rtp-packets.ts';
import { probe, until } from './capture-rig.ts';
import { assertWholeClip, decodedSizes, judge, watchMade } from './rig/made-rig.ts';

const FPS = 10;
let large: MadePicture[];
let small: MadePicture[];

before(async () => {
  large = await makePictures({ fps: FPS, seconds: 2 });
  small = await makePictures({ fps: FPS, seconds: 2, width: 320, height: 240 });
});

const pcmu: MadeTrack = {
  described: ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'],
  payloadType: 0,
  clockRate: 8000,
  perSecond: 50,
  payloads: (index) => [Buffer.alloc(160, 0x80 + (index % 64))],
};

/** A second of silence is one unit of 1024 samples again and again: RFC 3640 with one header a packet. */
const aac: MadeTrack = {
  described: [
    'm=audio 0 RTP/AVP 97',
    'a=rtpmap:97 MPEG4-GENERIC/16000/1',
    'a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408',
  ],
  payloadType: 97,
  clockRate: 16_000,
  perSecond: 15.625,
  payloads: () => [Buffer.from([0x00, 0x10, 0x00, 6 << 3, 0x01, 0x40, 0x22, 0x80, 0xa3, 0x7e])],
};

const metadata: MadeTrack = {
  described: ['m=application 0 RTP/AVP 107', 'a=rtpmap:107 vnd.onvif.metadata/90000', 'a=recvonly'],
  payloadType: 107,
  clockRate: 90_000,
  perSecond: 5,
  payloads: (index) => [
    Buffer.from(
      `<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">${index}</tt:MetadataStream>`,
    ),
  ],
};

/** Another stream of pictures beside the one that is asked for. */
const otherPictures = (pictures: readonly MadePicture[], payloadType = 96): MadeTrack => ({
  described: [
    `m=video 0 RTP/AVP ${payloadType}`,
    `a=rtpmap:${payloadType} H264/90000`,
    `a=fmtp:${payloadType} packetization-mode=1`,
  ],
  payloadType,
  clockRate: 90_000,
  perSecond: FPS,
  payloads: (index) =>
    (pictures[index % pictures.length] as MadePicture).units.flatMap((unit) => payloadsOf(unit)),
});

const h265: MadeTrack = {
  described: ['m=video 0 RTP/AVP 98', 'a=rtpmap:98 H265/90000'],
  payloadType: 98,
  clockRate: 90_000,
  perSecond: FPS,
  payloads: () => [Buffer.from([0x26, 0x01, ...Array.from({ length: 500 }, (_, at) => at % 250)])],
};

const nothingComes = (track: MadeTrack): MadeTrack => ({ ...track, perSecond: 0.001 });
const first = (track: MadeTrack): MadeTrack => ({ ...track, first: true });

const OFFERS: Record<string, () => readonly MadeTrack[]> = {
  'sound as PCMU': () => [pcmu],
  'sound as AAC, named before its pictures': () => [first(aac)],
  'metadata of ONVIF': () => [metadata],
  'sound of which nothing comes': () => [nothingComes(pcmu)],
  'sound, metadata and pictures as H.265 beside': () => [first(h265), pcmu, metadata],
  'smaller pictures beside': () => [otherPictures(small)],
  'smaller pictures beside, with a number of their own': () => [otherPictures(small, 100)],
};

describe('what cameras offer beside their pictures', { concurrency: 4 }, () => {
  for (const [what, offer] of Object.entries(OFFERS))
    test(`of a camera that offers ${what} its pictures are watched and recorded, and nothing else`, async (t) => {
      const tracks = offer();
      const main: MadeStream = { fps: FPS, takes: [{ pictures: large }], tracks };
      const { rig, live, sent, record, capture, camera } = await watchMade(t, { main, sub: main });
      await live();
      await sent(45);
      const sinceMs = Date.now();
      await until('a movement', () =>
        rig.kept.some(({ triggeredMs, cause }) => triggeredMs > sinceMs && cause.kind === 'picture'),
      );
      assert.equal(capture.status()[0]?.state, 'live');
      for (const clip of await record()) {
        await assertWholeClip(clip);
        assert.deepEqual((await probe(clip.file)).codecs, ['h264']);
        assert.deepEqual([...new Set(await decodedSizes(clip.file))], ['640,360']);
        assert.equal((await judge(clip)).verdict, 'nothing');
      }
      assert.equal(camera.plays('main'), 1, 'it was connected anew');
    });
});
