import { typeOf } from './made-pictures.ts';
import type { MadeStream } from './made-stream.ts';

/** The session description (SDP) of a stream. The pictures are `track1`, the n-th of the other tracks `track(n + 2)`. */
export function describe({ described, takes, fps, tracks = [] }: MadeStream): string {
  const units = takes[0]?.pictures[0]?.units ?? [];
  const find = (type: number) => units.find((unit) => typeOf(unit) === type);
  const sets = described === undefined ? { sps: find(7), pps: find(8) } : described;
  const sprop =
    sets?.sps && sets.pps
      ? `;profile-level-id=${sets.sps.toString('hex', 1, 4)};sprop-parameter-sets=${sets.sps.toString('base64')},${sets.pps.toString('base64')}`
      : '';
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
    'a=rtpmap:96 H264/90000',
    `a=framerate:${fps}`,
    `a=fmtp:96 packetization-mode=1${sprop}`,
    'a=control:track1',
    ...others(false),
    '',
  ].join('\r\n');
}
