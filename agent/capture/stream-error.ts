import type { BusMessage } from './child/gstreamer.ts';

export type StreamName = 'main' | 'sub';

export const OFF = 'no connection; the camera is off, not in this network, or has another address';
export const BROKE_OFF = 'the camera broke off the connection';
export const NO_ANSWER = 'the camera does not answer';
export const NO_STREAM = 'the camera describes no stream at this address';
export const NOT_RTSP = 'what answers there does not speak RTSP; is it the address of the camera?';
export const NOT_TRUSTED = "the camera's certificate is not trusted; give it one that is, or use rtsp://";

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
