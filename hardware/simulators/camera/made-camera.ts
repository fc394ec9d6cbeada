import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { isSlice, type MadePicture, typeOf } from './made-pictures.ts';
import { interleaved, payloadsOf, type RtpPacket } from './rtp-packets.ts';

/** What one stream of a made camera sends. */
export interface MadeStream {
  readonly fps: number;
  /** Shown one after another; the last one again and again. */
  readonly takes: readonly Take[];
  /** Parameter sets that its description names; default those of the first take; null names none. */
  readonly described?: { readonly sps: Buffer; readonly pps: Buffer } | null;
  /** Where parameter sets come in the stream itself: before each key frame (default), or never. */
  readonly parameterSets?: 'in-band' | 'described-only';
  /** What a viewer gets first: the next key frame, or (default) whatever comes next. */
  readonly beginsWith?: 'key-frame' | 'anything';
  /** When a picture says it was taken, in seconds, given the truth. */
  readonly stamp?: (trueS: number, index: number) => number;
  /** Changes the packets of a picture on their way out, or leaves some out. */
  readonly rewrite?: (packets: RtpPacket[], index: number, picture: MadePicture) => RtpPacket[];
  /** Nothing is sent for the picture; it was never taken. */
  readonly skips?: (index: number) => boolean;
}

export interface Take {
  readonly pictures: readonly MadePicture[];
  /** How often it is shown before the next one; of no meaning for the last. Default 1. */
  readonly times?: number;
}

export interface MadeCamera {
  readonly mainUrl: string;
  readonly subUrl: string;
  /** Pictures sent since the first viewer's PLAY. */
  sent(stream: StreamName): number;
  /** How often a stream was asked for with PLAY. */
  plays(stream: StreamName): number;
  stop(): Promise<void>;
}

type StreamName = 'main' | 'sub';

const CLOCK_RATE = 90_000;
const FIRST_STAMP_S = 1_000;
/** What may wait for a viewer that reads too slowly; more is lost. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

interface Viewer {
  readonly socket: Socket;
  readonly channel: number;
  sequence: number;
  began: boolean;
}

/** A camera whose every packet is made here: streams change, clocks lie, packets are stamped and marked wrongly, as
 *  `MadeStream` says. RTSP over TCP on 127.0.0.1, without a login.
 *  Invariants
 *  1. One time line: all viewers get the same picture at the same moment. It begins with the first PLAY.
 *  2. A picture is sent when it was taken in truth, whatever its stamp says. */
export async function startMadeCamera(wish: {
  readonly main: MadeStream;
  readonly sub: MadeStream;
  readonly port?: number;
}): Promise<MadeCamera> {
  const channels = { main: createChannel(wish.main), sub: createChannel(wish.sub) };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      for (const channel of Object.values(channels)) channel.leave(socket);
    });
    serve(socket, channels, () => {
      for (const channel of Object.values(channels)) channel.begin();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wish.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    mainUrl: `rtsp://127.0.0.1:${port}/main`,
    subUrl: `rtsp://127.0.0.1:${port}/sub`,
    sent: (stream) => channels[stream].sent(),
    plays: (stream) => channels[stream].plays(),
    stop: async () => {
      for (const channel of Object.values(channels)) channel.end();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createChannel(stream: MadeStream) {
  const viewers = new Map<Socket, Viewer>();
  const at = pictureAt(stream.takes);
  // A B picture is sent behind one that was taken later: all are sent that much after they were taken.
  const reordered = stream.takes.flatMap(({ pictures }) => pictures.map(({ shown }, order) => shown - order));
  const delayPictures = reordered.reduce((most, one) => Math.max(most, one), 0);
  let beganMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let index = 0;
  let plays = 0;

  function begin(): void {
    if (beganMs !== undefined) return;
    beganMs = performance.now();
    next();
  }

  function next(): void {
    const dueMs = (beganMs ?? 0) + (index * 1000) / stream.fps;
    timer = setTimeout(
      () => {
        send(index++);
        next();
      },
      Math.max(0, dueMs - performance.now()),
    );
  }

  function send(number: number): void {
    const { picture, base } = at(number);
    if (stream.skips?.(number)) return;
    const trueS = (base + picture.shown - delayPictures) / stream.fps;
    const stampS = FIRST_STAMP_S + (stream.stamp?.(trueS, number) ?? trueS);
    const timestamp = Math.round(stampS * CLOCK_RATE);
    const units = picture.units.filter(
      (unit) => stream.parameterSets !== 'described-only' || ![7, 8].includes(typeOf(unit)),
    );
    for (const viewer of viewers.values()) {
      if (viewer.socket.writableLength > MAX_WAITING_BYTES) viewer.began = false;
      if (!viewer.began && stream.beginsWith === 'key-frame' && !picture.key) continue;
      viewer.began = true;
      const payloads = units.flatMap(payloadsOf);
      const packets = payloads.map((payload, position) => ({
        payload,
        timestamp,
        marker: position === payloads.length - 1,
        sequence: viewer.sequence++,
        ssrc: SSRC,
      }));
      const sent = stream.rewrite?.(packets, number, picture) ?? packets;
      viewer.socket.write(Buffer.concat(sent.map((packet) => interleaved(packet, viewer.channel))));
    }
  }

  return {
    description: () => describe(stream),
    begin,
    play: (socket: Socket, channel: number) => {
      plays++;
      viewers.set(socket, { socket, channel, sequence: 1, began: false });
    },
    leave: (socket: Socket) => void viewers.delete(socket),
    end: () => clearTimeout(timer),
    sent: () => index,
    plays: () => plays,
  };
}

type Channel = ReturnType<typeof createChannel>;

export const SSRC = 0x5eed_cafe;

/** Which picture is the n-th, and how many were shown before its take. */
function pictureAt(takes: readonly Take[]) {
  return (number: number): { picture: MadePicture; base: number } => {
    let base = 0;
    for (const [index, { pictures, times = 1 }] of takes.entries()) {
      const last = index === takes.length - 1;
      const length = pictures.length * times;
      if (last || number < base + length) {
        const within = number - base;
        const round = Math.floor(within / pictures.length);
        return {
          picture: pictures[within % pictures.length] as MadePicture,
          base: base + round * pictures.length,
        };
      }
      base += length;
    }
    throw new Error('a stream needs a take');
  };
}

function describe({ described, takes, fps }: MadeStream): string {
  const units = takes[0]?.pictures[0]?.units ?? [];
  const find = (type: number) => units.find((unit) => typeOf(unit) === type);
  const sets = described === undefined ? { sps: find(7), pps: find(8) } : described;
  const sprop =
    sets?.sps && sets.pps
      ? `;profile-level-id=${sets.sps.toString('hex', 1, 4)};sprop-parameter-sets=${sets.sps.toString('base64')},${sets.pps.toString('base64')}`
      : '';
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=made',
    't=0 0',
    'a=control:*',
    'm=video 0 RTP/AVP 96',
    'c=IN IP4 0.0.0.0',
    'a=rtpmap:96 H264/90000',
    `a=framerate:${fps}`,
    `a=fmtp:96 packetization-mode=1${sprop}`,
    'a=control:track1',
    '',
  ].join('\r\n');
}

/** Answers the requests of one connection. */
function serve(socket: Socket, channels: Record<StreamName, Channel>, begin: () => void): void {
  let waiting = Buffer.alloc(0);
  let channelNumber = 0;
  socket.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    for (;;) {
      // Reports of the viewer come in frames of their own.
      if (waiting[0] === 0x24) {
        if (waiting.length < 4 || waiting.length < 4 + waiting.readUInt16BE(2)) return;
        waiting = waiting.subarray(4 + waiting.readUInt16BE(2));
        continue;
      }
      const end = waiting.indexOf('\r\n\r\n');
      if (end < 0) return;
      const request = waiting.toString('latin1', 0, end);
      const body = Number(/^content-length:\s*(\d+)/im.exec(request)?.[1] ?? 0);
      if (waiting.length < end + 4 + body) return;
      waiting = waiting.subarray(end + 4 + body);
      answer(request);
    }
  });

  function answer(request: string): void {
    const [, method = '', url = ''] = /^(\w+) (\S+)/.exec(request) ?? [];
    const sequence = /^cseq:\s*(\d+)/im.exec(request)?.[1] ?? '0';
    const name = /\/(main|sub)(?:\/|$)/.exec(url)?.[1] as StreamName | undefined;
    const reply = (status: string, headers: readonly string[] = [], body = '') =>
      socket.write(
        [
          `RTSP/1.0 ${status}`,
          `CSeq: ${sequence}`,
          ...headers,
          ...(body ? [`Content-Length: ${body.length}`] : []),
          '',
          body,
        ].join('\r\n'),
      );
    if (method === 'OPTIONS')
      return void reply('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']);
    if (!name) return void reply('404 Not Found');
    const channel = channels[name];
    if (method === 'DESCRIBE')
      return void reply(
        '200 OK',
        ['Content-Type: application/sdp', `Content-Base: ${url}/`],
        channel.description(),
      );
    if (method === 'SETUP') {
      const transport = /^transport:\s*(.*)$/im.exec(request)?.[1] ?? '';
      const numbers = /interleaved=(\d+)-(\d+)/.exec(transport);
      if (!numbers) return void reply('461 Unsupported Transport');
      channelNumber = Number(numbers[1]);
      return void reply('200 OK', [
        `Transport: RTP/AVP/TCP;unicast;interleaved=${numbers[1]}-${numbers[2]};ssrc=${SSRC.toString(16)}`,
        'Session: 1;timeout=60',
      ]);
    }
    reply('200 OK', ['Session: 1']);
    if (method === 'PLAY') {
      channel.play(socket, channelNumber);
      begin();
    }
    if (method === 'TEARDOWN') channel.leave(socket);
  }
}

/** Slices of a picture, each with the end mark that belongs to the last one only. */
export function marksEachSlice(packets: RtpPacket[]): RtpPacket[] {
  for (const packet of packets) if (endsSlice(packet.payload)) packet.marker = true;
  return packets;
}

function endsSlice(payload: Buffer): boolean {
  if (typeOf(payload) !== 28) return isSlice(payload);
  return ((payload[1] ?? 0) & 0x40) !== 0;
}
