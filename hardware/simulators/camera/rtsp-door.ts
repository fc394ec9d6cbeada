/** The door of a camera: RTSP over TCP on 127.0.0.1, which asks for a login, counts who tries, and misbehaves as told.
 *  Behind it stands a simulated camera with real pictures, or nothing: then it answers by itself and sends none. */
import { randomBytes } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { challenges, judgeLogin, type LoginScheme, type LoginVerdict } from './rtsp-login.ts';

/** accept: before a byte was read. */
export type DoorPhase = 'accept' | 'OPTIONS' | 'DESCRIBE' | 'SETUP' | 'PLAY' | 'GET_PARAMETER' | 'TEARDOWN';

export interface DoorOptions {
  /** Without one everybody may enter. */
  readonly login?: { readonly username: string; readonly password: string };
  /** What the camera offers, in this order. Default: md5. */
  readonly schemes?: readonly LoginScheme[];
  /** After so many wrong logins nobody gets in any more, the right login neither. */
  readonly lockAfter?: number;
  /** Other answers than a camera's, by phase: a status, a reset, silence, or these bytes. */
  readonly answers?: Readonly<Partial<Record<DoorPhase, number | 'reset' | 'silence' | Buffer>>>;
  /** Where 301 and 302 point to. */
  readonly location?: string;
  /** Announced with SETUP; who sends no request for so long is cut off, whatever RTCP says. */
  readonly sessionTimeoutS?: number;
  readonly sdp?: string;
  /** The port of a simulated camera that has the pictures. */
  readonly cameraPort?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default 0: one that is free. */
  readonly port?: number;
}

export interface DoorRequest {
  readonly method: string;
  readonly path: string;
  readonly connection: number;
  readonly atMs: number;
  readonly login: LoginVerdict;
}

export interface RtspDoor {
  readonly mainUrl: string;
  readonly subUrl: string;
  readonly port: number;
  /** Everything asked so far, of all connections. */
  readonly requests: readonly DoorRequest[];
  connections(): number;
  wrongLogins(): number;
  /** Connections that were cut off because their session had run out. */
  expired(): number;
  /** From the next request on. */
  change(wish: DoorOptions): void;
  stop(): Promise<void>;
}

const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=door',
  't=0 0',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'c=IN IP4 0.0.0.0',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1',
  'a=control:track1',
  '',
].join('\r\n');

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  302: 'Found',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};
const DOLLAR = 0x24;
const MAX_REQUEST_BYTES = 64 * 1024;

export async function openDoor(first: DoorOptions): Promise<RtspDoor> {
  let wish = first;
  const requests: DoorRequest[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  let wrong = 0;
  let expired = 0;

  function serve(socket: Socket): void {
    const connection = ++count;
    // A nonce of its own for each connection, as many cameras have it.
    const nonce = randomBytes(12).toString('hex');
    let upstream: Socket | undefined;
    let sessionAnswer = false;
    let playing: NodeJS.Timeout | undefined;
    let pending: Buffer = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      clearTimeout(playing);
      upstream?.destroy();
    });
    if (wish.answers?.accept !== undefined) return misbehave(wish.answers.accept, '0');
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (pending.length > MAX_REQUEST_BYTES) {
        socket.destroy();
        return;
      }
      while (takeOne());
    });

    /** @returns whether there may be one more */
    function takeOne(): boolean {
      if (pending[0] === DOLLAR) {
        if (pending.length < 4 || pending.length < 4 + pending.readUInt16BE(2)) return false;
        const end = 4 + pending.readUInt16BE(2);
        upstream?.write(pending.subarray(0, end));
        pending = pending.subarray(end);
        return pending.length > 0;
      }
      const head = pending.indexOf('\r\n\r\n');
      if (head < 0) return false;
      const text = pending.toString('latin1', 0, head);
      const end = head + 4 + Number(/^content-length:\s*(\d+)/im.exec(text)?.[1] ?? 0);
      if (pending.length < end) return false;
      const bytes = pending.subarray(0, end);
      pending = pending.subarray(end);
      request(text, bytes);
      return pending.length > 0;
    }

    function request(text: string, bytes: Buffer): void {
      const [method = '', uri = ''] = text.split(' ', 2);
      const cseq = /^cseq:\s*(\d+)/im.exec(text)?.[1] ?? '0';
      const authorization = /^authorization:\s*(.*)$/im.exec(text)?.[1]?.trim();
      const { login, schemes = ['md5'] } = wish;
      const verdict = login ? judgeLogin({ login, schemes, nonce, method, authorization }) : 'none';
      if (verdict === 'wrong') wrong++;
      const path = URL.canParse(uri) ? new URL(uri).pathname : uri;
      requests.push({ method, path, connection, atMs: performance.now(), login: verdict });
      if (playing && wish.sessionTimeoutS !== undefined) watchSession(wish.sessionTimeoutS);
      const special = wish.answers?.[method as DoorPhase];
      const locked = wish.lockAfter !== undefined && wrong >= wish.lockAfter;
      if (login && method !== 'OPTIONS' && (verdict !== 'right' || locked))
        return answer(cseq, 401, challenges(schemes, nonce));
      if (special !== undefined) return misbehave(special, cseq);
      if (method === 'PLAY' && wish.sessionTimeoutS !== undefined) watchSession(wish.sessionTimeoutS);
      if (wish.cameraPort !== undefined) return forward(method, bytes);
      answerAlone(method, uri, cseq);
    }

    function misbehave(what: number | 'reset' | 'silence' | Buffer, cseq: string): void {
      if (what === 'silence') return;
      if (what === 'reset') return void socket.resetAndDestroy();
      if (typeof what === 'number')
        return answer(cseq, what, wish.location === undefined ? [] : [`Location: ${wish.location}`]);
      socket.end(what);
    }

    function watchSession(seconds: number): void {
      clearTimeout(playing);
      playing = setTimeout(() => {
        expired++;
        socket.destroy();
      }, seconds * 1000);
    }

    function forward(method: string, bytes: Buffer): void {
      if (!upstream) {
        upstream = connect(wish.cameraPort ?? 0, '127.0.0.1');
        upstream.on('error', () => socket.destroy());
        upstream.on('close', () => socket.destroy());
        upstream.on('data', (chunk: Buffer) => {
          const out = sessionAnswer ? withTimeout(chunk) : chunk;
          if (!socket.write(out)) upstream?.pause();
        });
        socket.on('drain', () => upstream?.resume());
      }
      if (method === 'SETUP' && wish.sessionTimeoutS !== undefined) sessionAnswer = true;
      upstream.write(bytes);
    }

    function withTimeout(chunk: Buffer): Buffer {
      const text = chunk.toString('latin1');
      if (!/^session:/im.test(text)) return chunk;
      sessionAnswer = false;
      const session = `$1;timeout=${wish.sessionTimeoutS}`;
      return Buffer.from(text.replace(/^(session:\s*[^;\r\n]+)[^\r\n]*/im, session), 'latin1');
    }

    function answerAlone(method: string, uri: string, cseq: string): void {
      const session = `Session: 4711;timeout=${wish.sessionTimeoutS ?? 60}`;
      switch (method) {
        case 'OPTIONS':
          return answer(cseq, 200, ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN']);
        case 'DESCRIBE':
          return answer(
            cseq,
            200,
            [`Content-Base: ${uri}/`, 'Content-Type: application/sdp'],
            wish.sdp ?? SDP,
          );
        case 'SETUP':
          return answer(cseq, 200, [session, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1']);
        default:
          return answer(cseq, 200, [session]);
      }
    }

    function answer(cseq: string, status: number, headers: readonly string[], body = ''): void {
      const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
      const start = `RTSP/1.0 ${status} ${REASONS[status] ?? 'Odd'}`;
      socket.write(`${[start, `CSeq: ${cseq}`, ...headers, ...length].join('\r\n')}\r\n\r\n${body}`);
    }
  }

  const server: Server = wish.tls ? createTlsServer(wish.tls, serve) : createServer(serve);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wish.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `${wish.tls ? 'rtsps' : 'rtsp'}://127.0.0.1:${port}`;
  return {
    mainUrl: `${url}/main`,
    subUrl: `${url}/sub`,
    port,
    requests,
    connections: () => count,
    wrongLogins: () => wrong,
    expired: () => expired,
    change: (next) => {
      wish = next;
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
