import type { Encoding } from '../packing/coding.ts';

/** A NAL unit on its way. */
export interface StreamUnit {
  /** In a buffer of its own that begins with four bytes for its length, which are free to be written. */
  readonly unit: Buffer;
  readonly encoding: Encoding;
  /** The camera's time stamp, milliseconds on a line of its own; undefined when it has none. */
  readonly stampMs: number | undefined;
  /** Packets before it were lost. */
  readonly afterLoss: boolean;
}

export interface RtpUnits {
  /** One packet: the bytes of `buffer` from `from` to `to`. They may be written over afterwards. What cannot be read
   *  counts as lost. */
  packet(buffer: Buffer, from: number, to: number): void;
}

/** RTP (RFC 3550). */
const HEADER_BYTES = 12;
/** How a payload carries NAL units. */
interface Packaging {
  /** Of a unit, and of a payload. */
  readonly headerBytes: number;
  typeOf(first: number): number;
  /** Types below it are whole units. */
  readonly wholeBelow: number;
  /** Several units: where the length of the first one stands, by type. */
  readonly packed: ReadonlyMap<number, number>;
  /** A part of a unit: where its bytes begin, by type. What it is a part of stands behind the header of the payload. */
  readonly parts: ReadonlyMap<number, number>;
  /** Writes the header of a unit that comes in parts. */
  restore(into: Buffer, payload: Buffer, at: number, part: number): void;
}

const PACKAGINGS: Readonly<Record<Encoding, Packaging>> = {
  /** RFC 6184, 5.2, with and without numbers of their order. */
  H264: {
    headerBytes: 1,
    typeOf: (first) => first & 0x1f,
    wholeBelow: 24,
    packed: new Map([
      [24, 1],
      [25, 3],
    ]),
    parts: new Map([
      [28, 2],
      [29, 4],
    ]),
    restore: (into, payload, at, part) => {
      into[0] = ((payload[at] as number) & 0xe0) | (part & 0x1f);
    },
  },
  /** RFC 7798, 4.4, without numbers of their order, which only UDP needs. */
  H265: {
    headerBytes: 2,
    typeOf: (first) => (first >> 1) & 0x3f,
    wholeBelow: 48,
    packed: new Map([[48, 2]]),
    parts: new Map([[49, 3]]),
    restore: (into, payload, at, part) => {
      into[0] = ((payload[at] as number) & 0x81) | ((part & 0x3f) << 1);
      into[1] = payload[at + 1] as number;
    },
  },
};

const BEGINS = 0x80;
const ENDS = 0x40;
const FIRST_BYTES = 64 * 1024;
/** As large as a picture may be. */
const MAX_UNIT_BYTES = 32 * 1024 * 1024;
const HEAD = 4;

/** Takes NAL units out of the RTP packets of one H.264 or H.265 stream (not MTAP and PACI, which cameras do not use).
 *  Over TCP packets come in the order in which they were sent: a number that is left out is a packet that was lost.
 *  Invariants
 *  1. A unit is handed on whole or not at all; the next one says that something is missing.
 *  2. A camera that goes on with another synchronisation source has lost nothing: its numbers begin anew.
 *  3. Stamps are followed over their wrap at 32 bits. */
// oxlint-disable-next-line max-lines-per-function -- runs for each packet, and every step reads or sets the same few variables: as parts they would have to be an object's fields
export function createRtpUnits(deps: {
  readonly encoding: Encoding;
  readonly payloadType: number;
  /** Ticks of the camera's stamps in a second. */
  readonly clockRate: number;
  onUnit(unit: StreamUnit): void;
}): RtpUnits {
  const { payloadType, clockRate, encoding } = deps;
  const packaging = PACKAGINGS[encoding];
  /** Parts of a unit, as they come, and how much of it there is; 0: none has begun. */
  let parts = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let held = 0;
  let heldStampMs = 0;
  let lost = false;
  let source: number | undefined;
  let sequence = -1;
  let stamp: number | undefined;
  let ticks = 0;

  function packet(buffer: Buffer, from: number, to: number): void {
    if (to - from < HEADER_BYTES) return;
    const first = buffer[from] as number;
    if (first >> 6 !== 2 || ((buffer[from + 1] as number) & 0x7f) !== payloadType) return;
    let begin = from + HEADER_BYTES + (first & 0x0f) * 4;
    if ((first & 0x10) !== 0 && begin + 4 <= to) begin += 4 + buffer.readUInt16BE(begin + 2) * 4;
    const end = (first & 0x20) !== 0 ? to - (buffer[to - 1] as number) : to;
    if (!follows(buffer.readUInt16BE(from + 2), buffer.readUInt32BE(from + 8))) return;
    if (begin < end) payload(buffer, begin, end, stampOf(buffer.readUInt32BE(from + 4)));
  }

  /** @returns false for a packet that came before */
  function follows(number: number, from: number): boolean {
    if (from === source && number === sequence) return false;
    if (from === source ? number !== ((sequence + 1) & 0xffff) : held > 0) lose();
    source = from;
    sequence = number;
    return true;
  }

  function lose(): void {
    held = 0;
    lost = true;
  }

  function stampOf(next: number): number {
    ticks += (next - (stamp ?? next)) | 0;
    stamp = next;
    return (ticks * 1000) / clockRate;
  }

  function payload(buffer: Buffer, begin: number, end: number, stampMs: number): void {
    const kind = packaging.typeOf(buffer[begin] as number);
    const partAt = packaging.parts.get(kind);
    if (partAt !== undefined) return part(buffer, begin, begin + partAt, end, stampMs);
    // The last part did not say that it was the last.
    finish();
    const packedAt = packaging.packed.get(kind);
    if (kind < packaging.wholeBelow) handOn(buffer, begin, end, stampMs);
    else if (packedAt === undefined) lose();
    else unpack(buffer, begin + packedAt, end, stampMs);
  }

  function unpack(buffer: Buffer, begin: number, end: number, stampMs: number): void {
    let at = begin;
    while (at + 2 <= end) {
      const next = at + 2 + buffer.readUInt16BE(at);
      if (next > end) return lose();
      handOn(buffer, at + 2, next, stampMs);
      at = next;
    }
  }

  function part(buffer: Buffer, begin: number, body: number, end: number, stampMs: number): void {
    if (body >= end) return;
    const flags = buffer[begin + packaging.headerBytes] as number;
    if ((flags & BEGINS) !== 0) {
      finish();
      packaging.restore(parts, buffer, begin, flags);
      held = packaging.headerBytes;
      heldStampMs = stampMs;
    } else if (held === 0) return lose();
    const bytes = held + end - body;
    if (bytes > MAX_UNIT_BYTES) return lose();
    if (bytes > parts.length) parts = Buffer.concat([parts], Math.min(MAX_UNIT_BYTES, bytes * 2));
    buffer.copy(parts, held, body, end);
    held = bytes;
    if ((flags & ENDS) !== 0) finish();
  }

  function finish(): void {
    if (held === 0) return;
    const bytes = held;
    held = 0;
    handOn(parts, 0, bytes, heldStampMs);
  }

  function handOn(from: Buffer, begin: number, end: number, stampMs: number): void {
    if (begin >= end) return;
    const unit = Buffer.allocUnsafe(HEAD + end - begin);
    from.copy(unit, HEAD, begin, end);
    const afterLoss = lost;
    lost = false;
    deps.onUnit({ unit, encoding, stampMs, afterLoss });
  }

  return { packet };
}
