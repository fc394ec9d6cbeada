import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  causeText,
  pixelsOf,
  replayRecord,
  type SuppressedRecord,
  THUMBNAIL,
} from '../../../agent/motion/motion.ts';
import { suppressedRecordIn } from '../../../agent/motion/suppressed/read.ts';
import { areaOf, type ZoneSettings } from '../../../agent/motion/zones/judge.ts';
import { Refusal } from '../command/ends.ts';
import { type Canvas, createCanvas } from './canvas.ts';
import { colourOf, DARK, GREY, WHITE } from './colours.ts';
import { drawMarks } from './marks.ts';
import type { Options } from './options.ts';
import { writePng } from './pictures.ts';

const SCALE = 5;
const GAP = 8;
const LINE = 22;
const { width, height } = THUMBNAIL;
const PICTURE = { width: width * SCALE, height: height * SCALE };
/** So many of the largest regions are told in words; all are drawn. */
const MOST_TOLD = 8;

/** Decides a kept note again and draws it: its pictures with regions and zones, its numbers, the decision then, and
 *  with other settings also what those would have done. The decisions are told on standard error, too.
 *  @returns the files that were written */
export async function replayNote({ file, out }: Options, other: ZoneSettings | undefined): Promise<string[]> {
  const record = readNote(file);
  const words = wordsOf(record, other);
  for (const line of words.decisions) process.stderr.write(`${line}\n`);
  const canvas = drawNote(record, words);
  const written = join(out, `${basename(file, '.json')}.note.png`);
  await writePng(written, canvas);
  return [written];
}

function readNote(file: string): SuppressedRecord {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`${file}: ${(error as Error).message}`);
  }
  const record = suppressedRecordIn(text);
  if (record) return record;
  throw new Refusal(
    `${file} is no kept note: those lie in suppressed/CAMERA/ of the data folder, or it is damaged`,
  );
}

type Words = ReturnType<typeof wordsOf>;

function wordsOf(record: SuppressedRecord, other: ZoneSettings | undefined) {
  const decided = (settings?: ZoneSettings) => {
    const again = replayRecord(record, settings);
    if (again.kind === 'motion') return `a recording: ${causeText(again.cause)}`;
    return again.kind === 'suppressed' ? `suppressed: ${again.reason}` : again.kind;
  };
  const { last } = record;
  return {
    decisions: [
      `decided then: suppressed: ${record.reason}`,
      `decided again with the settings of then: ${decided()}`,
      ...(other ? [`with the other settings: ${decided(other)}`] : []),
    ],
    regions: [
      ...record.models.flatMap(modelWords),
      ...(last ? [`${(last.afterMs / 1000).toFixed(1)} s later, the last picture with this reason:`] : []),
      ...(last?.models ?? []).flatMap(modelWords),
    ],
  };
}

function modelWords({ sensitivity, reason, quiet, sightings }: SuppressedRecord['models'][number]): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const told = sightings.toSorted((a, b) => areaOf(b.region) - areaOf(a.region)).slice(0, MOST_TOLD);
  return [
    `at sensitivity ${sensitivity} the model said: ${quiet ? 'quiet' : (reason ?? 'motion')}`,
    ...told.map(({ region, seenMs, travel, path, stays }) =>
      [
        `  box ${percent(areaOf(region))} of the picture`,
        `seen ${seconds(seenMs)}`,
        `went ${percent(travel)} of the width (way ${percent(path)})`,
        ...stays.map(({ zone, ms }) => `in ${zone} ${seconds(ms)}`),
      ].join(', '),
    ),
    ...(sightings.length > told.length ? [`  and ${sightings.length - told.length} smaller ones`] : []),
  ];
}

function drawNote(record: SuppressedRecord, words: Words): Canvas {
  const pictures = record.pictures.flatMap((picture) => {
    const pixels = pixelsOf(picture);
    return pixels ? [{ afterMs: picture.afterMs, pixels }] : [];
  });
  const top = 2 * LINE + GAP;
  const textTop = top + PICTURE.height + GAP;
  const lines = [...words.decisions, ...words.regions];
  const canvas = createCanvas(
    GAP + Math.max(3, pictures.length) * (PICTURE.width + GAP),
    textTop + lines.length * LINE + GAP,
  );
  canvas.fill({ left: 0, top: 0, right: canvas.width, bottom: canvas.height }, DARK);
  const when = new Date(record.atMs).toISOString();
  const colour = colourOf({ kind: 'suppressed', reason: record.reason });
  canvas.text(`${when}  suppressed: ${record.reason}`, GAP, 4, colour);
  pictures.forEach(({ afterMs, pixels }, place) => {
    const left = GAP + place * (PICTURE.width + GAP);
    const when = `${afterMs > 0 ? '+' : ''}${(afterMs / 1000).toFixed(1)} s`;
    canvas.text(afterMs === 0 ? 'the decision' : when, left, LINE + 4, GREY);
    drawPicture(canvas, left, top, pixels);
    drawMarks(canvas, { left, top, ...PICTURE }, record.settings);
    if (afterMs === 0) drawRegions(canvas, left, top, record);
  });
  lines.forEach((line, n) => {
    const isDecision = n < words.decisions.length;
    canvas.text(line, GAP, textTop + n * LINE, isDecision ? WHITE : GREY);
  });
  return canvas;
}

function drawPicture(canvas: Canvas, left: number, top: number, pixels: Uint8Array): void {
  for (let y = 0; y < PICTURE.height; y++)
    for (let x = 0; x < PICTURE.width; x++) {
      const level = pixels[Math.floor(y / SCALE) * width + Math.floor(x / SCALE)] as number;
      const to = ((top + y) * canvas.width + left + x) * 3;
      canvas.bytes.fill(level, to, to + 3);
    }
}

function drawRegions(canvas: Canvas, left: number, top: number, { models, reason }: SuppressedRecord): void {
  for (const { sightings } of models)
    for (const { region } of sightings)
      canvas.frame(
        {
          left: left + region[0] * PICTURE.width,
          top: top + region[1] * PICTURE.height,
          right: left + region[2] * PICTURE.width,
          bottom: top + region[3] * PICTURE.height,
        },
        colourOf({ kind: 'suppressed', reason }),
      );
}
