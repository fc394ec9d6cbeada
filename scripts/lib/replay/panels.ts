import { CELL } from '../../../agent/motion/scene/background.ts';
import type { GateDecision } from '../../../agent/motion/motion.ts';
import { LIT, PLAIN, SOLID } from '../../../agent/motion/scene/texture.ts';
import { type Box, type Canvas, type Colour, LETTER_WIDTH } from './canvas.ts';
import { colourOf, DARK, FLAT, HELD, IDLE, LIGHT, MOTION, SWAY, WHITE } from './colours.ts';
import type { ModelView } from '../../../agent/motion/model-view.ts';
import { drawMarks } from './marks.ts';
import type { Trails } from './trails.ts';
import type { ZoneSettings } from '../../../agent/motion/zones/judge.ts';

/** All there is to see of one picture. */
export interface Look {
  readonly frame: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly decision: GateDecision;
  /** Zones and lines to draw. */
  readonly settings: ZoneSettings;
  /** undefined when the detector does not show itself. */
  readonly model: ModelView | undefined;
  readonly trails: Trails;
}

/** Where a panel is drawn, and how many pixels each pixel of the picture gets. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

type Panel = (canvas: Canvas, place: Place, look: Look) => void;

/** Differences are small: shown so many times stronger. */
const STRONGER = 4;
const CELL_PIXELS = CELL * CELL;

/** What the camera shows, what was followed in it and what counts. */
const drawPicture: Panel = (canvas, place, look) => {
  drawGrey(canvas, place, look, (at) => look.frame[at] as number);
  const { decision, model, trails, settings, width, height } = look;
  drawMarks(canvas, { ...place, width: width * place.scale, height: height * place.scale }, settings);
  if (decision.kind !== 'quiet')
    for (const [left, top, right, bottom] of decision.regions) {
      const box = {
        left: left * look.width,
        top: top * look.height,
        right: right * look.width,
        bottom: bottom * look.height,
      };
      canvas.frame(onCanvas(place, box), colourOf(decision), 2);
    }
  for (const track of model?.tracks ?? []) {
    if (!track.used || !track.seen) continue;
    const colour = track.confirmed ? MOTION : WHITE;
    drawTrail(canvas, place, trails.of(track.id), colour);
    const { left, top } = onCanvas(place, track);
    const label = `${track.id}`;
    const at = { left: left + 2, top: Math.max(place.top + 1, top - 17) };
    const room = { right: at.left + label.length * LETTER_WIDTH * 2 + 1, bottom: at.top + 16 };
    canvas.fill({ left: at.left - 2, top: at.top - 1, ...room }, DARK, 0.7);
    canvas.text(label, at.left, at.top, colour);
  }
};

/** What the model takes for the scene; blue cells hold something that is followed and are not learnt. */
const drawScene: Panel = (canvas, place, look) => {
  const { model } = look;
  drawGrey(canvas, place, look, (at) => model?.scene[at] ?? 0);
  tintCells(canvas, place, model, HELD, (cell) => (model?.held[cell] ? 0.35 : 0));
};

/** Difference of the two, and what each cell was taken for. */
const drawChange: Panel = (canvas, place, look) => {
  const { frame, model } = look;
  drawGrey(canvas, place, look, (at) =>
    model ? STRONGER * Math.abs((frame[at] as number) - (model.scene[at] as number)) : 0,
  );
  for (const [kind, colour] of KINDS)
    tintCells(canvas, place, model, colour, (cell) =>
      model?.kinds[cell] === kind ? 0.25 + (0.4 * (model.changed[cell] ?? 0)) / CELL_PIXELS : 0,
    );
};

/** By what `agent/motion/scene/texture.ts` calls them. */
const KINDS = new Map<number, Colour>([
  [LIT, LIGHT],
  [PLAIN, FLAT],
  [SOLID, MOTION],
]);

/** The places that always move, and those where things come to nothing, as far as they are known. */
const drawSway: Panel = (canvas, place, look) => {
  const { model } = look;
  drawGrey(canvas, place, look, (at) => (model?.scene[at] ?? 0) / 2);
  tintCells(canvas, place, model, SWAY, (cell) => 0.8 * (model?.sway[cell] ?? 0));
  tintCells(canvas, place, model, IDLE, (cell) => 0.6 * (model?.idle[cell] ?? 0));
};

export const PANELS: readonly (readonly [title: string, draw: Panel])[] = [
  ['picture, tracks and what counts', drawPicture],
  ['background (blue: held)', drawScene],
  ['change (red: new, cyan: flat, yellow: light)', drawChange],
  ['places that always move (violet: where things come to nothing)', drawSway],
];

function drawGrey(
  canvas: Canvas,
  { left, top, scale }: Place,
  { width, height }: Look,
  level: (at: number) => number,
): void {
  for (let y = 0; y < height * scale; y++) {
    let to = ((top + y) * canvas.width + left) * 3;
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x++, to += 3)
      canvas.bytes.fill(Math.min(255, level(row + Math.floor(x / scale))), to, to + 3);
  }
}

function tintCells(
  canvas: Canvas,
  place: Place,
  model: ModelView | undefined,
  colour: Colour,
  opacity: (cell: number) => number,
): void {
  if (!model) return;
  for (let cell = 0; cell < model.columns * model.rows; cell++) {
    const strength = opacity(cell);
    if (strength <= 0.02) continue;
    const left = (cell % model.columns) * CELL;
    const top = Math.floor(cell / model.columns) * CELL;
    const bottom = Math.min(top + CELL, model.scene.length / (model.columns * CELL));
    canvas.fill(onCanvas(place, { left, top, right: left + CELL, bottom }), colour, strength);
  }
}

function drawTrail(
  canvas: Canvas,
  place: Place,
  trail: readonly (readonly [number, number])[],
  colour: Colour,
): void {
  trail.forEach(([x, y], index) => {
    const [fromX, fromY] = trail[index - 1] ?? [x, y];
    const { left, top, right, bottom } = onCanvas(place, { left: fromX, top: fromY, right: x, bottom: y });
    canvas.line(left, top, right, bottom, colour);
  });
}

const onCanvas = ({ left, top, scale }: Place, box: Box): Box => ({
  left: left + box.left * scale,
  top: top + box.top * scale,
  right: left + box.right * scale,
  bottom: top + box.bottom * scale,
});
