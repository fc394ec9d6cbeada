import type { Picture, RelativeBox } from '../../detectors/detector.ts';
import { fitInto } from '../../detectors/letterbox.ts';

/** A decoded picture in the camera's own pixels: planar YCbCr 4:2:0 (BT.601, 16 to 235), rows from the top.
 *  Valid until the next one is asked for. */
export interface FullPicture {
  readonly width: number;
  readonly height: number;
  /** `width * height` bytes. */
  readonly luma: Uint8Array;
  /** Half as wide and high, rounded up. */
  readonly blue: Uint8Array;
  readonly red: Uint8Array;
}

/** Larger pictures are made smaller first: bounds memory and time to what one of 2560 × 1440 needs. */
const MAX_PIXELS = 2560 * 1440;

/** Size in which pictures of a clip are looked at. */
export function fullSize({ width, height }: { readonly width: number; readonly height: number }) {
  const ratio = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)));
  return { width: Math.max(1, Math.floor(width * ratio)), height: Math.max(1, Math.floor(height * ratio)) };
}

/** Bytes of one picture. */
export const pictureBytes = (width: number, height: number): number =>
  width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);

/** The planes of a picture as FFmpeg writes them one after the other. */
export function pictureOf(bytes: Uint8Array, width: number, height: number): FullPicture {
  const luma = width * height;
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  return {
    width,
    height,
    luma: bytes.subarray(0, luma),
    blue: bytes.subarray(luma, luma + chroma),
    red: bytes.subarray(luma + chroma, luma + 2 * chroma),
  };
}

export const WHOLE: RelativeBox = [0, 0, 1, 1];

/** Most source pixels, in each direction, that are averaged for one; beyond that some are left out. */
const MAX_AVERAGED = 4;

/** A region of the picture as a detector wants it: packed RGB that fits into a square of `side` pixels, proportions
 *  kept. Made smaller by averaging, larger by linear interpolation.
 *  @param mirrored left and right exchanged */
export function cutOut(
  picture: FullPicture,
  region: RelativeBox,
  side: number,
  { mirrored = false }: { mirrored?: boolean } = {},
): Picture {
  const left = region[0] * picture.width;
  const top = region[1] * picture.height;
  const sourceWidth = Math.max(1, (region[2] - region[0]) * picture.width);
  const sourceHeight = Math.max(1, (region[3] - region[1]) * picture.height);
  const { width, height } = fitInto(side, { width: sourceWidth, height: sourceHeight });
  const columns = axis(left, sourceWidth, width, picture.width);
  if (mirrored) for (const table of Object.values(columns)) table.reverse();
  const rows = axis(top, sourceHeight, height, picture.height);
  const light = new Uint8Array(width * height);
  const averaged = Math.max(1, Math.min(MAX_AVERAGED, Math.floor(sourceWidth / width)));
  if (averaged > 1) average(picture, columns, rows, averaged, light);
  else interpolate(picture, columns, rows, light);
  return { rgb: inColour(picture, columns, rows, light), width, height };
}

/** BT.601, in 1024ths. */
function inColour({ blue, red, ...size }: FullPicture, columns: Axis, rows: Axis, light: Uint8Array) {
  const width = columns.nearest.length;
  const chromaWidth = Math.ceil(size.width / 2);
  const rgb = new Uint8ClampedArray(light.length * 3);
  let [from, to] = [0, 0];
  for (const row of rows.nearest) {
    const chromaRow = (row >> 1) * chromaWidth;
    for (let x = 0; x < width; x++, from++, to += 3) {
      const chroma = chromaRow + ((columns.nearest[x] as number) >> 1);
      const y = ((light[from] as number) - 16) * 1192 + 512;
      const b = (blue[chroma] as number) - 128;
      const r = (red[chroma] as number) - 128;
      rgb[to] = (y + 1634 * r) >> 10;
      rgb[to + 1] = (y - 401 * b - 833 * r) >> 10;
      rgb[to + 2] = (y + 2066 * b) >> 10;
    }
  }
  return new Uint8Array(rgb.buffer);
}

interface Axis {
  /** Source pixel in the middle of each target pixel. */
  readonly nearest: Int32Array;
  /** Source pixel before it, and how much of the next one counts, in 256ths. */
  readonly before: Int32Array;
  readonly weight: Int32Array;
}

function axis(from: number, length: number, size: number, limit: number): Axis {
  const nearest = new Int32Array(size);
  const before = new Int32Array(size);
  const weight = new Int32Array(size);
  for (let at = 0; at < size; at++) {
    const middle = from + ((at + 0.5) * length) / size;
    nearest[at] = Math.max(0, Math.min(limit - 1, Math.floor(middle)));
    const low = Math.max(0, Math.min(limit - 1, middle - 0.5));
    before[at] = Math.min(Math.max(0, limit - 2), Math.floor(low));
    weight[at] = Math.round(Math.min(1, low - (before[at] as number)) * 256);
  }
  return { nearest, before, weight };
}

function interpolate({ luma, width, height }: FullPicture, columns: Axis, rows: Axis, light: Uint8Array) {
  const below = height > 1 ? width : 0;
  const right = width > 1 ? 1 : 0;
  let to = 0;
  for (const [y, row] of rows.before.entries()) {
    const down = rows.weight[y] as number;
    for (let x = 0; x < columns.before.length; x++, to++) {
      const at = row * width + (columns.before[x] as number);
      const across = columns.weight[x] as number;
      const a = luma[at] as number;
      const b = luma[at + right] as number;
      const c = luma[at + below] as number;
      const d = luma[at + below + right] as number;
      const upper = (a << 8) + (b - a) * across;
      const lower = (c << 8) + (d - c) * across;
      light[to] = ((upper << 8) + (lower - upper) * down + 32_768) >> 16;
    }
  }
}

function average(
  { luma, width, height }: FullPicture,
  columns: Axis,
  rows: Axis,
  count: number,
  light: Uint8Array,
) {
  const half = count >> 1;
  const pixels = count * count;
  let to = 0;
  for (const row of rows.nearest) {
    const fromY = Math.max(0, Math.min(height - count, row - half));
    for (let x = 0; x < columns.nearest.length; x++, to++) {
      const fromX = Math.max(0, Math.min(width - count, (columns.nearest[x] as number) - half));
      let sum = 0;
      for (let y = 0; y < count; y++) {
        const at = (fromY + y) * width + fromX;
        for (let column = 0; column < count; column++) sum += luma[at + column] as number;
      }
      light[to] = sum / pixels;
    }
  }
}
