import { type Canvas, createCanvas, LETTER_WIDTH } from './canvas.ts';
import { colourOf, DARK, GREY, WHITE } from './colours.ts';
import { type Look, PANELS } from './panels.ts';
import { drawTimeLine, TIME_LINE_HEIGHT } from './time-line.ts';
import { type Judged, timeOf, wordsOf } from './moments.ts';

const GAP = 8;
const HEAD = 36;
const TITLE = 22;
const SCALE = 2;

/** The moving picture: the decision above, four panels at double size, the whole clip's decisions below. */
export function createScreen(name: string, width: number, height: number, judged: readonly Judged[]) {
  const panel = { width: width * SCALE, height: height * SCALE };
  const timeTop = HEAD + 2 * (TITLE + panel.height) + 2 * GAP;
  const canvas = createCanvas(3 * GAP + 2 * panel.width, timeTop + TIME_LINE_HEIGHT);
  return {
    canvas,
    draw(index: number, look: Look): Canvas {
      const one = judged[index] as Judged;
      canvas.fill({ left: 0, top: 0, right: canvas.width, bottom: canvas.height }, DARK);
      canvas.text(`${timeOf(one)}  ${wordsOf(one)}`, GAP, 8, one.kind === 'quiet' ? GREY : colourOf(one), 3);
      const about = `${name}${look.model ? `  clutter ${look.model.clutter().toFixed(2)}` : ''}`;
      canvas.text(about, canvas.width - GAP - about.length * LETTER_WIDTH * 2, 12, GREY);
      PANELS.forEach(([title, draw], place) => {
        const left = GAP + (place % 2) * (panel.width + GAP);
        const top = HEAD + Math.floor(place / 2) * (TITLE + panel.height);
        canvas.text(title, left, top + 4, WHITE);
        draw(canvas, { left, top: top + TITLE, scale: SCALE }, look);
      });
      drawTimeLine(canvas, { left: GAP, top: timeTop }, judged, [index]);
      return canvas;
    },
  };
}
