import { Failure } from '../kernel/failure.ts';

/** NAL units that came in one buffer. */
export interface Units {
  /** Each in a buffer of its own that begins with four bytes for its length, which are free to be written. */
  readonly units: readonly Buffer[];
  /** The camera's time stamp, milliseconds on a line of its own; undefined when it has none. */
  readonly stampMs: number | undefined;
  /** Packets before it were lost. */
  readonly afterLoss: boolean;
}

/** GStreamer's data protocol, version 1.0: the header that `gdppay` puts before each buffer. It is the only way in
 *  which a time stamp comes through the binding. */
const HEADER_BYTES = 62;
const OF_TYPE = 4;
const OF_LENGTH = 6;
const OF_STAMP = 10;
const OF_FLAGS = 42;
const BUFFER = 1;
const DISCONTINUITY = 0x40;
const NONE = -1n;
const NS_PER_MS = 1e6;
/** Four bytes, so that a length of the same size can take its place. */
const START = Buffer.from([0, 0, 0, 1]);

/** Reads a buffer of the main pipeline. A stamp before the pipeline's own zero is negative, as the camera means it.
 *  @returns undefined for what holds no picture: caps, segments
 *  @throws Failure `corrupt` when it is neither */
export function readUnits(packet: Buffer): Units | undefined {
  if (packet.length < HEADER_BYTES)
    throw new Failure('corrupt', 'capture.packet', 'The pipeline sent a buffer without its header');
  if (packet.readUInt16BE(OF_TYPE) !== BUFFER) return undefined;
  const end = HEADER_BYTES + packet.readUInt32BE(OF_LENGTH);
  if (end > packet.length)
    throw new Failure('corrupt', 'capture.packet', 'The pipeline sent a buffer that is cut off');
  const stamp = packet.readBigInt64BE(OF_STAMP);
  return {
    units: splitUnits(packet.subarray(HEADER_BYTES, end)),
    stampMs: stamp === NONE ? undefined : Number(stamp) / NS_PER_MS,
    afterLoss: (packet.readUInt16BE(OF_FLAGS) & DISCONTINUITY) !== 0,
  };
}

/** A buffer is one NAL unit; only the first also holds the parameter sets of the camera's description. */
function splitUnits(bytes: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let at = bytes.indexOf(START);
  while (at >= 0) {
    const next = bytes.indexOf(START, at + START.length);
    const end = next < 0 ? bytes.length : next;
    if (end > at + START.length) units.push(bytes.subarray(at, end));
    at = next;
  }
  return units;
}
