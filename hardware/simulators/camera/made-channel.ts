import type { Socket } from 'node:net';
import { describe } from './made-description.ts';
import { type MadePicture, numbered, setsOf } from './made-pictures.ts';
import type { MadeStream, MadeTrack, Take } from './made-stream.ts';
import { interleaved, payloadsOf } from './rtp-packets.ts';

const CLOCK_RATE = 90_000;
const FIRST_STAMP_S = 1_000;
/** What may wait for a viewer that reads too slowly; more is lost. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

interface Viewer {
  readonly socket: Socket;
  /** Undefined: the pictures were not asked for. */
  readonly channel: number | undefined;
  /** By the number of the track. */
  readonly others: readonly (number | undefined)[];
  sequence: number;
  began: boolean;
}

/** The time line of one stream, and who gets it. */
export function createChannel(stream: MadeStream) {
  const viewers = new Map<Socket, Viewer>();
  const at = pictureAt(stream.takes);
  // A B picture is sent behind one that was taken later: all are sent that much after they were taken.
  const reordered = stream.takes.flatMap(({ pictures }) => pictures.map(({ shown }, order) => shown - order));
  const delayPictures = reordered.reduce((most, one) => Math.max(most, one), 0);
  let beganMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const others = (stream.tracks ?? []).map((track, number) => createOther(track, number, viewers));
  let index = 0;
  let plays = 0;

  function begin(): void {
    if (beganMs !== undefined) return;
    beganMs = performance.now();
    next();
    for (const other of others) other.begin();
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
    const { picture: taken, base } = at(number);
    const picture = stream.numbered ? numbered(taken, number) : taken;
    if (stream.skips?.(number)) return;
    const trueS = (base + picture.shown - delayPictures) / stream.fps;
    const stampS = FIRST_STAMP_S + (stream.stamp?.(trueS, number) ?? trueS);
    const timestamp = Math.round(stampS * CLOCK_RATE);
    const units = picture.units.filter(
      (unit) => stream.parameterSets !== 'described-only' || !setsOf(picture).includes(unit),
    );
    for (const viewer of viewers.values()) {
      if (viewer.channel === undefined) continue;
      if (viewer.socket.writableLength > MAX_WAITING_BYTES) viewer.began = false;
      if (!viewer.began && stream.beginsWith === 'key-frame' && !picture.key) continue;
      viewer.began = true;
      const payloads = units.flatMap((unit) => payloadsOf(unit, stream.packetBytes, picture.coding));
      const packets = payloads.map((payload, position) => ({
        payload,
        timestamp,
        marker: position === payloads.length - 1,
        sequence: viewer.sequence++,
        ssrc: SSRC,
      }));
      const sent = stream.rewrite?.(packets, number, picture) ?? packets;
      const { channel = 0 } = viewer;
      viewer.socket.write(Buffer.concat(sent.map((packet) => interleaved(packet, channel))));
    }
  }

  return {
    description: () => describe(stream),
    begin,
    /** @param channels those of the connection by the number of the track: 0 is the pictures */
    play: (socket: Socket, channels: ReadonlyMap<number, number>) => {
      plays++;
      const [channel, ...rest] = [undefined, ...others].map((_, track) => channels.get(track));
      viewers.set(socket, { socket, channel, others: rest, sequence: 1, began: false });
    },
    leave: (socket: Socket) => void viewers.delete(socket),
    end: () => {
      clearTimeout(timer);
      for (const other of others) other.end();
    },
    sent: () => index,
    plays: () => plays,
  };
}

export type Channel = ReturnType<typeof createChannel>;

export const SSRC = 0x5eed_cafe;

/** A track beside the pictures. */
function createOther(track: MadeTrack, number: number, viewers: ReadonlyMap<Socket, Viewer>) {
  const { perSecond, payloadType, clockRate } = track;
  let timer: NodeJS.Timeout | undefined;
  let index = 0;
  let sequence = 1;

  function send(): void {
    const payloads = track.payloads(index);
    const timestamp = Math.round((index++ * clockRate) / perSecond);
    const packets = payloads.map((payload, position) => ({
      payload,
      payloadType,
      timestamp,
      marker: position === payloads.length - 1,
      sequence: sequence++,
      ssrc: SSRC + 1 + number,
    }));
    for (const { socket, others } of viewers.values()) {
      const channel = others[number];
      if (channel === undefined || socket.writableLength > MAX_WAITING_BYTES) continue;
      socket.write(Buffer.concat(packets.map((packet) => interleaved(packet, channel))));
    }
  }

  return {
    begin: () => {
      timer = setInterval(send, 1000 / perSecond);
    },
    end: () => clearInterval(timer),
  };
}

/** Which picture is the n-th, and how many were shown before its take. */
export function pictureAt(takes: readonly Take[]) {
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
