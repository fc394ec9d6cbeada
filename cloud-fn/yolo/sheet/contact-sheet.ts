import { colourOf } from '../analysis/annotate.ts';
import type { Analysis } from '../analysis/analyse-clip.ts';
import type { Asked } from '../analysis/second-opinion.ts';
import { factsOf, type Track, type TrackFacts } from '../analysis/tracks.ts';
import type { RelativeBox } from '../detectors/detector.ts';
import { type Canvas, createCanvas, wrapped } from './canvas.ts';
import { type Crop, cutCrops, spread } from './crops.ts';

/** What the orchestration says about the worker's answer. */
export interface Judged {
  readonly verdict: string;
  readonly reason: string;
}

const GROUND = 0x1c1c1e;
const BRIGHT = 0xffffff;
const DIM = 0xaeaeb2;
const AGREES = 0x30d158;
const DENIES = 0xff453a;

const MARGIN = 16;
const SIDE = 150;
const GAP = 6;
const CAPTION = 13;
const ROW = SIDE + CAPTION + 3 * GAP;
const CROPS = 6;
const OPINIONS = 3;
const TEXTS_WIDE = 290;
const CROPS_FROM = MARGIN + TEXTS_WIDE;
const OPINIONS_FROM = CROPS_FROM + CROPS * (SIDE + GAP) + MARGIN;
const WIDTH = OPINIONS_FROM + OPINIONS * (SIDE + GAP) + MARGIN;
const WHOLE = 520;
const HEAD_FROM = 2 * MARGIN + WHOLE;
/** A page that can be taken in; the tracks that say most come first. */
const MOST_ROWS = 20;

interface Row {
  /** In the order in which they began. */
  readonly id: number;
  readonly track: Track;
  readonly facts: TrackFacts;
  readonly reported: boolean;
  readonly asked: Asked | undefined;
}

/** One picture for people who tune by looking: the clip's tracks with pieces of the picture, how sure the detector was,
 *  what the second one said, which tracks were reported, and the verdict with its reason.
 *  @throws ClipProblem, NoSheet; the signal's reason */
export async function contactSheet(
  file: string,
  { details, bestFrame, seen }: Analysis,
  { verdict, reason }: Judged,
  options: { readonly signal: AbortSignal; readonly whitelist: readonly string[] },
): Promise<Buffer> {
  const all = rowsOf(seen);
  const rows = all.slice(0, MOST_ROWS);
  const wanted = new Map(rows.map(({ track }) => [track, spread(track, CROPS)] as const));
  const wholeAt = bestFrame?.atMs ?? rows[0]?.track.sightings[0]?.atMs;
  const crops = await cutCrops(
    file,
    seen,
    wanted,
    { atMs: wholeAt, side: WHOLE },
    { ...options, side: SIDE },
  );
  const lines = headOf(file, { details, verdict, reason, tracks: all.length, shown: rows.length });
  const headHeight = Math.max(
    crops.whole?.height ?? 0,
    lines.reduce((sum, { size }) => sum + size + GAP, 0),
  );
  const rowsFrom = headHeight + 2 * MARGIN;
  const canvas = createCanvas(WIDTH, rowsFrom + rows.length * ROW + MARGIN, GROUND);
  if (crops.whole) {
    canvas.paste(crops.whole, MARGIN, MARGIN);
    const area = { x: MARGIN, y: MARGIN, width: crops.whole.width, height: crops.whole.height };
    for (const row of rows.toReversed()) drawOnWhole(canvas, row, area, wholeAt);
  }
  let y = MARGIN;
  for (const { text, size, colour } of lines) {
    canvas.write(text, HEAD_FROM, y, size, colour);
    y += size + GAP;
  }
  for (const [index, row] of rows.entries())
    drawRow(canvas, row, crops.ofTrack.get(row.track) ?? [], rowsFrom + index * ROW);
  return canvas.png(options.signal);
}

/** Reported tracks in the order of their importance, and then the others, those that were seen most and surest first. */
function rowsOf({ tracks, reported, opinions }: Analysis['seen']): Row[] {
  const ids = new Map(tracks.map((track, index) => [track, index + 1]));
  const known = new Set(reported.map(({ track }) => track));
  const others = tracks
    .filter((track) => !known.has(track))
    .map((track) => ({ track, facts: factsOf(track) }))
    .toSorted((a, b) => b.facts.frames * b.facts.confidenceMax - a.facts.frames * a.facts.confidenceMax);
  return [...reported, ...others].map(({ track, facts }) => ({
    id: ids.get(track) ?? 0,
    track,
    facts,
    reported: known.has(track),
    asked: opinions.get(track),
  }));
}

function headOf(
  file: string,
  about: Judged & { details: Analysis['details']; tracks: number; shown: number },
): { text: string; size: number; colour: number }[] {
  const { details } = about;
  const wide = WIDTH - HEAD_FROM - MARGIN;
  const paragraph = (text: string, size: number, colour: number) =>
    wrapped(printable(text), size, wide).map((line) => ({ text: line, size, colour }));
  const { coverage } = details;
  const second = details.second_model
    ? `${details.second_model.name} was asked about people`
    : 'no second detector was asked';
  return [
    ...paragraph(file, 15, DIM),
    ...paragraph(about.verdict, 30, BRIGHT),
    ...paragraph(about.reason, 17, BRIGHT),
    ...paragraph(`${details.model.name}; ${second}; ${details.strategy}`, 14, DIM),
    ...paragraph(
      `${details.frames.analysed} of ${details.frames.decoded} frames looked at, ${details.cpu_ms} ms of CPU` +
        (coverage ? `, ${seconds(coverage.seen_ms)} of ${seconds(coverage.expected_ms)} s seen` : ''),
      14,
      DIM,
    ),
    ...paragraph(
      `${about.tracks} tracks${about.shown < about.tracks ? `, of which the ${about.shown} that say most are shown` : ''}. ` +
        'Left: where each was seen, dots its way. Right of a row: what the second detector was shown; green: it saw a person, ' +
        'red: it did not.',
      14,
      DIM,
    ),
  ];
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function drawOnWhole(canvas: Canvas, { id, track, facts }: Row, area: Place, atMs: number | undefined): void {
  const colour = colourOf(facts.label);
  for (const { detection } of track.sightings) {
    const x = area.x + ((detection.box[0] + detection.box[2]) / 2) * area.width;
    const y = area.y + ((detection.box[1] + detection.box[3]) / 2) * area.height;
    canvas.fill({ x: Math.round(x) - 1, y: Math.round(y) - 1, width: 3, height: 3 }, colour);
  }
  const now = track.sightings.find((sighting) => sighting.atMs === atMs);
  if (!now) return;
  const box = placed(now.detection.box, area);
  canvas.outline(box, colour);
  canvas.write(`${id}`, box.x + 3, box.y + 2, CAPTION, colour);
}

function drawRow(canvas: Canvas, row: Row, crops: readonly Crop[], y: number): void {
  const { facts, asked } = row;
  const colour = colourOf(facts.label);
  canvas.fill({ x: 0, y: y + GAP, width: 5, height: ROW - 2 * GAP }, row.reported ? colour : 0x48484a);
  for (const [index, text] of factLines(row).entries())
    canvas.write(
      text,
      MARGIN,
      y + GAP + index * 20 + (index > 0 ? 6 : 0),
      index === 0 ? 20 : 14,
      index === 0 ? colour : DIM,
    );
  for (const [index, { sighting, picture, box }] of crops.entries()) {
    const { detection, atMs, moved } = sighting;
    const area = cell(CROPS_FROM, index, y);
    canvas.paste(picture, area.x, area.y);
    canvas.outline(
      placed(box, { ...area, width: picture.width, height: picture.height }),
      colourOf(detection.label),
    );
    const text = `${seconds(atMs)}s ${short(detection.label)} ${percent(detection.confidence)}${moved ? ' ~' : ''}`;
    canvas.write(text, area.x, area.y + SIDE + 2, CAPTION, DIM);
  }
  for (const [index, { picture, box, atMs, agreed }] of (asked?.pictures ?? [])
    .slice(0, OPINIONS)
    .entries()) {
    const area = cell(OPINIONS_FROM, index, y);
    const small = shrunk(picture, SIDE);
    const tone = agreed ? AGREES : DENIES;
    canvas.paste(small, area.x, area.y);
    canvas.outline(placed(box, { ...area, width: small.width, height: small.height }), tone);
    canvas.write(
      `${seconds(atMs)}s ${agreed ? 'a person' : 'nobody'}`,
      area.x,
      area.y + SIDE + 2,
      CAPTION,
      tone,
    );
  }
}

function factLines({ id, facts, track, reported, asked }: Row): string[] {
  return [
    `${id} ${facts.label}`,
    reported ? 'reported' : 'not reported',
    `up to ${percent(facts.confidenceMax)}, ${facts.frames} of ${track.sightings.length} times so`,
    `${seconds(facts.firstMs)} to ${seconds(facts.lastMs)} s`,
    `got ${facts.travelled.toFixed(1)} of its sizes away`,
    `motion there ${percent(facts.movedShare)} of the time`,
    asked ? `second: ${asked.agreed} of ${asked.asked} agree` : '',
  ];
}

const cell = (from: number, index: number, y: number): Place => ({
  x: from + index * (SIDE + GAP),
  y: y + GAP,
  width: SIDE,
  height: SIDE,
});

/** A box relative to an area, cut to it. */
function placed(box: RelativeBox, area: Place): Place {
  const left = Math.round(Math.max(0, box[0]) * area.width);
  const top = Math.round(Math.max(0, box[1]) * area.height);
  return {
    x: area.x + left,
    y: area.y + top,
    width: Math.max(3, Math.round(Math.min(1, box[2]) * area.width) - left),
    height: Math.max(3, Math.round(Math.min(1, box[3]) * area.height) - top),
  };
}

/** Made smaller by leaving pixels out: what the second detector was shown, only to look at. */
function shrunk(picture: Crop['picture'], side: number): Crop['picture'] {
  const ratio = Math.min(1, side / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.floor(picture.width * ratio));
  const height = Math.max(1, Math.floor(picture.height * ratio));
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (Math.floor(y / ratio) * picture.width + Math.floor(x / ratio)) * 3;
      rgb.set(picture.rgb.subarray(from, from + 3), (y * width + x) * 3);
    }
  return { rgb, width, height };
}

const seconds = (ms: number) => (ms / 1000).toFixed(1);
const percent = (share: number) => `${Math.round(share * 100)}%`;
const short = (label: string) => label.slice(0, 7);
/** What a file calls itself may hold anything. */
const printable = (text: string) => text.replace(/\p{C}/gu, '?');
