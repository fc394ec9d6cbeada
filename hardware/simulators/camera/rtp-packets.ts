import type { MadeCoding } from './made-pictures.ts';

/** One packet of a video stream, as RFC 3550, RFC 6184 and RFC 7798 have it. */
export interface RtpPacket {
  marker: boolean;
  sequence: number;
  /** 90,000 a second; wraps at 32 bits. */
  timestamp: number;
  ssrc: number;
  readonly payload: Buffer;
  /** Default 96, that of the pictures. */
  readonly payloadType?: number;
}

const LARGEST_PAYLOAD = 1400;
const FU_A = 28;
const H265_FU = 49;
const PAYLOAD_TYPE = 96;

/** Payloads of one NAL unit: itself, or fragmentation units of type A.
 *  @param largest in bytes; up to 65,000 over TCP */
export function payloadsOf(unit: Buffer, largest = LARGEST_PAYLOAD, coding: MadeCoding = 'H264'): Buffer[] {
  if (unit.length <= largest) return [unit];
  if (coding === 'H265') return h265Payloads(unit, largest);
  const header = unit[0] as number;
  const payloads: Buffer[] = [];
  for (let at = 1; at < unit.length; at += largest - 2) {
    const part = unit.subarray(at, at + largest - 2);
    const start = at === 1 ? 0x80 : 0;
    const end = at + part.length === unit.length ? 0x40 : 0;
    payloads.push(
      Buffer.concat([Buffer.from([(header & 0xe0) | FU_A, start | end | (header & 0x1f)]), part]),
    );
  }
  return payloads;
}

/** Fragmentation units of RFC 7798, 4.4.3. */
function h265Payloads(unit: Buffer, largest: number): Buffer[] {
  const [first = 0, second = 0] = unit;
  const payloads: Buffer[] = [];
  for (let at = 2; at < unit.length; at += largest - 3) {
    const part = unit.subarray(at, at + largest - 3);
    const start = at === 2 ? 0x80 : 0;
    const end = at + part.length === unit.length ? 0x40 : 0;
    const head = [(first & 0x81) | (H265_FU << 1), second, start | end | ((first >> 1) & 0x3f)];
    payloads.push(Buffer.concat([Buffer.from(head), part]));
  }
  return payloads;
}

/** A packet in its frame for a channel of an RTSP connection (RFC 7826, 14). */
export function interleaved(packet: RtpPacket, channel: number): Buffer {
  const head = Buffer.alloc(16);
  head[0] = 0x24;
  head[1] = channel;
  head.writeUInt16BE(12 + packet.payload.length, 2);
  head[4] = 0x80;
  head[5] = (packet.marker ? 0x80 : 0) | (packet.payloadType ?? PAYLOAD_TYPE);
  head.writeUInt16BE(packet.sequence & 0xffff, 6);
  head.writeUInt32BE(packet.timestamp >>> 0, 8);
  head.writeUInt32BE(packet.ssrc >>> 0, 12);
  return Buffer.concat([head, packet.payload]);
}
