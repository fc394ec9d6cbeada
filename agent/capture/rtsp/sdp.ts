import type { Encoding } from '../packing/coding.ts';
import { ENCODINGS } from '../packing/codings.ts';

/** RTP payload types that need no `a=rtpmap` (RFC 3551). */
const STATIC: Readonly<Record<string, string>> = { '26': 'JPEG', '31': 'H261', '32': 'MPV', '34': 'H263' };

/** The RTP encoding names of the pictures that a session description offers, upper case, like `H264`. A stream whose
 *  codec it does not name is left out. Text of any kind is read; nothing is thrown.
 *  @returns undefined when it is no session description, or offers no pictures */
export function pictureCodecs(sdp: string): readonly string[] | undefined {
  const [, ...media] = sections(sdp);
  const pictures = media.filter(isVideo);
  if (pictures.length === 0) return undefined;
  return pictures.flatMap((section) => codecOf(section) ?? []);
}

/** The first one is about the session, each other one about one of its streams. */
const sections = (sdp: string): string[] => sdp.split(/^(?=m=)/m);
const isVideo = (section: string): boolean => section.startsWith('m=video ');

function codecOf(section: string): string | undefined {
  const format = /^m=video \S+ \S+ (\d+)/.exec(section)?.[1] ?? '';
  const named = new RegExp(`^a=rtpmap:${format} +([^/\\s]+)/`, 'm').exec(section)?.[1] ?? STATIC[format];
  return named?.toUpperCase();
}

/** A stream of pictures that can be asked for. */
export interface PictureTrack {
  readonly encoding: Encoding;
  /** Its address, or the part of it behind that of the description; empty: it has none of its own. */
  readonly control: string;
  /** Address of all streams of the description together; undefined: that of the description itself. */
  readonly allControl: string | undefined;
  readonly payloadType: number;
  readonly clockRate: number;
  /** NAL units that the description names, without start codes. */
  readonly parameterSets: readonly Buffer[];
}

const USUAL_RATE = 90_000;
const MAX_SETS = 64;

/** The first stream of a session description that can be recorded: of H.264 if there is one, otherwise of H.265.
 *  @returns undefined: it has none */
export function pictureTrack(sdp: string): PictureTrack | undefined {
  for (const encoding of ENCODINGS) {
    const track = trackOf(sdp, encoding);
    if (track) return track;
  }
  return undefined;
}

function trackOf(sdp: string, encoding: Encoding): PictureTrack | undefined {
  const [session = '', ...media] = sections(sdp);
  for (const section of media.filter(isVideo)) {
    const formats = /^m=video \S+ \S+ ([\d ]+)/.exec(section)?.[1]?.trim().split(/ +/) ?? [];
    for (const format of formats) {
      const rate = new RegExp(`^a=rtpmap:${format} +${encoding}/(\\d+)`, 'im').exec(section)?.[1];
      if (rate === undefined) continue;
      const parameters = new RegExp(`^a=fmtp:${format} +(.*)$`, 'm').exec(section)?.[1] ?? '';
      const all = controlOf(session);
      return {
        encoding,
        control: controlOf(section),
        allControl: /^rtsps?:/i.test(all) ? all : undefined,
        payloadType: Number(format),
        clockRate: Number(rate) || USUAL_RATE,
        parameterSets: setsOf(parameters, encoding),
      };
    }
  }
  return undefined;
}

const controlOf = (section: string): string => {
  const control = /^a=control:(.*)$/m.exec(section)?.[1]?.trim() ?? '';
  return control === '*' ? '' : control;
};

/** RFC 6184, 8.1, and RFC 7798, 7.1. */
const SETS_IN: Readonly<Record<Encoding, readonly string[]>> = {
  H264: ['sprop-parameter-sets'],
  H265: ['sprop-vps', 'sprop-sps', 'sprop-pps'],
};

const setsOf = (parameters: string, encoding: Encoding): Buffer[] =>
  SETS_IN[encoding]
    .flatMap((name) => (new RegExp(`${name}=([^;\\s]+)`, 'i').exec(parameters)?.[1] ?? '').split(','))
    .slice(0, MAX_SETS)
    .map((set) => Buffer.from(set, 'base64'))
    .filter((set) => set.length > 0);
