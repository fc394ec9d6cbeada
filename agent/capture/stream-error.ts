import type { BusMessage } from './gstreamer.ts';
import { statusSentence } from './rtsp-status.ts';

export type StreamName = 'main' | 'sub';

export const OFF = 'no connection; the camera is off, not in this network, or has another address';
export const BROKE_OFF = 'the camera broke off the connection';
export const NO_ANSWER = 'the camera does not answer';
export const NO_STREAM = 'the camera describes no stream at this address';
export const NOT_RTSP = 'what answers there does not speak RTSP; is it the address of the camera?';
export const NOT_TRUSTED = "the camera's certificate is not trusted; give it one that is, or use rtsp://";

/** What GStreamer says, and what it means. The first that fits counts. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/no supported stream was found/i, statusSentence(461)],
  [/can ?not provide an SDP|SDP contains no streams|invalid SDP/i, NO_STREAM],
  [/TLS|certificate/i, NOT_TRUSTED],
  [/failed to connect|could not resolve|no route|unreachable|refused/i, OFF],
  [/parse error|not an? rtsp|invalid (?:data|message)/i, NOT_RTSP],
  [/time-?out|timed out/i, NO_ANSWER],
  [
    /end-of-file|closed the connection|could not (?:receive|send|read|write)|system error|connection reset/i,
    BROKE_OFF,
  ],
  [/not-linked|not-negotiated/, 'the stream is not H.264, or changed its picture size'],
  [/has no PTS/, "the camera's time stamps do not advance"],
  [/no valid frames|fail(?:ed|ure)? to decode|could not decode/i, 'its pictures cannot be decoded'],
  [/no element|missing (?:a )?plug-?in/i, 'a part of GStreamer is not installed'],
];
const UNKNOWN = 'the stream cannot be read; what GStreamer says is in the log';

/** `Unauthorized (401)`, `Error (403): Forbidden`. */
const STATUS = /\((\d{3})\)(?:\s*$|:)/m;

/** What GStreamer says of an error, in one line, for the log. */
export const wordsOf = ({ message = '', debug = '' }: BusMessage): string =>
  `${message} ${debug}`.replaceAll(/\s+/g, ' ').trim().slice(0, 500);

/** The camera refused the login in the middle: it was changed, or it asks later than others. */
export const isLoginRefusal = (error: BusMessage): boolean => statusOf(error) === 401;

/** The connection is over, and nothing says why. */
export const isBrokenOff = (error: BusMessage): boolean =>
  statusOf(error) === undefined && meaningOf(error) === BROKE_OFF;

/** One sentence for a person. Never holds an address or a login, nor anything else that GStreamer says. */
export function describeStreamError(
  cameraId: string,
  stream: StreamName,
  error: BusMessage,
  hasLogin = true,
): string {
  const status = statusOf(error);
  if (status === 401 && !hasLogin) return describe(cameraId, stream, LOGIN_MISSING);
  if (status !== undefined) return describe(cameraId, stream, statusSentence(status));
  return describe(cameraId, stream, meaningOf(error));
}

function meaningOf(error: BusMessage): string {
  const said = `${error.message ?? ''}\n${lastLine(error)}`;
  const [, meaning = UNKNOWN] = MEANINGS.find(([pattern]) => pattern.test(said)) ?? [];
  return meaning;
}

export const LOGIN_MISSING = '401, the camera wants a login and none is configured';

/** @param what a sentence without its subject */
export const describe = (cameraId: string, stream: StreamName, what: string): string =>
  `camera ${cameraId}, ${stream} stream: ${what}`;

/** @param encoding the RTP encoding name, like `H265` */
export const describeCodec = (cameraId: string, stream: StreamName, encoding: string): string =>
  describe(
    cameraId,
    stream,
    `it is ${plainCodec(encoding)}, but only H.264 can be ${
      stream === 'main' ? 'recorded' : 'watched'
    }; set the camera to H.264`,
  );

const plainCodec = (encoding: string): string =>
  ({ H265: 'H.265', JPEG: 'MJPEG', 'MP4V-ES': 'MPEG-4' })[encoding.toUpperCase()] ??
  encoding.replaceAll(/[^\w.-]/g, '').slice(0, 20);

/** `debug` ends in a line that names the cause; before it stand files and elements. */
const lastLine = ({ debug = '' }: BusMessage): string => debug.split('\n').at(-1) ?? '';

function statusOf(error: BusMessage): number | undefined {
  const status = STATUS.exec(lastLine(error))?.[1];
  return status === undefined ? undefined : Number(status);
}
