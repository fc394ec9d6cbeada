import { glyphOf, GLYPH_HEIGHT, GLYPH_WIDTH } from './font.ts';

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [number, number, number];

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A picture to draw on, three bytes a pixel, row by row. What lies outside is cut off. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
  fill(box: Box, colour: Colour, opacity?: number): void;
  frame(box: Box, colour: Colour, thickness?: number): void;
  line(fromX: number, fromY: number, toX: number, toY: number, colour: Colour): void;
  /** Letters are capitals. `scale` pixels for each dot of the font. */
  text(words: string, left: number, top: number, colour: Colour, scale?: number): void;
}

/** Room that a text takes from one letter to the next. */
export const LETTER_WIDTH = GLYPH_WIDTH + 1;

export function createCanvas(width: number, height: number): Canvas {
  const bytes = new Uint8Array(width * height * 3);

  function fill({ left, top, right, bottom }: Box, [red, green, blue]: Colour, opacity = 1): void {
    const toX = Math.min(width, Math.round(right));
    const toY = Math.min(height, Math.round(bottom));
    const fromX = Math.max(0, Math.round(left));
    for (let y = Math.max(0, Math.round(top)); y < toY; y++) {
      for (let at = (y * width + fromX) * 3; at < (y * width + toX) * 3; at += 3) {
        bytes[at] = mix(bytes[at] as number, red, opacity);
        bytes[at + 1] = mix(bytes[at + 1] as number, green, opacity);
        bytes[at + 2] = mix(bytes[at + 2] as number, blue, opacity);
      }
    }
  }

  function frame(box: Box, colour: Colour, thickness = 2): void {
    const { left, top, right, bottom } = box;
    fill({ left, top, right, bottom: top + thickness }, colour);
    fill({ left, top: bottom - thickness, right, bottom }, colour);
    fill({ left, top, right: left + thickness, bottom }, colour);
    fill({ left: right - thickness, top, right, bottom }, colour);
  }

  function line(fromX: number, fromY: number, toX: number, toY: number, colour: Colour): void {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY))));
    for (let step = 0; step <= steps; step++) {
      const left = fromX + ((toX - fromX) * step) / steps;
      const top = fromY + ((toY - fromY) * step) / steps;
      fill({ left, top, right: left + 2, bottom: top + 2 }, colour);
    }
  }

  function text(words: string, left: number, top: number, colour: Colour, scale = 2): void {
    let x = left;
    for (const letter of words.toUpperCase()) {
      const glyph = glyphOf(letter);
      for (let row = 0; row < GLYPH_HEIGHT; row++) {
        for (let column = 0; column < GLYPH_WIDTH; column++) {
          if (glyph[row]?.[column] !== '#') continue;
          const dot = { left: x + column * scale, top: top + row * scale };
          fill({ ...dot, right: dot.left + scale, bottom: dot.top + scale }, colour);
        }
      }
      x += LETTER_WIDTH * scale;
    }
  }

  return { width, height, bytes, fill, frame, line, text };
}

const mix = (under: number, over: number, opacity: number) => under + (over - under) * opacity;
