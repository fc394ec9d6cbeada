import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type Channel, createChannel, SSRC } from './made-channel.ts';
import { isSlice, typeOf } from './made-pictures.ts';
import type { MadeStream } from './made-stream.ts';
import type { RtpPacket } from './rtp-packets.ts';

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

/** A camera whose every packet is made here: streams change, clocks lie, packets are stamped and marked wrongly, as
 *  `MadeStream` says. RTSP over TCP on 127.0.0.1, without a login.
 *  Invariants
 *  1. One time line: all viewers get the same picture at the same moment. It begins with the first PLAY.
 *  2. A picture is sent when it was taken in truth, whatever its stamp says. */
export async function startMadeCamera(options: {
  readonly main: MadeStream;
  readonly sub: MadeStream;
  readonly port?: number;
}): Promise<MadeCamera> {
  const channels = { main: createChannel(options.main), sub: createChannel(options.sub) };
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
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
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

/** Answers the requests of one connection. */
function serve(socket: Socket, channels: Record<StreamName, Channel>, begin: () => void): void {
  let waiting = Buffer.alloc(0);
  /** Of this connection, by the number of the track: 0 is the pictures. */
  const setUp = new Map<number, number>();
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
      const track = Number(/\/track(\d+)/.exec(url)?.[1] ?? 1) - 1;
      setUp.set(track, Number(numbers[1]));
      return void reply('200 OK', [
        `Transport: RTP/AVP/TCP;unicast;interleaved=${numbers[1]}-${numbers[2]};ssrc=${(SSRC + track).toString(16)}`,
        'Session: 1;timeout=60',
      ]);
    }
    reply('200 OK', ['Session: 1']);
    if (method === 'PLAY') {
      channel.play(socket, setUp);
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
