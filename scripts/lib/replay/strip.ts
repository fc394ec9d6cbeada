import { createCanvas } from './canvas.ts';
import { colourOf, DARK, GREY, WHITE } from './colours.ts';
import { type Look, PANELS } from './panels.ts';
import { drawTimeLine, TIME_LINE_HEIGHT } from './time-line.ts';
import { type Judged, type Moment, timeOf } from './moments.ts';

const GAP = 8;
const LINE = 24;

/** The strip: the whole clip's decisions, then one row of four panels for each moment. */
export function createStrip(
  { name, width, height }: { readonly name: string; readonly width: number; readonly height: number },
  judged: readonly Judged[],
  moments: readonly Moment[],
) {
  const rowHeight = height + LINE;
  const rowsTop = 2 * LINE + TIME_LINE_HEIGHT;
  const canvas = createCanvas(
    GAP + PANELS.length * (width + GAP),
    rowsTop + moments.length * rowHeight + GAP,
  );
  canvas.fill({ left: 0, top: 0, right: canvas.width, bottom: canvas.height }, DARK);
  canvas.text(name, GAP, 5, GREY);
  const marks = moments.map(({ index }) => index);
  drawTimeLine(canvas, { left: GAP, top: LINE + 4 }, judged, marks);
  PANELS.forEach(([title], place) => {
    // The rest of a title says what its colours mean: there is no room for that here.
    const [short = ''] = title.split(/,| \(/);
    canvas.text(short, GAP + place * (width + GAP), rowsTop - LINE + 4, WHITE);
  });
  return {
    canvas,
    /** Draws the picture if it is one of the moments. */
    draw(index: number, look: Look): void {
      const row = marks.indexOf(index);
      const [moment, one] = [moments[row], judged[index]];
      if (!moment || !one) return;
      const top = rowsTop + row * rowHeight;
      canvas.text(
        [timeOf(one), moment.what, one.cause].filter(Boolean).join('  '),
        GAP,
        top + 4,
        colourOf(one),
      );
      PANELS.forEach(([, draw], place) =>
        draw(canvas, { left: GAP + place * (width + GAP), top: top + LINE - 4, scale: 1 }, look),
      );
    },
  };
}
