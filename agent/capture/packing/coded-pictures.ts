import { Failure } from '../../kernel/failure.ts';
import type { Coding, Slice } from './coding.ts';
import { CODINGS } from './codings.ts';
import { createKnownSets, ifReadable, type KnownSets, type StreamSets, unitsOfSets } from './known-sets.ts';
import { createShownOrder } from './shown-order.ts';
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
  /** Chosen by the first unit: a stream has one coding. */
  let reading: { readonly coding: Coding; readonly known: KnownSets } | undefined;
  const isReordered = createShownOrder();
  /** Units in front of a picture's first slice. */
  let before: Buffer[] = [];
  let slices: Buffer[] = [];
  let leading: Buffer[] = [];
  let bytes = 0;
  let first: Begun | undefined;
  let reordered = false;
  let isLeading = false;
  let allIntra = true;
  /** Those in force since the last key frame. */
  let current: StreamSets | undefined;
  /** Pictures behind the last key frame that are shown before it may need what is not there. */
  let leadingPictures = false;

  function push({ unit, encoding, stampMs, afterLoss }: StreamUnit, arrivedMs: number): void {
    reading ??= { coding: CODINGS[encoding], known: createKnownSets(CODINGS[encoding]) };
    if (afterLoss) {
      forget();
      before = [];
      current = undefined;
    }
    take(reading, unit, stampMs, arrivedMs);
  }

  function forget(): void {
    first = undefined;
    slices = [];
    leading = [];
    bytes = 0;
    reordered = false;
    isLeading = false;
    allIntra = true;
  }

  function take(
    { coding, known }: NonNullable<typeof reading>,
    unit: Buffer,
    stampMs: number | undefined,
    arrivedMs: number,
  ): void {
    const bare = unit.subarray(HEAD);
    const kind = coding.kindOf(bare);
    if (kind === 'foreign') return;
    if (kind === 'behind' && first) return collect(unit);
    if (kind !== 'slice') {
      known.learn(bare);
      before.push(unit);
      if (before.length > MAX_UNITS) before.shift();
      return;
    }
    const slice = ifReadable(() => coding.readSlice(bare, (ppsId) => known.headerSets(ppsId)));
    if (slice && (!first || beginsPicture(slice, stampMs, first))) {
      flush();
      first = { slice, sets: known.setsFor(slice.ppsId), stampMs, arrivedMs };
      leading = before;
      before = [];
    }
    if (!first) return;
    if (slice) {
      reordered = isReordered(slice) || reordered;
      isLeading ||= slice.isLeading;
    }
    allIntra &&= slice?.intra ?? false;
    collect(unit);
  }

  function collect(unit: Buffer): void {
    slices.push(unit);
    bytes += unit.length;
    if (bytes > MAX_PICTURE_BYTES || slices.length > MAX_UNITS)
      throw new Failure('corrupt', 'capture.picture-size', `The stream has a picture of ${bytes} bytes`);
  }

  function flush(): void {
    if (!first || !reading) return;
    const { coding } = reading;
    const { slice, stampMs, arrivedMs } = first;
    const isRecovery = allIntra && leading.some((unit) => saysRecovery(coding, unit.subarray(HEAD)));
    const access = slice.access ?? (isRecovery ? 'open' : undefined);
    const sets = access ? first.sets : undefined;
    const picture = { slices, leading, reordered, isLeading };
    forget();
    if (sets || slice.access) {
      current = sets;
      leadingPictures = access === 'open';
    } else if (!picture.reordered) leadingPictures = false;
    if (!current || (picture.isLeading && leadingPictures)) return;
    const atKeyFrame = sets !== undefined;
    const units = [...needed(coding, picture.leading, atKeyFrame, current), ...picture.slices];
    const size = units.reduce((sum, unit) => sum + unit.length, 0);
    deps.onPicture({ units, bytes: size, sets, reordered: picture.reordered, stampMs, arrivedMs });
  }

  return { push, flush };
}

const saysRecovery = (coding: Coding, bare: Buffer) =>
  coding.kindOf(bare) === 'supplement' && coding.isRecoveryPoint(bare);

/** Whether a slice begins another picture than the one that was begun. */
function beginsPicture(slice: Slice, stampMs: number | undefined, begun: Begun): boolean {
  const apart = Math.abs((stampMs ?? 0) - (begun.stampMs ?? 0));
  if (apart === 0 && (stampMs === undefined) === (begun.stampMs === undefined)) {
    // Cameras whose stamps stand still send pictures all the same.
    return slice.first && begun.slice.first;
  }
  return slice.first || apart >= SAME_STAMP_MS;
}

/** Units in front of a picture without delimiters, and without parameter sets that the init segment holds: at a key
 *  frame whichever came, because it was made of the newest. A set that changes within a group of pictures stays where
 *  it is.
 *  @param current in force since the last key frame */
const needed = (
  coding: Coding,
  units: readonly Buffer[],
  atKeyFrame: boolean,
  current: StreamSets,
): Buffer[] =>
  units.filter((unit) => {
    const bare = unit.subarray(HEAD);
    const kind = coding.kindOf(bare);
    if (kind === 'delimiter') return false;
    if (kind !== 'vps' && kind !== 'sps' && kind !== 'pps') return true;
    return !atKeyFrame && !unitsOfSets(current).some((known) => known.equals(bare));
  });
