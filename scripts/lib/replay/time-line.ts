import { type Canvas, LETTER_WIDTH } from './canvas.ts';
import { colourOf, GREY, LEGEND, WHITE } from './colours.ts';
import type { Judged } from './moments.ts';

const BAR = 28;
const TEXT = 2;
/** Room for the bar, its seconds and what its colours mean. */
export const TIME_LINE_HEIGHT = BAR + 82;

/** All decisions of the clip side by side, with marks at some of them.
 *  @param left also the room that is left free on the right */
export function drawTimeLine(
  canvas: Canvas,
  { left, top }: { readonly left: number; readonly top: number },
  judged: readonly Judged[],
  marks: readonly number[],
): void {
  const width = canvas.width - 2 * left;
  const xOf = (index: number) => left + (index / judged.length) * width;
  const bottom = top + BAR;
  judged.forEach((one, index) =>
    canvas.fill({ left: xOf(index), top, right: xOf(index + 1), bottom }, colourOf(one)),
  );
  for (const mark of marks) {
    const x = xOf(mark + 0.5);
    canvas.fill({ left: x - 1, top: top - 4, right: x + 2, bottom: bottom + 4 }, WHITE);
  }
  drawSeconds(canvas, bottom + 6, judged, xOf);
  let x = left;
  let y = bottom + 34;
  for (const [words, colour] of LEGEND) {
    const room = 34 + words.length * LETTER_WIDTH * TEXT;
    if (x + room > canvas.width - left) {
      x = left;
      y += 22;
    }
    canvas.fill({ left: x, top: y, right: x + 14, bottom: y + 14 }, colour);
    canvas.text(words, x + 20, y, GREY, TEXT);
    x += room;
  }
}

function drawSeconds(
  canvas: Canvas,
  top: number,
  judged: readonly Judged[],
  xOf: (index: number) => number,
): void {
  const lengthS = (judged.at(-1)?.atS ?? 0) - (judged[0]?.atS ?? 0);
  const everyS = [1, 2, 5, 10, 20, 60, 300].find((step) => lengthS / step <= 12) ?? 900;
  let next = Number.NEGATIVE_INFINITY;
  judged.forEach(({ atS }, index) => {
    if (atS < next) return;
    const second = Math.floor(atS / everyS) * everyS;
    // Pictures need not come at whole seconds.
    if (next > Number.NEGATIVE_INFINITY || atS === second) {
      canvas.fill({ left: xOf(index), top: top - 6, right: xOf(index) + 2, bottom: top - 1 }, GREY);
      canvas.text(`${second}`, xOf(index), top, GREY, TEXT);
    }
    next = second + everyS;
  });
}
