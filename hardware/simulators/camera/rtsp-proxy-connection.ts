/** One connection to the RTSP proxy: login, answers, misbehaviour, and the connection to the camera behind it. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { challenges, judgeLogin, type LoginScheme, type LoginVerdict } from './rtsp-login.ts';
import { createRequestCutter, type RtspRequest } from './rtsp-request-cutter.ts';

/** accept: before a byte was read. */
export type ProxyPhase = 'accept' | 'OPTIONS' | 'DESCRIBE' | 'SETUP' | 'PLAY' | 'GET_PARAMETER' | 'TEARDOWN';
/** Another answer than a camera's: a status, a reset, silence, or these bytes. */
export type Misbehaviour = number | 'reset' | 'silence' | Buffer;

/** How the proxy behaves now. */
export interface ProxyBehaviour {
  /** Without one everybody may enter. */
  readonly login?: { readonly username: string; readonly password: string };
  /** What the camera offers, in this order. Default: md5. */
  readonly schemes?: readonly LoginScheme[];
  /** After so many wrong logins nobody gets in any more, the right login neither. */
  readonly lockAfter?: number;
  readonly answers?: Readonly<Partial<Record<ProxyPhase, Misbehaviour>>>;
  /** Where 301 and 302 point to. */
  readonly location?: string;
  /** Announced with SETUP; who sends no request for so long is cut off, whatever RTCP says. */
  readonly sessionTimeoutS?: number;
  readonly sdp?: string;
  /** The port of a simulated camera that has the pictures. */
  readonly cameraPort?: number;
}

export interface ProxyConnectionDeps {
  /** Asked at each request: it may change in between. */
  readonly behaviour: () => ProxyBehaviour;
  /** @returns how many logins were wrong so far, this one with them */
  readonly onRequest: (request: { method: string; path: string; login: LoginVerdict }) => number;
  /** It was cut off because its session had run out. */
  readonly onExpired: () => void;
}

const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=proxy',
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

export function serveProxyConnection(socket: Socket, deps: ProxyConnectionDeps): void {
  const { behaviour, onRequest, onExpired } = deps;
  // A nonce of its own for each connection, as many cameras have it.
  const nonce = randomBytes(12).toString('hex');
  const camera = connectToCamera(socket, behaviour);
  let playing: NodeJS.Timeout | undefined;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(playing);
    camera.end();
  });
  const atOnce = behaviour().answers?.accept;
  if (atOnce !== undefined) return misbehave(atOnce, '0');
  const cut = createRequestCutter({
    onRequest: answerRequest,
    onInterleaved: (frame) => camera.interleaved(frame),
    onTooLarge: () => socket.destroy(),
  });
  socket.on('data', cut);

  function answerRequest(request: RtspRequest): void {
    const { method, uri, cseq, authorization } = request;
    const { login, schemes = ['md5'], lockAfter, answers, sessionTimeoutS, cameraPort, sdp } = behaviour();
    const verdict = login ? judgeLogin({ login, schemes, nonce, method, authorization }) : 'none';
    const path = URL.canParse(uri) ? new URL(uri).pathname : uri;
    const wrong = onRequest({ method, path, login: verdict });
    if (playing && sessionTimeoutS !== undefined) watchSession(sessionTimeoutS);
    const special = answers?.[method as ProxyPhase];
    const locked = lockAfter !== undefined && wrong >= lockAfter;
    if (login && method !== 'OPTIONS' && (verdict !== 'right' || locked))
      return answer(cseq, { status: 401, headers: challenges(schemes, nonce) });
    if (special !== undefined) return misbehave(special, cseq);
    if (method === 'PLAY' && sessionTimeoutS !== undefined) watchSession(sessionTimeoutS);
    if (cameraPort !== undefined) return camera.forward(request, cameraPort);
    answer(cseq, answerAlone(method, uri, { sdp, sessionTimeoutS }));
  }

  function misbehave(what: Misbehaviour, cseq: string): void {
    if (what === 'silence') return;
    if (what === 'reset') return void socket.resetAndDestroy();
    const { location } = behaviour();
    if (typeof what === 'number')
      return answer(cseq, {
        status: what,
        headers: location === undefined ? [] : [`Location: ${location}`],
      });
    socket.end(what);
  }

  function watchSession(seconds: number): void {
    clearTimeout(playing);
    playing = setTimeout(() => {
      onExpired();
      socket.destroy();
    }, seconds * 1000);
  }

  function answer(cseq: string, { status, headers, body = '' }: Answer): void {
    const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const start = `RTSP/1.0 ${status} ${REASONS[status] ?? 'Odd'}`;
    socket.write(`${[start, `CSeq: ${cseq}`, ...headers, ...length].join('\r\n')}\r\n\r\n${body}`);
  }
}

/** The simulated camera behind the proxy, connected to with the first request; both ends close together. */
function connectToCamera(socket: Socket, behaviour: () => ProxyBehaviour) {
  let upstream: Socket | undefined;
  /** The answer to SETUP is awaited: the proxy's session timeout goes into it. */
  let sessionAnswer = false;

  function open(port: number): Socket {
    const opened = connect(port, '127.0.0.1');
    opened.on('error', () => socket.destroy());
    opened.on('close', () => socket.destroy());
    opened.on('data', (chunk: Buffer) => {
      const out = sessionAnswer ? withTimeout(chunk) : chunk;
      if (!socket.write(out)) opened.pause();
    });
    socket.on('drain', () => opened.resume());
    return opened;
  }

  function withTimeout(chunk: Buffer): Buffer {
    const text = chunk.toString('latin1');
    if (!/^session:/im.test(text)) return chunk;
    sessionAnswer = false;
    const session = `$1;timeout=${behaviour().sessionTimeoutS}`;
    return Buffer.from(text.replace(/^(session:\s*[^;\r\n]+)[^\r\n]*/im, session), 'latin1');
  }

  return {
    forward({ method, bytes }: RtspRequest, port: number): void {
      upstream ??= open(port);
      if (method === 'SETUP' && behaviour().sessionTimeoutS !== undefined) sessionAnswer = true;
      upstream.write(bytes);
    },
    interleaved: (frame: Buffer) => upstream?.write(frame),
    end: () => upstream?.destroy(),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body?: string;
}

/** What a camera without pictures says. */
function answerAlone(
  method: string,
  uri: string,
  { sdp = SDP, sessionTimeoutS = 60 }: { sdp: string | undefined; sessionTimeoutS: number | undefined },
): Answer {
  const session = `Session: 4711;timeout=${sessionTimeoutS}`;
  switch (method) {
    case 'OPTIONS':
      return {
        status: 200,
        headers: ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN'],
      };
    case 'DESCRIBE':
      return {
        status: 200,
        headers: [`Content-Base: ${uri}/`, 'Content-Type: application/sdp'],
        body: sdp,
      };
    case 'SETUP':
      return {
        status: 200,
        headers: [session, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1'],
      };
    default:
      return { status: 200, headers: [session] };
  }
}
