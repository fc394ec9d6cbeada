import { Failure } from '../../kernel/failure.ts';
import {
  isRecoveryPoint,
  readPps,
  readSlice,
  readSps,
  type Slice,
  type Sps,
  typeOf,
  UNIT,
} from './parameter-sets.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';

/** The parameter sets that pictures from one key frame on need. */
export interface StreamSets {
  readonly sps: Sps;
  /** NAL units without start codes. */
  readonly spsUnit: Buffer;
  readonly ppsUnits: readonly Buffer[];
}

/** One picture as the camera coded it. */
export interface CodedPicture {
  /** Its NAL units, each with four free bytes in front; parameter sets that its key frame's `sets` hold are left out. */
  readonly units: readonly Buffer[];
  readonly bytes: number;
  /** Decoding can begin here. */
  readonly sets: StreamSets | undefined;
  /** A B picture: shown before one that was sent earlier. */
  readonly reordered: boolean;
  readonly stampMs: number | undefined;
  /** Monotonic milliseconds when its first slice came. */
  readonly arrivedMs: number;
}

export interface PictureCutter {
  /** @throws Failure `corrupt` for a picture beyond all bounds */
  push(unit: StreamUnit, arrivedMs: number): void;
  /** Hands on the picture that is being collected as if it were whole. */
  flush(): void;
}

interface Begun {
  readonly slice: Slice;
  readonly idr: boolean;
  /** Those known when it began: the next picture's come before it is known to be whole. */
  readonly sets: StreamSets | undefined;
  readonly stampMs: number | undefined;
  readonly arrivedMs: number;
}

const HEAD = 4;
const MAX_PICTURE_BYTES = 32 * 1024 * 1024;
const MAX_UNITS = 2_000;
/** Slices of one picture whose stamps differ by less than this still belong together. */
const SAME_STAMP_MS = 5;

/** Cuts a camera's NAL units into pictures.
 *  Invariants
 *  1. Where a picture begins is told by its slices and its time stamp, never by the marker bits of packets.
 *  2. Parameter sets in the stream win over those of the camera's description, because they come later.
 *  3. Nothing is handed on before a key frame whose parameter sets are known; after a loss, before the next one. */
export function createPictureCutter(deps: { onPicture(picture: CodedPicture): void }): PictureCutter {
  const spsById = new Map<number, { sps: Sps; unit: Buffer }>();
  const ppsById = new Map<number, { spsId: number; unit: Buffer }>();
  /** Units in front of a picture's first slice. */
  let before: Buffer[] = [];
  let slices: Buffer[] = [];
  let leading: Buffer[] = [];
  let bytes = 0;
  let first: Begun | undefined;
  let reordered = false;
  let allIntra = true;
  /** Those in force since the last key frame. */
  let current: StreamSets | undefined;
  /** The last key frame was no IDR picture: B pictures behind it that are shown before it need what is not there. */
  let leadingPictures = false;

  function push({ unit, stampMs, afterLoss }: StreamUnit, arrivedMs: number): void {
    if (afterLoss) {
      forget();
      before = [];
      current = undefined;
    }
    take(unit, stampMs, arrivedMs);
  }

  function forget(): void {
    first = undefined;
    slices = [];
    leading = [];
    bytes = 0;
    reordered = false;
    allIntra = true;
  }

  function take(unit: Buffer, stampMs: number | undefined, arrivedMs: number): void {
    const type = typeOf(unit.subarray(HEAD));
    if (type !== UNIT.slice && type !== UNIT.idr) {
      learn(type, unit.subarray(HEAD));
      before.push(unit);
      if (before.length > MAX_UNITS) before.shift();
      return;
    }
    const slice = guarded(() => readSlice(unit.subarray(HEAD)));
    if (slice && beginsPicture(slice, stampMs)) {
      flush();
      first = { slice, idr: type === UNIT.idr, sets: setsFor(slice.ppsId), stampMs, arrivedMs };
      leading = before;
      before = [];
    }
    if (!first) return;
    slices.push(unit);
    bytes += unit.length;
    reordered ||= slice?.type === 1;
    allIntra &&= slice?.type === 2;
    if (bytes > MAX_PICTURE_BYTES || slices.length > MAX_UNITS)
      throw new Failure('corrupt', 'capture.picture-size', `The stream has a picture of ${bytes} bytes`);
  }

  function beginsPicture(slice: Slice, stampMs: number | undefined): boolean {
    if (!first) return true;
    const apart = Math.abs((stampMs ?? 0) - (first.stampMs ?? 0));
    if (apart === 0 && (stampMs === undefined) === (first.stampMs === undefined)) {
      // Cameras whose stamps stand still send pictures all the same.
      return slice.first && first.slice.first;
    }
    return slice.first || apart >= SAME_STAMP_MS;
  }

  function learn(type: number, unit: Buffer): void {
    if (type === UNIT.sps) {
      const sps = guarded(() => readSps(unit));
      if (sps) spsById.set(sps.id, { sps, unit });
    } else if (type === UNIT.pps) {
      const pps = guarded(() => readPps(unit));
      if (pps) ppsById.set(pps.id, { spsId: pps.spsId, unit });
    }
  }

  /** What cannot be read counts as not sent. */
  function guarded<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof Failure && error.kind === 'corrupt') return undefined;
      throw error;
    }
  }

  function flush(): void {
    if (!first) return;
    const { idr, stampMs, arrivedMs } = first;
    const recovery = allIntra && leading.some((unit) => isRecovery(unit));
    const sets = idr || recovery ? first.sets : undefined;
    const picture = { slices, leading, reordered };
    forget();
    if (sets || idr) {
      current = sets;
      leadingPictures = !idr;
    } else if (!picture.reordered) leadingPictures = false;
    if (!current || (picture.reordered && leadingPictures)) return;
    const units = [
      ...picture.leading.filter((unit) => !isSuperfluous(unit, sets !== undefined)),
      ...picture.slices,
    ];
    const size = units.reduce((sum, unit) => sum + unit.length, 0);
    deps.onPicture({ units, bytes: size, sets, reordered: picture.reordered, stampMs, arrivedMs });
  }

  const isRecovery = (unit: Buffer) =>
    typeOf(unit.subarray(HEAD)) === UNIT.sei && isRecoveryPoint(unit.subarray(HEAD));

  /** Undefined: they never came, or could not be read. `avcC` counts up to 255 of them in a byte, of 256 that there
   *  can be. */
  function setsFor(ppsId: number): StreamSets | undefined {
    const pps = ppsById.get(ppsId);
    const found = pps && spsById.get(pps.spsId);
    if (!pps || !found) return undefined;
    // Pictures behind the key frame may use the others. Their order does not depend on which one is used first.
    const all = [...ppsById.values()].filter(({ spsId }) => spsId === pps.spsId).slice(0, 255);
    return { sps: found.sps, spsUnit: found.unit, ppsUnits: all.map(({ unit }) => unit) };
  }

  /** Delimiters, and parameter sets that the init segment holds: at a key frame whichever came, because it was made
   *  of the newest. A set that changes within a group of pictures stays where it is. */
  function isSuperfluous(unit: Buffer, atKeyFrame: boolean): boolean {
    const bare = unit.subarray(HEAD);
    const type = typeOf(bare);
    if (type === UNIT.delimiter) return true;
    if (type !== UNIT.sps && type !== UNIT.pps) return false;
    if (atKeyFrame || current?.spsUnit.equals(bare)) return true;
    return current?.ppsUnits.some((known) => known.equals(bare)) ?? false;
  }

  return { push, flush };
}
