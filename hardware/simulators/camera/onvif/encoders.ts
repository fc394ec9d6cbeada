import { attributeOf, escaped, textOf } from './soap.ts';

/** How a stream of a simulated camera is encoded. */
export interface Encoder {
  readonly encoding: 'H264' | 'H265' | 'JPEG';
  readonly widthPx: number;
  readonly heightPx: number;
  readonly framesPerSecond: number;
  /** Pictures from one key frame to the next. */
  readonly govLength: number;
  readonly kbps: number;
}

export interface OnvifProfile {
  readonly token: string;
  readonly name: string;
  readonly uri: string;
  readonly encoder: Encoder;
}

/** What the encoders of a simulated camera can do. */
export interface Abilities {
  readonly sizes: readonly (readonly [widthPx: number, heightPx: number])[];
  readonly frameRates: readonly number[];
}

const SIZES = [
  [1920, 1080],
  [1280, 720],
  [640, 480],
  [640, 360],
  [320, 180],
] as const;
export const USUAL: Abilities = { sizes: SIZES, frameRates: [1, 5, 10, 15, 25] };

const size = ({ widthPx, heightPx }: Encoder) =>
  `<tt:Resolution><tt:Width>${widthPx}</tt:Width><tt:Height>${heightPx}</tt:Height></tt:Resolution>`;

const common = (name: string, { encoding }: Encoder) =>
  `<tt:Name>${escaped(name)}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>${encoding}</tt:Encoding>`;

/** A VideoEncoderConfiguration of Media (ver10). */
export const encoderOfMedia1 = ({ name, encoder }: OnvifProfile): string =>
  `${common(name, encoder)}${size(encoder)}<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>${encoder.framesPerSecond}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${encoder.kbps}</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>${encoder.govLength}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264><tt:SessionTimeout>PT60S</tt:SessionTimeout>`;

/** … of Media2 (ver20), whose distance of key frames is an attribute. */
export const encoderOfMedia2 = ({ name, encoder }: OnvifProfile): string =>
  `${common(name, encoder)}${size(encoder)}<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>${encoder.framesPerSecond}</tt:FrameRateLimit><tt:BitrateLimit>${encoder.kbps}</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality>`;

export const encoderToken = ({ token }: OnvifProfile): string => `encoder-${token}`;

/** What SetVideoEncoderConfiguration wants. */
export function wantedEncoder(xml: string, old: Encoder): Encoder {
  const number = (name: string, before: number) => Number(textOf(xml, name) ?? before);
  return {
    encoding: (textOf(xml, 'Encoding') as Encoder['encoding'] | undefined) ?? old.encoding,
    widthPx: number('Width', old.widthPx),
    heightPx: number('Height', old.heightPx),
    framesPerSecond: number('FrameRateLimit', old.framesPerSecond),
    govLength: Number(
      attributeOf(xml, 'Configuration', 'GovLength') ?? textOf(xml, 'GovLength') ?? old.govLength,
    ),
    kbps: number('BitrateLimit', old.kbps),
  };
}

export const isPossible = (
  { widthPx, heightPx, framesPerSecond }: Encoder,
  { sizes, frameRates }: Abilities,
): boolean =>
  frameRates.includes(framesPerSecond) &&
  sizes.some(([width, height]) => width === widthPx && height === heightPx);
