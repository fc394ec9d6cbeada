import { type MadeCoding, setsOf } from './made-pictures.ts';
import type { MadeStream } from './made-stream.ts';

/** The session description (SDP) of a stream. The pictures are `track1`, the n-th of the other tracks `track(n + 2)`. */
export function describe({ described, calls, takes, fps, tracks = [] }: MadeStream): string {
  const first = takes[0]?.pictures[0];
  const coding = calls ?? first?.coding ?? 'H264';
  const own = first ? setsOf(first) : [];
  const given = described === null ? [] : described && [described.vps, described.sps, described.pps];
  const sets = (given ?? own).filter((set) => set !== undefined);
  const others = (first: boolean) =>
    tracks.flatMap((track, index) =>
      (track.first ?? false) === first ? [...track.described, `a=control:track${index + 2}`] : [],
    );
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=made',
    't=0 0',
    'a=control:*',
    ...others(true),
    'm=video 0 RTP/AVP 96',
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:96 ${coding}/90000`,
    `a=framerate:${fps}`,
    `a=fmtp:96 ${FORMAT[coding](sets)}`,
    'a=control:track1',
    ...others(false),
    '',
  ].join('\r\n');
}

/** What the description says of its parameter sets: RFC 6184, 8.1, and RFC 7798, 7.1. */
const FORMAT: Readonly<Record<MadeCoding, (sets: readonly Buffer[]) => string>> = {
  H264: (sets) => {
    const [sps] = sets;
    const level = sps ? `;profile-level-id=${sps.toString('hex', 1, 4)}` : '';
    const all = sets.map((set) => set.toString('base64')).join(',');
    return `packetization-mode=1${level}${all && `;sprop-parameter-sets=${all}`}`;
  },
  H265: (sets) => {
    const of = (type: number) => sets.filter((set) => (((set[0] ?? 0) >> 1) & 0x3f) === type);
    const all = (['vps', 'sps', 'pps'] as const).flatMap((name, index) => {
      const found = of(32 + index).map((set) => set.toString('base64'));
      return found.length > 0 ? [`sprop-${name}=${found.join(',')}`] : [];
    });
    return ['tx-mode=SRST', ...all].join(';');
  },
};
