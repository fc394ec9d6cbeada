import { existsSync } from 'node:fs';
import { groupOf, type LabelGroup } from '../detectors/coco-labels.ts';
import type { Detection } from '../detectors/detector.ts';
import { ClipProblem } from '../clip-problem.ts';
import { paddingOf, placeLabels, type PlacedLabel } from './place-labels.ts';
import type { ClipShape } from './probe.ts';
import { ONLY_THIS_FILE, outputOf, runMediaTool } from './run-media-tool.ts';

/** From Debian's fonts-dejavu-core. Monospaced: place-labels.ts reckons with that. */
export const FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf';
const MAX_WIDTH = 1280;
/** FFmpeg's scale 2 (best) to 31; 4 looks and weighs like quality 80 elsewhere. */
const JPEG_QSCALE = '4';
const JPEG_LIMIT = 8 * 1024 * 1024;
const DEADLINE_MS = 60_000;
/** More boxes than that hide the picture. */
const MAX_BOXES = 30;

/** Distinct also for eyes that mix up red and green. */
const COLOURS = {
  person: { box: '0xff3b30', text: 'white' },
  animal: { box: '0xffcc00', text: 'black' },
  vehicle: { box: '0x0a84ff', text: 'white' },
} as const satisfies Record<LabelGroup, { box: string; text: string }>;

/** The frame at a time of the clip with boxes and labels, as JPEG, at most 1280 pixels wide.
 *  @throws ClipProblem when the frame cannot be decoded again */
export async function annotateFrame(
  file: string,
  clip: ClipShape,
  frame: { readonly atMs: number; readonly detections: readonly Detection[] },
  { signal, whitelist = ONLY_THIS_FILE }: { signal: AbortSignal; whitelist?: readonly string[] },
): Promise<Buffer> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const size = pictureSize(clip);
  const tool = runMediaTool(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-threads', '1', '-filter_threads', '1'],
      // Half a millisecond early: times were rounded, and the frame itself must not be skipped.
      ...(frame.atMs > 0 ? ['-ss', ((frame.atMs - 0.5) / 1000).toFixed(4)] : []),
      ...[...whitelist, '-i', file, '-map', '0:v:0', '-an', '-sn', '-dn'],
      ...['-vf', annotationFilter(frame.detections, size, existsSync(FONT) ? FONT : undefined)],
      ...['-frames:v', '1', '-c:v', 'mjpeg', '-q:v', JPEG_QSCALE, '-f', 'image2pipe', 'pipe:1'],
    ],
    { signal: AbortSignal.any([signal, deadline]) },
  );
  const jpeg = await outputOf(tool, JPEG_LIMIT);
  signal.throwIfAborted();
  const { code } = await tool.ended;
  if (code !== 0 || jpeg.length === 0)
    throw new ClipProblem('analysis.annotate', `the best frame could not be drawn: ${tool.complaint()}`, {
      final: false,
    });
  return jpeg;
}

/** At most 1280 wide, both sides even as the JPEG encoder's colour planes want. */
export function pictureSize(clip: { readonly width: number; readonly height: number }) {
  const ratio = Math.min(1, MAX_WIDTH / clip.width);
  const even = (length: number) => Math.max(2, Math.round((length * ratio) / 2) * 2);
  return { width: even(clip.width), height: even(clip.height) };
}

/** FFmpeg filters that scale the frame and draw. Without a font the boxes stay, unlabelled.
 *  @param detections the most important first */
export function annotationFilter(
  detections: readonly Detection[],
  size: { readonly width: number; readonly height: number },
  font: string | undefined,
): string {
  const line = Math.max(2, Math.round(size.width / 400));
  const drawn = detections.slice(0, MAX_BOXES);
  const labels = placeLabels(drawn, size);
  // Least important first, so that a person's box and label lie on top.
  const boxes = drawn.toReversed().flatMap((detection) => {
    const colour = coloursOf(detection.label).box;
    const { x, y, width, height } = inPixels(detection.box, size);
    return [
      drawBox(x, y, width, height, `${colour}@0.10`, 'fill'),
      drawBox(x, y, width, height, colour, line),
    ];
  });
  const chips = font === undefined ? [] : labels.toReversed().flatMap((label) => drawLabel(label, font));
  return [
    `scale=${size.width}:${size.height}:flags=bicubic`,
    'format=yuv444p',
    ...boxes,
    ...chips,
    'format=yuvj420p',
  ].join(',');
}

const coloursOf = (label: string) => COLOURS[groupOf(label) ?? 'vehicle'];
/** Of the boxes around things of that kind: red, green, blue. */
export const colourOf = (label: string): number => Number(coloursOf(label).box);

function inPixels(box: Detection['box'], size: { readonly width: number; readonly height: number }) {
  const x = Math.round(box[0] * size.width);
  const y = Math.round(box[1] * size.height);
  return {
    x,
    y,
    width: Math.max(1, Math.round(box[2] * size.width) - x),
    height: Math.max(1, Math.round(box[3] * size.height) - y),
  };
}

function drawLabel({ x, y, width, height, text, fontSize, detection }: PlacedLabel, font: string): string[] {
  const colour = coloursOf(detection.label);
  return [
    drawBox(x, y, width, height, colour.box, 'fill'),
    `drawtext=fontfile=${quoted(font)}:text=${quoted(text)}:expansion=none:fontsize=${fontSize}` +
      `:fontcolor=${colour.text}:x=${x + paddingOf(fontSize)}:y=${y + fontSize}-ascent`,
  ];
}

const drawBox = (x: number, y: number, w: number, h: number, colour: string, t: number | 'fill') =>
  `drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=${colour}:t=${t}`;

/** A value for a filter graph, which is unquoted twice: by the graph and by the filter's options. */
export function quoted(value: string): string {
  const option = value.replace(/[\\':]/g, (character) => `\\${character}`);
  return `'${option.replaceAll("'", `'\\''`)}'`;
}
