/** A NAL unit on its way. */
export interface StreamUnit {
  /** In a buffer of its own that begins with four bytes for its length, which are free to be written. */
  readonly unit: Buffer;
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
/** Kinds of payload (RFC 6184, 5.2). Below these is a whole NAL unit. */
const PACKED = 24;
const PACKED_WITH_ORDER = 25;
const PART = 28;
const PART_WITH_ORDER = 29;
const BEGINS = 0x80;
const ENDS = 0x40;
const FIRST_BYTES = 64 * 1024;
/** As large as a picture may be. */
const MAX_UNIT_BYTES = 32 * 1024 * 1024;
const HEAD = 4;

/** Takes NAL units out of the RTP packets of one H.264 stream (RFC 6184; not MTAP, which cameras do not use). Over TCP
 *  packets come in the order in which they were sent: a number that is left out is a packet that was lost.
 *  Invariants
 *  1. A unit is handed on whole or not at all; the next one says that something is missing.
 *  2. A camera that goes on with another synchronisation source has lost nothing: its numbers begin anew.
 *  3. Stamps are followed over their wrap at 32 bits. */
// oxlint-disable-next-line max-lines-per-function -- runs for each packet, and every step reads or sets the same few variables: as parts they would have to be an object's fields
export function createRtpUnits(deps: {
  readonly payloadType: number;
  /** Ticks of the camera's stamps in a second. */
  readonly clockRate: number;
  onUnit(unit: StreamUnit): void;
}): RtpUnits {
  const { payloadType, clockRate } = deps;
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
    const kind = (buffer[begin] as number) & 0x1f;
    if (kind === PART || kind === PART_WITH_ORDER)
      return part(buffer, begin, begin + (kind === PART ? 2 : 4), end, stampMs);
    // The last part did not say that it was the last.
    finish();
    if (kind < PACKED) handOn(buffer, begin, end, stampMs);
    else if (kind === PACKED) unpack(buffer, begin + 1, end, stampMs);
    else if (kind === PACKED_WITH_ORDER) unpack(buffer, begin + 3, end, stampMs);
    else lose();
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
    const flags = buffer[begin + 1] as number;
    if ((flags & BEGINS) !== 0) {
      finish();
      parts[0] = ((buffer[begin] as number) & 0xe0) | (flags & 0x1f);
      held = 1;
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
    deps.onUnit({ unit, stampMs, afterLoss });
  }

  return { packet };
}
