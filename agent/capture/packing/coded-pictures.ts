import { Failure } from '../../kernel/failure.ts';
import { isRecoveryPoint, readSlice, type Slice, typeOf, UNIT } from './parameter-sets.ts';
import { createKnownSets, ifReadable, type StreamSets } from './known-sets.ts';
import type { StreamUnit } from '../rtsp/rtp-units.ts';

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
  const known = createKnownSets();
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
      known.learn(type, unit.subarray(HEAD));
      before.push(unit);
      if (before.length > MAX_UNITS) before.shift();
      return;
    }
    const slice = ifReadable(() => readSlice(unit.subarray(HEAD)));
    if (slice && beginsPicture(slice, stampMs)) {
      flush();
      first = { slice, idr: type === UNIT.idr, sets: known.setsFor(slice.ppsId), stampMs, arrivedMs };
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
      ...picture.leading.filter((unit) => !isSuperfluous(unit, sets !== undefined, current)),
      ...picture.slices,
    ];
    const size = units.reduce((sum, unit) => sum + unit.length, 0);
    deps.onPicture({ units, bytes: size, sets, reordered: picture.reordered, stampMs, arrivedMs });
  }

  return { push, flush };
}

const isRecovery = (unit: Buffer) =>
  typeOf(unit.subarray(HEAD)) === UNIT.sei && isRecoveryPoint(unit.subarray(HEAD));

/** Delimiters, and parameter sets that the init segment holds: at a key frame whichever came, because it was made
 *  of the newest. A set that changes within a group of pictures stays where it is.
 *  @param current in force since the last key frame */
function isSuperfluous(unit: Buffer, atKeyFrame: boolean, current: StreamSets | undefined): boolean {
  const bare = unit.subarray(HEAD);
  const type = typeOf(bare);
  if (type === UNIT.delimiter) return true;
  if (type !== UNIT.sps && type !== UNIT.pps) return false;
  if (atKeyFrame || current?.spsUnit.equals(bare)) return true;
  return current?.ppsUnits.some((known) => known.equals(bare)) ?? false;
}
