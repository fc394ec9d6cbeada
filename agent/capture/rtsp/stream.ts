import type { Socket } from 'node:net';
import type { CameraCredential } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { MOST_AT_ONCE, networkSentence, openSocket, USER_AGENT } from './client.ts';
import { createRtspFramer, headerOf, type RtspMessage } from './framer.ts';
import { authorize, type Challenge, challengesIn, isStale } from './login.ts';
import { statusSentence } from './status.ts';
import { type H264Track, h264Track } from './sdp.ts';
import { BROKE_OFF, LOGIN_MISSING, NO_STREAM, NOT_RTSP } from '../stream-error.ts';

/** Why a stream is over. */
export interface StreamEnd {
  /** A sentence for a person, without its subject. */
  readonly what: string;
  /** The camera refused the login. */
  readonly refused: boolean;
}

export interface RtspStream {
  /** Says farewell, if that can be done at once. */
  close(): void;
}

export interface RtspStreamDeps {
  readonly address: string;
  readonly credential: CameraCredential | null;
  /** Before the first packet. */
  onTrack(track: H264Track): void;
  /** One RTP packet: the bytes of `buffer` from `from` to `to`. */
  onPacket(buffer: Buffer, from: number, to: number): void;
  /** Once, save after `close`. */
  onEnd(end: StreamEnd): void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Where a camera says nothing: RFC 2326, 12.37. */
const SESSION_S = 60;
/** A router between us may forget the connection sooner. */
const LONGEST_S = 120;
const KEEP_ALIVE_SHARE = 0.5;
/** For cameras that count reports instead of requests. */
const REPORT_MS = 10_000;
/** Packets are fetched so often, of all streams at the same moments: most of what a packet costs is waking up for it. As
 *  often as the watched stream is looked at. */
const FETCH_MS = 200;
const RTP_CHANNEL = 0;
const TRANSPORT = `RTP/AVP/TCP;unicast;interleaved=${RTP_CHANNEL}-${RTP_CHANNEL + 1}`;
const TRIES = 3;

type Headers = Readonly<Record<string, string>>;

class Ended extends Error {
  readonly end: StreamEnd;
  constructor(what: string, refused = false) {
    super(what);
    this.end = { what, refused };
  }
}

/** Asks a camera for the H.264 stream at an address and receives its packets, over one connection (RTSP 1.0, RFC 2326,
 *  interleaved as in 10.12). Once the camera has described it, never connects again.
 *  Invariants
 *  1. A login that is refused is not sent again; it goes nowhere else than where a person sent it.
 *  2. Something is asked before each half of the session's time has passed, whatever else flows.
 *  3. Packets are handed on where they lie: nothing is copied, and nothing made for each of them. They come at most a
 *     fifth of a second late, and hold the camera back when they are not read. */
export function openRtspStream(deps: RtspStreamDeps): RtspStream {
  const { address, credential } = deps;
  let challenges: readonly Challenge[] = [];
  let sequence = 0;
  /** Takes the next answer. */
  let take: ((answer: RtspMessage) => void) | undefined;
  /** Asks again over another connection, if this one is closed instead of an answer. */
  let askAgain: (() => void) | undefined;
  let session: string | undefined;
  /** What all further requests ask about. */
  let aggregate = address;
  let channel = RTP_CHANNEL;
  let beatBy = 'GET_PARAMETER';
  const timers: NodeJS.Timeout[] = [];
  let playing = false;
  let fetch: NodeJS.Timeout | undefined;
  let over = false;
  let socket = connect();

  function connect(): Socket {
    const framer = createRtspFramer({ frames, message });
    const opened = openSocket(new URL(address), (bytes) => {
      if (over) return true;
      if (!framer.push(bytes)) end(new Ended(NOT_RTSP));
      // Less than fits into one reading: it is all there was.
      if (over || !playing || bytes.length >= MOST_AT_ONCE) return true;
      fetch ??= setTimeout(fetchMore, FETCH_MS - (deps.clock.monotonicMs() % FETCH_MS));
      return false;
    });
    const closed = (what: string) => {
      if (opened === socket) lost(what);
    };
    opened.setNoDelay(true);
    opened.on('error', (error) => closed(networkSentence(error)));
    return opened.on('end', () => closed(BROKE_OFF)).on('close', () => closed(BROKE_OFF));
  }

  function fetchMore(): void {
    fetch = undefined;
    socket.resume();
  }

  function lost(what: string): void {
    const again = askAgain;
    if (over || !again) return end(new Ended(what));
    askAgain = undefined;
    socket.destroy();
    socket = connect();
    again();
  }

  function end(why: Ended): void {
    if (over) return;
    finish();
    deps.onEnd(why.end);
  }

  function finish(): void {
    over = true;
    clearTimeout(fetch);
    for (const timer of timers) clearInterval(timer);
    socket.destroy();
  }

  /** Whole frames, one behind the other. */
  function frames(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const from = at + 4;
      const to = from + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
      if (bytes[at + 1] === channel) deps.onPacket(bytes, from, to);
      at = to;
    }
  }

  function message(received: RtspMessage): void {
    if (!received.start.startsWith('RTSP/')) return answerCamera(received);
    const status = statusOf(received);
    // 100, Continue.
    if (status < 200) return;
    if (take) return take(received);
    // What nobody waits for answers that which keeps the session alive.
    if (status === 401) challenges = challengesIn(received.lines);
    else if (status >= 400) beatBy = 'OPTIONS';
  }

  /** Some cameras ask whether we are still there. */
  function answerCamera(request: RtspMessage): void {
    const known = /^(?:OPTIONS|GET_PARAMETER|SET_PARAMETER) /.test(request.start);
    const status = known ? '200 OK' : '501 Not Implemented';
    socket.write(`RTSP/1.0 ${status}\r\nCSeq: ${headerOf(request, 'cseq') ?? 0}\r\n\r\n`);
  }

  function write(method: string, uri: string, headers: Headers): void {
    const login =
      credential && challenges.length > 0 ? authorize({ challenges, credential, method, uri }) : undefined;
    const lines = Object.entries({
      CSeq: String(++sequence),
      'User-Agent': USER_AGENT,
      ...(session === undefined ? {} : { Session: session }),
      ...(login === undefined ? {} : { Authorization: login }),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`);
    socket.write(`${[`${method} ${uri} RTSP/1.0`, ...lines].join('\r\n')}\r\n\r\n`);
  }

  async function exchange(method: string, uri: string, headers: Headers): Promise<RtspMessage> {
    const { promise, resolve } = Promise.withResolvers<RtspMessage>();
    take = resolve;
    write(method, uri, headers);
    const answer = await promise;
    take = undefined;
    askAgain = undefined;
    return answer;
  }

  /** @throws Ended for every answer but 200 */
  async function ask(method: string, uri: string, headers: Headers = {}): Promise<RtspMessage> {
    for (let tries = 1; ; tries++) {
      const answered = challenges;
      const answer = await exchange(method, uri, headers);
      const status = statusOf(answer);
      if (status === 200) return answer;
      if (status !== 401) throw new Ended(statusSentence(status));
      if (!credential) throw new Ended(LOGIN_MISSING);
      challenges = challengesIn(answer.lines);
      const speakable = authorize({ challenges, credential, method, uri }) !== undefined;
      if (!speakable || !(isStale(challenges) ? tries < TRIES : tries === 1 && isNew(challenges, answered)))
        throw new Ended(statusSentence(401), true);
      // Some close the connection with the challenge; later there is a session that would be lost with it.
      if (session === undefined) askAgain = () => write(method, uri, headers);
    }
  }

  async function converse(): Promise<void> {
    const described = await ask('DESCRIBE', address, { Accept: 'application/sdp' });
    const track = h264Track(described.body.toString('utf8'));
    if (!track) throw new Ended(NO_STREAM);
    const base =
      ['content-base', 'content-location']
        .map((name) => headerOf(described, name) ?? '')
        .find((value) => /^rtsps?:\/\//i.test(value)) ?? address;
    const { control, allControl } = track;
    const answer = await ask('SETUP', joined(base, control), { Transport: TRANSPORT });
    const transport = headerOf(answer, 'transport') ?? TRANSPORT;
    if (!/TCP|interleaved/i.test(transport)) throw new Ended(statusSentence(461));
    channel = Number(/interleaved=(\d+)/i.exec(transport)?.[1] ?? RTP_CHANNEL) & 0xff;
    const [id = '', ...parameters] = (headerOf(answer, 'session') ?? '').split(';');
    if (id !== '') session = id.trim();
    const saidS = Number(/timeout=(\d+)/i.exec(parameters.join(';'))?.[1] ?? 0);
    const timeoutS = Math.min(saidS || SESSION_S, LONGEST_S);
    aggregate = allControl ?? base;
    deps.onTrack(track);
    await ask('PLAY', aggregate, { Range: 'npt=0.000-' });
    if (over) return;
    playing = true;
    timers.push(setInterval(() => write(beatBy, aggregate, {}), timeoutS * 1000 * KEEP_ALIVE_SHARE));
    timers.push(setInterval(report, REPORT_MS));
  }

  /** An empty receiver report, and a name (RFC 3550, 6.4.2 and 6.5). */
  function report(): void {
    const bytes = Buffer.alloc(4 + REPORT.length);
    bytes.writeUInt32BE(0x2400_0000 + ((channel + 1) & 0xff) * 0x1_0000 + REPORT.length);
    REPORT.copy(bytes, 4);
    socket.write(bytes);
  }

  converse().catch((error: unknown) => {
    if (!(error instanceof Ended)) throw error;
    end(error);
  });

  return {
    close: () => {
      if (over) return;
      if (session !== undefined) write('TEARDOWN', aggregate, {});
      finish();
    },
  };
}

/** Our own synchronisation source, which sends nothing. */
const SOURCE = 0xdac4_a3a7;
const REPORT = reportOf(SOURCE, 'dachawatch');

function reportOf(source: number, name: string): Buffer {
  const item = Buffer.from(name, 'latin1');
  // The list of items ends with a zero, and with a full word.
  const words = Math.floor((4 + 2 + item.length) / 4) + 1;
  const bytes = Buffer.alloc(8 + 4 + words * 4);
  bytes.writeUInt32BE(0x80c9_0001, 0);
  bytes.writeUInt32BE(source, 4);
  bytes.writeUInt32BE(0x81ca_0000 + words, 8);
  bytes.writeUInt32BE(source, 12);
  bytes.writeUInt16BE(0x0100 + item.length, 16);
  item.copy(bytes, 18);
  return bytes;
}

const statusOf = ({ start }: RtspMessage): number => Number(/^RTSP\/\d\.\d (\d{3})/.exec(start)?.[1] ?? 0);
const noncesOf = (challenges: readonly Challenge[]) =>
  challenges.map(({ parameters }) => parameters.get('nonce')).join();
/** Whether it asks for something else than what the request was signed with. */
const isNew = (challenges: readonly Challenge[], answered: readonly Challenge[]): boolean =>
  answered.length === 0 || noncesOf(challenges) !== noncesOf(answered);

/** As players do it, also where the address has a question mark. */
function joined(base: string, control: string): string {
  if (control === '') return base;
  if (/^rtsps?:\/\//i.test(control)) return control;
  return `${base}${base.endsWith('/') ? '' : '/'}${control.replace(/^\//, '')}`;
}
