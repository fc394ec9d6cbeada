import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { CameraCredential } from '@dachawatch/contracts';
import { openSocket } from './rtsp-client.ts';
import { createRtspFramer, headerOf, type RtspMessage, withoutHeaders } from './rtsp-framer.ts';
import { authorize, type Challenge, readChallenges } from './rtsp-login.ts';
import { withOneStream } from './sdp.ts';

export interface Relay {
  /** What the RTSP source is given instead of the camera's address. */
  readonly address: string;
  close(): void;
}

/** Where a camera says nothing: RFC 2326, 12.37. */
const SESSION_S = 60;
/** Our own requests are told from those of the RTSP source by their numbers. */
const OWN_CSEQ = 1_000_000;
const AUTHORITY = /rtsps?:\/\/[^/\s;,"]+/gi;

/** Stands between GStreamer's RTSP source and a camera that the source cannot serve: it logs in with SHA-256, asks
 *  something before each session runs out, which the source of GStreamer 1.22 does not while pictures flow, and offers
 *  one of several streams of pictures, where the source would take and mix them all.
 *  Invariants
 *  1. Only who knows the address is served, on the loopback; a connection to the camera lives as long as its own.
 *  2. Pictures pass unchanged. What has not been read holds the camera back.
 *  3. A login that is refused is told at once, and in a way that the source does not repeat. */
export async function openRelay(
  camera: string,
  credential: CameraCredential | null,
  keepAliveShare = 0.5,
): Promise<Relay> {
  const remote = new URL(camera);
  const remoteBase = `${remote.protocol}//${remote.host}`;
  const rest = camera.replace(/^rtsps?:\/\/[^/?]*/i, '');
  const token = randomBytes(16).toString('hex');
  const sockets = new Set<Socket>();
  const server = createServer((source) => serve(source));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const localBase = `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/${token}`;

  function serve(source: Socket): void {
    let upstream: Socket | undefined;
    let challenges: readonly Challenge[] = [];
    let asked: { readonly message: RtspMessage; tries: number } | undefined;
    let session: { readonly id: string; readonly uri: string; timeoutS: number } | undefined;
    let beats = 0;
    let beatBy = 'GET_PARAMETER';
    let beating: NodeJS.Timeout | undefined;
    const end = () => {
      clearInterval(beating);
      source.destroy();
      upstream?.destroy();
      sockets.delete(source);
    };
    sockets.add(source);
    source.on('error', end).on('close', end);

    const authorization = (method: string, uri: string): string[] => {
      if (!credential || challenges.length === 0) return [];
      const value = authorize({ challenges, credential, method, uri, sha256: true });
      return value === undefined ? [] : [`Authorization: ${value}`];
    };

    function send({ start, lines, body }: RtspMessage): void {
      const [method = '', uri = '', version = ''] = start.split(' ');
      const there = uri.replace(localBase, remoteBase);
      const head = [`${method} ${there} ${version}`, ...withoutHeaders(lines, ['authorization'])];
      upstream?.write(
        Buffer.concat([
          Buffer.from(`${[...head, ...authorization(method, there)].join('\r\n')}\r\n\r\n`, 'latin1'),
          body,
        ]),
      );
    }

    function fromSource(message: RtspMessage): void {
      if (message.start.startsWith('RTSP/')) return pass(upstream, message);
      if (!message.start.split(' ')[1]?.startsWith(localBase)) return end();
      upstream ??= reach();
      asked = { message, tries: 0 };
      send(message);
    }

    function reach(): Socket {
      const socket = openSocket(remote);
      const framer = createRtspFramer({
        frames: (bytes) => {
          if (!source.write(bytes)) socket.pause();
        },
        message: fromCamera,
      });
      source.on('drain', () => socket.resume());
      socket.on('data', (chunk: Buffer) => {
        if (!framer.push(chunk)) end();
      });
      return socket.on('error', end).on('close', end);
    }

    function fromCamera(message: RtspMessage): void {
      const status = Number(/^RTSP\/\d\.\d (\d{3})/.exec(message.start)?.[1] ?? 0);
      if (Number(headerOf(message, 'cseq')) > OWN_CSEQ) {
        // What a camera does not know it says; there are others that it must know.
        if (status >= 400 && status !== 401) beatBy = 'OPTIONS';
        if (status === 401) challenges = challengesOf(message);
        return;
      }
      if (status === 0) return pass(source, message);
      if (status === 401 && asked && credential) {
        const first = asked.tries === 0 && !answers(challenges, message);
        challenges = challengesOf(message);
        const [method = '', uri = ''] = asked.message.start.split(' ');
        if ((first || isStale(challenges)) && asked.tries++ < 2 && authorization(method, uri).length > 0)
          return send(asked.message);
      }
      noteSession(message, status);
      const lines = withoutHeaders(message.lines, ['www-authenticate', 'content-length']).map(towardsSource);
      const text = message.body.toString('latin1');
      const isDescription = asked?.message.start.startsWith('DESCRIBE ') ?? false;
      const body = Buffer.from(towardsSource(isDescription ? withOneStream(text) : text), 'latin1');
      pass(source, { start: message.start, lines: [...lines, ...lengthOf(body)], body });
    }

    function noteSession(message: RtspMessage, status: number): void {
      const [id = '', ...parameters] = (headerOf(message, 'session') ?? '').split(';');
      if (status !== 200 || id === '' || !asked) return;
      const said = Number(/timeout=(\d+)/i.exec(parameters.join(';'))?.[1] ?? 0);
      const [method, uri = ''] = asked.message.start.split(' ');
      session = {
        id,
        uri: uri.replace(localBase, remoteBase),
        timeoutS: said > 0 ? said : (session?.timeoutS ?? SESSION_S),
      };
      if (method !== 'PLAY') return;
      clearInterval(beating);
      beating = setInterval(beat, session.timeoutS * 1000 * keepAliveShare);
    }

    function beat(): void {
      if (!session) return;
      const { uri, id } = session;
      const head = [`${beatBy} ${uri} RTSP/1.0`, `CSeq: ${OWN_CSEQ + ++beats}`, `Session: ${id}`];
      upstream?.write(`${[...head, ...authorization(beatBy, uri)].join('\r\n')}\r\n\r\n`);
    }

    const framer = createRtspFramer({ frames: (bytes) => void upstream?.write(bytes), message: fromSource });
    source.on('data', (chunk: Buffer) => {
      if (!framer.push(chunk)) end();
    });
  }

  /** Addresses in an answer lead back here, whatever name the camera gives itself. */
  const towardsSource = (text: string) => text.replaceAll(AUTHORITY, localBase);

  return {
    address: `${localBase}${rest}`,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const pass = (to: Socket | undefined, { start, lines, body }: RtspMessage): void => {
  to?.write(Buffer.concat([Buffer.from(`${[start, ...lines].join('\r\n')}\r\n\r\n`, 'latin1'), body]));
};
const lengthOf = (body: Buffer): string[] => (body.length > 0 ? [`Content-Length: ${body.length}`] : []);
const challengesOf = ({ lines }: RtspMessage): Challenge[] =>
  readChallenges(
    lines.flatMap((line) => {
      const value = /^www-authenticate:\s*(.*)$/i.exec(line)?.[1];
      return value === undefined ? [] : [value];
    }),
  );
const nonces = (challenges: readonly Challenge[]) =>
  challenges.map(({ parameters }) => parameters.get('nonce')).join();
/** The refused request was signed with what this refusal asks for: the login is wrong. */
const answers = (before: readonly Challenge[], message: RtspMessage): boolean =>
  before.length > 0 && nonces(before) === nonces(challengesOf(message));
const isStale = (challenges: readonly Challenge[]): boolean =>
  challenges.some(({ parameters }) => parameters.get('stale')?.toLowerCase() === 'true');
