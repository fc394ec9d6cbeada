import { existsSync } from 'node:fs';
import { FONT, quoted } from '../analysis/annotate.ts';
import { outputOf, runMediaTool } from '../analysis/run-media-tool.ts';
import type { Picture } from '../detectors/detector.ts';
import { NoSheet } from './no-sheet.ts';

/** Red, green and blue as one number: 0xff3b30. */
export type Colour = number;

/** Where and how large, in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const PNG_LIMIT = 64 * 1024 * 1024;
const LINE = 2;
/** Advance of a character of the font over its size. */
const ADVANCE = 0.602;

export type Canvas = ReturnType<typeof createCanvas>;

/** A picture to paste others into and to write on. FFmpeg writes the letters and packs it as PNG. */
export function createCanvas(width: number, height: number, ground: Colour) {
  const rgb = new Uint8Array(width * height * 3);
  const texts: string[] = [];

  /** What lies outside is left out. */
  function fill({ x, y, width: across, height: down }: Area, colour: Colour): void {
    const [left, right] = [Math.max(0, x), Math.min(width, x + across)];
    for (let row = Math.max(0, y); row < Math.min(height, y + down); row++)
      for (let at = (row * width + left) * 3; at < (row * width + right) * 3; at += 3) {
        rgb[at] = colour >> 16;
        rgb[at + 1] = (colour >> 8) & 255;
        rgb[at + 2] = colour & 255;
      }
  }

  function outline({ x, y, width: across, height: down }: Area, colour: Colour): void {
    fill({ x, y, width: across, height: LINE }, colour);
    fill({ x, y: y + down - LINE, width: across, height: LINE }, colour);
    fill({ x, y, width: LINE, height: down }, colour);
    fill({ x: x + across - LINE, y, width: LINE, height: down }, colour);
  }

  /** The picture as it is; it has to fit. */
  function paste(picture: Picture, x: number, y: number): void {
    const row = picture.width * 3;
    for (let down = 0; down < picture.height; down++)
      rgb.set(picture.rgb.subarray(down * row, (down + 1) * row), ((y + down) * width + x) * 3);
  }

  /** One line of text; its upper left corner. */
  function write(text: string, x: number, y: number, size: number, colour: Colour): void {
    if (text === '') return;
    texts.push(
      `drawtext=fontfile=${quoted(FONT)}:text=${quoted(text)}:expansion=none:fontsize=${size}` +
        `:fontcolor=0x${colour.toString(16).padStart(6, '0')}:x=${x}:y=${y + size}-ascent`,
    );
  }

  /** @throws NoSheet */
  async function png(signal: AbortSignal): Promise<Buffer> {
    if (!existsSync(FONT)) throw new NoSheet(`there is no font ${FONT}: install fonts-dejavu-core`);
    const tool = runMediaTool(
      'ffmpeg',
      [
        ...['-nostdin', '-v', 'error', '-threads', '1', '-filter_threads', '1', '-f', 'rawvideo'],
        ...['-pix_fmt', 'rgb24', '-video_size', `${width}x${height}`, '-i', 'pipe:0'],
        ...['-vf', ['format=rgb24', ...texts].join(','), '-c:v', 'png', '-pix_fmt', 'rgb24'],
        ...['-frames:v', '1', '-f', 'image2pipe', 'pipe:1'],
      ],
      { signal, input: rgb },
    );
    const bytes = await outputOf(tool, PNG_LIMIT);
    signal.throwIfAborted();
    const { code } = await tool.ended;
    if (code !== 0 || bytes.length === 0)
      throw new NoSheet(`the sheet could not be drawn: ${tool.complaint() || `ffmpeg ended with ${code}`}`);
    return bytes;
  }

  fill({ x: 0, y: 0, width, height }, ground);
  return { fill, outline, paste, write, png };
}

/** Lines of a text that are no wider, broken between words. */
export function wrapped(text: string, size: number, width: number): string[] {
  const most = Math.max(1, Math.floor(width / (size * ADVANCE)));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    for (; line.length > most; line = line.slice(most)) lines.push(line.slice(0, most));
  }
  return line === '' ? lines : [...lines, line];
}
