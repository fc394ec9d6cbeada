import { isIPv6, connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates } from 'node:tls';
import { Failure } from '../../kernel/failure.ts';
import {
  BROKE_OFF,
  NO_ANSWER,
  NO_TLS,
  NOT_RTSP,
  NOT_TRUSTED,
  NOT_VALID_TODAY,
  OFF,
  OLD_TLS,
  OTHER_NAME,
  WEB_SERVER,
} from '../stream-error.ts';

export interface RtspAnswer {
  readonly status: number;
  /** Values of a header, by its name in lower case. */
  headers(name: string): readonly string[];
  readonly body: string;
}

/** One connection to a camera. */
export interface RtspConnection {
  /** @throws Failure transient `camera.rtsp`, in words for a person */
  ask(method: string, uri: string, headers: Readonly<Record<string, string>>): Promise<RtspAnswer>;
  /** The camera has closed it. */
  isClosed(): boolean;
  close(): void;
}

const PORTS = { 'rtsp:': 554, 'rtsps:': 322 } as const;
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 256 * 1024;
export const USER_AGENT = 'Dachawatch';

export const MOST_AT_ONCE = 64 * 1024;

/** A socket on its way to where an RTSP address points.
 *  @param receive takes what comes; the bytes may be written over when it returns. Where it returns false, nothing more
 *    is read before `resume` of the socket. Without it the socket's own `data` brings it. */
export function openSocket(address: URL, receive?: (bytes: Buffer) => boolean): Socket {
  const encrypted = address.protocol === 'rtsps:';
  const host = address.hostname.replaceAll(/^\[|\]$/g, '');
  const port = address.port === '' ? PORTS[encrypted ? 'rtsps:' : 'rtsp:'] : Number(address.port);
  if (!encrypted) {
    const target = { host, port, family: isIPv6(host) ? 6 : 0 };
    if (!receive) return connectTcp(target);
    // Into one buffer for all, and past the queue of a stream: a good part of what reading costs.
    const buffer = Buffer.alloc(MOST_AT_ONCE);
    return connectTcp({
      ...target,
      onread: { buffer, callback: (bytes) => receive(buffer.subarray(0, bytes)) },
    });
  }
  // GStreamer trusts what the system trusts, and so do we.
  const ca = getCACertificates('system');
  const socket = connectTls({ host, port, ca, ...(isIP(host) === 0 ? { servername: host } : {}) });
  return receive
    ? socket.on('data', (bytes: Buffer) => {
        // One record; the others of the same reading come before that.
        if (!receive(bytes)) setImmediate(() => socket.pause());
      })
    : socket;
}

/** Opens a connection to where an RTSP address points. The signal ends it, whatever it waits for.
 *  @throws Failure transient `camera.rtsp`, in words for a person */
export async function connectRtsp(address: URL, signal: AbortSignal): Promise<RtspConnection> {
  const encrypted = address.protocol === 'rtsps:';
  const socket = openSocket(address);
  let ended: Failure | undefined;
  let received: Buffer = Buffer.alloc(0);
  let wake = Promise.withResolvers<void>();
  const end = (what: string) => {
    ended ??= new Failure('transient', 'camera.rtsp', what);
    wake.resolve();
  };
  let reached = false;
  let open = false;
  const giveUp = () => {
    end(open ? NO_ANSWER : reached ? NO_TLS : OFF);
    socket.destroy();
  };
  signal.addEventListener('abort', giveUp, { once: true });
  socket.on('error', (error: NodeJS.ErrnoException) => end(networkSentence(error)));
  socket.on('close', () => {
    signal.removeEventListener('abort', giveUp);
    end(BROKE_OFF);
  });
  socket.on('end', () => end(BROKE_OFF));
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length > MAX_HEAD_BYTES + MAX_BODY_BYTES) {
      end(NOT_RTSP);
      socket.destroy();
    }
    wake.resolve();
  });
  socket.once('connect', () => {
    reached = true;
  });
  socket.once(encrypted ? 'secureConnect' : 'connect', () => {
    open = true;
    wake.resolve();
  });
  if (signal.aborted) giveUp();

  /** Waits until `look` finds something. What has arrived counts, also when the connection is over. */
  async function until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (ended) {
        socket.destroy();
        throw ended;
      }
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  }

  await until(() => open || undefined);
  let sequence = 0;
  return {
    ask: async (method, uri, headers) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const first = [`${method} ${uri} RTSP/1.0`, `CSeq: ${++sequence}`, `User-Agent: ${USER_AGENT}`];
      // An answer to nothing would be taken for that of the next question.
      received = Buffer.alloc(0);
      socket.write(`${[...first, ...lines].join('\r\n')}\r\n\r\n`);
      return await until(() => readAnswer(received));
    },
    isClosed: () => ended !== undefined,
    close: () => {
      socket.destroy();
    },
  };
}

/** @returns undefined while it is not whole
 *  @throws Failure transient `camera.rtsp` for what is no answer of RTSP */
export function readAnswer(received: Buffer): RtspAnswer | undefined {
  const start = received.toString('latin1', 0, 5);
  if ('RTSP/' !== start && !'RTSP/'.startsWith(start))
    throw new Failure('transient', 'camera.rtsp', strange(start));
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0 && received.length > MAX_HEAD_BYTES)
    throw new Failure('transient', 'camera.rtsp', NOT_RTSP);
  if (headEnd < 0) return undefined;
  const [line = '', ...rest] = received.toString('latin1', 0, headEnd).split('\r\n');
  const status = /^RTSP\/\d\.\d (\d{3})(?: |$)/.exec(line)?.[1];
  if (status === undefined) throw new Failure('transient', 'camera.rtsp', NOT_RTSP);
  const fields = rest.map((field): [string, string] => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim()];
  });
  const headers = (name: string) => fields.filter(([one]) => one === name).map(([, value]) => value);
  const length = Number(headers('content-length')[0] ?? 0);
  if (!Number.isInteger(length) || length < 0 || length > MAX_BODY_BYTES)
    throw new Failure('transient', 'camera.rtsp', NOT_RTSP);
  const body = received.subarray(headEnd + 4);
  if (body.length < length) return undefined;
  return { status: Number(status), headers, body: body.toString('utf8', 0, length) };
}

const strange = (start: string): string => (start.startsWith('HTTP/') ? WEB_SERVER : NOT_RTSP);

/** Errors of the system in words for a person; without the address, which is no secret but may be long. */
export function networkSentence({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ENOTFOUND' || code === 'EAI_NONAME' || code === 'EAI_NODATA')
    return 'no connection; nobody knows a host of this name';
  if (code === 'EAI_AGAIN' || code.startsWith('EAI_'))
    return 'no connection; the name server that knows the host does not answer';
  if (code === 'ECONNREFUSED')
    return 'no connection; the device is there, but nothing answers at this port: it is just starting, or its RTSP has another port';
  if (code === 'ECONNRESET' || code === 'EPIPE') return BROKE_OFF;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return NOT_VALID_TODAY;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return OTHER_NAME;
  if (/SSL|TLS|EPROTO/.test(code) && /wrong version|packet length|unexpected message/i.test(message))
    return NO_TLS;
  if (/CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(code)) return NOT_TRUSTED;
  if (/SSL|TLS|EPROTO/.test(code)) return OLD_TLS;
  return OFF;
}
