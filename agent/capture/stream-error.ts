import type { BusMessage } from './gstreamer.ts';

export type StreamName = 'main' | 'sub';

/** Status codes of RTSP (RFC 7826, 17) that a person at the camera can do something about. */
const STATUS: Readonly<Record<string, string>> = {
  '401': '401, the login is refused',
  '403': '403, the login may not see this stream',
  '404': '404, the camera has no stream at this address',
  '451': '451, the camera does not understand the address',
  '453': '453, the camera has too many viewers',
  '454': '454, the camera forgot the session',
  '461': '461, the camera does not send over TCP',
  '503': '503, the camera is too busy',
};

/** The text behind a bus error: `message` is general, `debug` ends in a line that names the cause. */
const cause = ({ message = '', debug = '' }: BusMessage): string =>
  (debug.split('\n').at(-1)?.trim() || message).slice(0, 200);

/** One sentence for a person. Never holds an address or a login. */
export function describeStreamError(
  cameraId: string,
  stream: StreamName,
  error: BusMessage,
  hasLogin = true,
): string {
  const where = `camera ${cameraId}, ${stream} stream`;
  const text = cause(error);
  const status = /\((\d{3})\)\s*$/.exec(text)?.[1];
  if (status === '401' && !hasLogin) return `${where}: 401, the camera wants a login and none is configured`;
  if (status) return `${where}: ${STATUS[status] ?? `${status}, the camera refuses`}`;
  if (/failed to connect/i.test(text))
    return `${where}: no connection; the camera is off, not in this network, or has another address`;
  if (/not-linked|not-negotiated/.test(text))
    return `${where}: the stream is not H.264, or changed its picture size`;
  if (/has no PTS/.test(text)) return `${where}: the camera's time stamps do not advance`;
  if (/TLS|certificate/i.test(text)) return `${where}: the camera's certificate is not trusted`;
  return `${where}: ${hideAddresses(text)}`;
}

/** @param encoding the RTP encoding name, like `H265` */
export const describeCodec = (cameraId: string, stream: StreamName, encoding: string): string =>
  `camera ${cameraId}, ${stream} stream: it is ${plainCodec(encoding)}, but only H.264 can be ${
    stream === 'main' ? 'recorded' : 'watched'
  }; set the camera to H.264`;

const plainCodec = (encoding: string): string =>
  ({ H265: 'H.265', JPEG: 'MJPEG', 'MP4V-ES': 'MPEG-4' })[encoding] ??
  encoding.replace(/[^\w.-]/g, '').slice(0, 20);

/** The error says that the stream's packets fitted no element: worth a look at its codec. */
export const isCodecDoubt = (error: BusMessage): boolean => /not-linked/.test(error.debug ?? '');

const hideAddresses = (text: string): string => text.replace(/rtsps?:\/\/\S+/gi, 'its address');
