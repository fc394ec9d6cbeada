import type { BusMessage } from './child/gstreamer.ts';

export type StreamName = 'main' | 'sub';

/** Why a camera shows nothing, as its state has it. unreachable: nothing answers, or the connection broke · refused: it
 *  answers, and does not let us in · unsupported: what it is or sends cannot be used. */
export type Absence = 'unreachable' | 'refused' | 'unsupported';

export const OFF = 'no connection; the camera is off, not in this network, or has another address';
export const BROKE_OFF = 'the camera broke off the connection';
export const NO_ANSWER = 'the camera does not answer';
export const NO_STREAM = 'the camera describes no stream at this address';
export const NOT_RTSP = 'what answers there does not speak RTSP; is it the address of the camera?';
export const NOT_TRUSTED = "the camera's certificate is not trusted; give it one that is, or use rtsp://";
export const NO_TLS = 'the camera does not speak TLS at this port; try rtsp:// instead of rtsps://';
export const OLD_TLS = 'no encrypted connection to the camera comes about; is its firmware old?';
export const NOT_VALID_TODAY =
  "the camera's certificate is not valid today; look at its clock, at ours, and at the certificate";
export const OTHER_NAME = "the camera's certificate is for another name than this address";
export const WEB_SERVER =
  'a web server answers there, not a camera; give the port of RTSP, which is 554 for most cameras';

/** Said of something that answers, but not as a camera that we can use. */
const UNUSABLE: ReadonlySet<string> = new Set([
  NO_STREAM,
  NOT_RTSP,
  NOT_TRUSTED,
  NO_TLS,
  OLD_TLS,
  NOT_VALID_TODAY,
  OTHER_NAME,
  WEB_SERVER,
]);

/** @param what why there is no connection, or no more: one of the sentences of this file or of the network */
export const absenceOf = (what: string): Absence => (UNUSABLE.has(what) ? 'unsupported' : 'unreachable');

/** What GStreamer says of a stream that it cannot decode, and what it means. The first that fits counts. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/not-linked|not-negotiated/, 'the stream is not what the camera calls it, or changed its picture size'],
  [/no valid frames|fail(?:ed|ure)? to decode|could not decode/i, 'its pictures cannot be decoded'],
  [/no element|missing (?:a )?plug-?in/i, 'a part of GStreamer is not installed'],
];
const UNKNOWN = 'the stream cannot be read; what GStreamer says is in the log';

/** What GStreamer says of an error, in one line, for the log. */
export const wordsOf = ({ message = '', debug = '' }: BusMessage): string =>
  `${message} ${debug}`.replaceAll(/\s+/g, ' ').trim().slice(0, 500);

/** One sentence for a person. Never holds anything that GStreamer says. */
export function describeDecoderError(cameraId: string, stream: StreamName, error: BusMessage): string {
  const said = `${error.message ?? ''}\n${lastLine(error)}`;
  const [, meaning = UNKNOWN] = MEANINGS.find(([pattern]) => pattern.test(said)) ?? [];
  return describe(cameraId, stream, meaning);
}

export const LOGIN_MISSING = '401, the camera wants a login and none is configured';

/** @param what a sentence without its subject */
export const describe = (cameraId: string, stream: StreamName, what: string): string =>
  `camera ${cameraId}, ${stream} stream: ${what}`;

/** @param encoding the RTP encoding name, like `MP4V-ES` */
export const codecSentence = (stream: StreamName, encoding: string): string =>
  `it is ${plainCodec(encoding)}, but only H.264 and H.265 can be ${
    stream === 'main' ? 'recorded' : 'watched'
  }; set the camera to H.264`;

const plainCodec = (encoding: string): string =>
  ({ JPEG: 'MJPEG', 'MP4V-ES': 'MPEG-4' })[encoding.toUpperCase()] ??
  encoding.replaceAll(/[^\w.-]/g, '').slice(0, 20);

/** `debug` ends in a line that names the cause; before it stand files and elements. */
const lastLine = ({ debug = '' }: BusMessage): string => debug.split('\n').at(-1) ?? '';
