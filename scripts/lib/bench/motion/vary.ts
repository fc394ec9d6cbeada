import { createGrain, createRandom } from './made/canvas.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Shows a grey picture another way. Its own picture stays as it is.
 *  @param atS moment of the picture, on which swing and shake depend; negative is fine
 *  @returns one array of the same size, used again for the next picture */
export type Vary = (grey: Uint8Array, atS: number) => Uint8Array;

/** Fills `out`, which rounds and cuts off at black and white. */
type Draw = (out: Uint8ClampedArray, grey: Uint8Array, atS: number) => void;

const TURN = 2 * Math.PI;

/** Each level becomes another one, the same everywhere and always. */
function levels(of: (level: number) => number): () => Draw {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, level) => of(level));
  return () => (out, grey) => {
    for (let i = 0; i < out.length; i++) out[i] = table[grey[i] as number] as number;
  };
}

const gamma = (power: number) => levels((level) => 255 * (level / 255) ** power);
const contrast = (share: number) => levels((level) => 110 + share * (level - 110));

/** Grey levels, as a sensor adds them: a bell curve of this deviation, other numbers in each picture. The numbers
 *  follow from how many pictures came before, so a clip gets the same ones at each run. */
const grain = (deviation: number) => (): Draw => {
  const numbers = createGrain(createRandom(7));
  const random = createRandom(11);
  return (out, grey) => {
    let next = Math.floor(random() * numbers.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = (grey[i] as number) + deviation * (numbers[next] as number);
      next = next + 1 === numbers.length ? 0 : next + 1;
    }
  };
};

/** The whole picture gets brighter and darker by this share, as with an exposure that hunts. */
const swing = (share: number, periodS: number) => (): Draw => (out, grey, atS) => {
  const gain = 1 + share * Math.sin((TURN * atS) / periodS);
  for (let i = 0; i < out.length; i++) out[i] = gain * (grey[i] as number);
};

/** The camera shakes by whole pixels; what lies beyond the border is as the border. */
const shake =
  ([reachX, hertzX]: readonly [number, number], [reachY, hertzY]: readonly [number, number]) =>
  ({ width, height }: Size): Draw =>
  (out, grey, atS) => {
    const dx = Math.round(reachX * Math.sin(TURN * hertzX * atS));
    const dy = Math.round(reachY * Math.sin(TURN * hertzY * atS));
    for (let y = 0, i = 0; y < height; y++) {
      const row = within(y + dy, height) * width;
      for (let x = 0; x < width; x++, i++) out[i] = grey[row + within(x + dx, width)] as number;
    }
  };

const within = (at: number, length: number) => Math.max(0, Math.min(length - 1, at));

/** Around the middle, bilinear: 2 shows everything twice as large. Border pixels go on outwards. */
const zoom =
  (factor: number) =>
  ({ width, height }: Size): Draw =>
  (out, grey) => {
    const source = (at: number, length: number) =>
      within((at + 0.5 - length / 2) / factor + length / 2 - 0.5, length);
    for (let y = 0, i = 0; y < height; y++) {
      const fromY = source(y, height);
      const top = Math.min(height - 2, Math.floor(fromY));
      for (let x = 0; x < width; x++, i++) {
        const fromX = source(x, width);
        const left = Math.min(width - 2, Math.floor(fromX));
        const at = top * width + left;
        const above = mix(grey[at] as number, grey[at + 1] as number, fromX - left);
        const below = mix(grey[at + width] as number, grey[at + width + 1] as number, fromX - left);
        out[i] = mix(above, below, fromY - top);
      }
    }
  };

const mix = (a: number, b: number, share: number) => a + (b - a) * share;

const mirrored =
  ({ width, height }: Size): Draw =>
  (out, grey) => {
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) out[i] = grey[y * width + width - 1 - x] as number;
  };

const upsideDown =
  ({ width, height }: Size): Draw =>
  (out, grey) => {
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) out[i] = grey[(height - 1 - y) * width + x] as number;
  };

/** Reaches in pixels of a picture of 320 x 180, times in seconds. */
const WAYS = {
  mirrored,
  'upside-down': upsideDown,
  brighter: gamma(0.6),
  darker: gamma(1.6),
  flat: contrast(0.6),
  flatter: contrast(0.4),
  grain: grain(6),
  swing: swing(0.2, 7),
  shake: shake([2.2, 3.1], [1.3, 4.3]),
  small: zoom(0.6),
  large: zoom(1 / 0.65),
} as const satisfies Readonly<Record<string, (size: Size) => Draw>>;

export type Variation = keyof typeof WAYS;

/** What a clip can be shown as; what is true about it stays true, only with `large` some of it leaves the picture. */
export const VARIATIONS = Object.keys(WAYS) as readonly Variation[];

/** One for each clip: grain counts the pictures.
 *  @param size of the pictures it gets, at least 2 x 2 */
export function createVary(kind: Variation, size: Size): Vary {
  const draw = WAYS[kind](size);
  const shown = new Uint8Array(size.width * size.height);
  const out = new Uint8ClampedArray(shown.buffer);
  return (grey, atS) => {
    draw(out, grey, atS);
    return shown;
  };
}
