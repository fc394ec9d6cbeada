import type { Socket } from 'node:net';
import type { CameraCredential } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { MOST_AT_ONCE, networkSentence, openSocket } from './client.ts';
import { createDialogue, Ended, endedBy, type StreamEnd } from './dialogue.ts';
import { createRtspFramer, headerOf, type RtspMessage } from './framer.ts';
import { receiverReport } from './receiver-report.ts';
import { type PictureTrack, pictureTrack } from './sdp.ts';
import { BROKE_OFF, NO_STREAM, NOT_RTSP } from '../stream-error.ts';

export interface RtspStream {
  /** Says farewell, if that can be done at once. */
  close(): void;
}

export interface RtspStreamDeps {
  readonly address: string;
  readonly credential: CameraCredential | null;
  /** Before the first packet. */
  onTrack(track: PictureTrack): void;
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
/** Asks a camera for the stream of pictures at an address and receives its packets, over one connection (RTSP 1.0, RFC 2326,
 *  interleaved as in 10.12). Once the camera has described it, never connects again.
 *  Invariants
 *  1. A login goes nowhere else than where a person sent it.
 *  2. Something is asked before each half of the session's time has passed, whatever else flows.
 *  3. Packets are handed on where they lie: nothing is copied, and nothing made for each of them. They come at most a
 *     fifth of a second late, and hold the camera back when they are not read. */
export function openRtspStream(deps: RtspStreamDeps): RtspStream {
  const { address, credential } = deps;
  const dialogue = createDialogue({ credential, send: (text) => void socket.write(text) });
  /** What all further requests ask about. */
  let aggregate = address;
  let channel = RTP_CHANNEL;
  const timers: NodeJS.Timeout[] = [];
  let playing = false;
  let fetch: NodeJS.Timeout | undefined;
  let over = false;
  let socket = connect();

  function connect(): Socket {
    const framer = createRtspFramer({ frames, message: (received) => dialogue.take(received) });
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
    const again = over ? undefined : dialogue.lost();
    if (!again) return end(new Ended(what));
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

  async function converse(): Promise<void> {
    const described = await dialogue.ask('DESCRIBE', address, { Accept: 'application/sdp' });
    const track = pictureTrack(described.body.toString('utf8'));
    if (!track) throw new Ended(NO_STREAM);
    const base = baseOf(described) ?? address;
    const uri = joined(base, track.control);
    const setUp = setUpBy(await dialogue.ask('SETUP', uri, { Transport: TRANSPORT }));
    channel = setUp.channel;
    dialogue.session = setUp.session;
    aggregate = track.allControl ?? base;
    deps.onTrack(track);
    await dialogue.ask('PLAY', aggregate, { Range: 'npt=0.000-' });
    if (over) return;
    playing = true;
    const beatMs = setUp.timeoutS * 1000 * KEEP_ALIVE_SHARE;
    timers.push(setInterval(() => dialogue.keepAlive(aggregate), beatMs));
    timers.push(setInterval(() => socket.write(receiverReport(channel)), REPORT_MS));
  }

  converse().catch((error: unknown) => {
    if (!(error instanceof Ended)) throw error;
    end(error);
  });

  return {
    close: () => {
      if (over) return;
      if (dialogue.session !== undefined) dialogue.write('TEARDOWN', aggregate);
      finish();
    },
  };
}

/** Where the camera says that what it describes lies. */
const baseOf = (described: RtspMessage): string | undefined =>
  ['content-base', 'content-location']
    .map((name) => headerOf(described, name) ?? '')
    .find((value) => /^rtsps?:\/\//i.test(value));

/** What a camera answers to SETUP.
 *  @throws Ended when it wants to send in another way */
function setUpBy(answer: RtspMessage) {
  const transport = headerOf(answer, 'transport') ?? TRANSPORT;
  if (!/TCP|interleaved/i.test(transport)) throw endedBy(461);
  const [id = '', ...parameters] = (headerOf(answer, 'session') ?? '').split(';');
  const saidS = Number(/timeout=(\d+)/i.exec(parameters.join(';'))?.[1] ?? 0);
  return {
    channel: Number(/interleaved=(\d+)/i.exec(transport)?.[1] ?? RTP_CHANNEL) & 0xff,
    session: id === '' ? undefined : id.trim(),
    timeoutS: Math.min(saidS || SESSION_S, LONGEST_S),
  };
}

/** As players do it, also where the address has a question mark. */
function joined(base: string, control: string): string {
  if (control === '') return base;
  if (/^rtsps?:\/\//i.test(control)) return control;
  return `${base}${base.endsWith('/') ? '' : '/'}${control.replace(/^\//, '')}`;
}
