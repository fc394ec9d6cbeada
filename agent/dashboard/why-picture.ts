import { crc32, deflateSync } from 'node:zlib';
import { pixelsOf, type SuppressedRecord, THUMBNAIL } from '../motion/motion.ts';

const { width, height } = THUMBNAIL;
const GAP = 2;
/** The palette's last colour, for frames around regions; greys are darkened by it at most by one level. */
const FRAME = 255;
const FRAME_RGB = [255, 140, 0];

/** The pictures of a record side by side, oldest first, regions framed in the one that was judged. PNG. */
export function pictureStrip({ pictures, models }: SuppressedRecord): Uint8Array {
  const shown = pictures.flatMap((picture) => {
    const grey = pixelsOf(picture);
    return grey ? [{ judged: picture.afterMs === 0, grey }] : [];
  });
  const stripWidth = Math.max(1, shown.length * (width + GAP) - GAP);
  const strip = new Uint8Array(stripWidth * height);
  shown.forEach(({ judged, grey }, index) => {
    const left = index * (width + GAP);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        strip[y * stripWidth + left + x] = Math.min(FRAME - 1, grey[y * width + x] as number);
    if (!judged) return;
    for (const { sightings } of models)
      for (const { region } of sightings) frame(strip, stripWidth, left, region);
  });
  return png(strip, stripWidth);
}

function frame(strip: Uint8Array, stripWidth: number, offset: number, region: readonly number[]): void {
  const at = (share: number | undefined, count: number) =>
    Math.max(0, Math.min(count - 1, Math.floor((share ?? 0) * count)));
  const [left, right] = [at(region[0], width), at(region[2], width)];
  const [top, bottom] = [at(region[1], height), at(region[3], height)];
  for (let x = left; x <= right; x++)
    strip[top * stripWidth + offset + x] = strip[bottom * stripWidth + offset + x] = FRAME;
  for (let y = top; y <= bottom; y++)
    strip[y * stripWidth + offset + left] = strip[y * stripWidth + offset + right] = FRAME;
}

/** PNG (ISO/IEC 15948), colour type 3: 255 greys and the colour of frames. */
function png(strip: Uint8Array, stripWidth: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(stripWidth, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(
    Array.from({ length: FRAME }, (_, i) => [i, i, i])
      .flat()
      .concat(FRAME_RGB),
  );
  const rows = Buffer.alloc((stripWidth + 1) * height);
  for (let y = 0; y < height; y++)
    rows.set(strip.subarray(y * stripWidth, (y + 1) * stripWidth), y * (stripWidth + 1) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(named, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
