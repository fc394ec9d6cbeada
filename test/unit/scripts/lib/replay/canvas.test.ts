import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCanvas } from '../../../../../scripts/lib/replay/canvas.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from '../../../../../scripts/lib/replay/font.ts';

const WHITE = [255, 255, 255] as const;

function lit(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 3) if (bytes[at] === 255) count++;
  return count;
}

test('what is drawn beyond the border is cut off and does not come back on the other side', () => {
  const canvas = createCanvas(10, 10);
  canvas.fill({ left: -5, top: -5, right: 2, bottom: 3 }, WHITE);
  canvas.fill({ left: 8, top: 8, right: 50, bottom: 50 }, WHITE);
  assert.equal(lit(canvas.bytes), 2 * 3 + 2 * 2);
});

test('each letter, digit and sign has a picture of its own, five by seven dots', () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:-_/%()=+#?'.split('');
  const pictures = new Set<string>();
  for (const letter of letters) {
    const glyph = glyphOf(letter);
    assert.equal(glyph.length, GLYPH_HEIGHT, letter);
    for (const row of glyph) assert.match(row, new RegExp(`^[.#]{${GLYPH_WIDTH}}$`), letter);
    pictures.add(glyph.join());
  }
  assert.equal(pictures.size, letters.length);
});

test('a letter that is not known becomes a question mark, never nothing', () => {
  assert.deepEqual(glyphOf('щ'), glyphOf('?'));
});

test('text takes the room it says', () => {
  const canvas = createCanvas(40, 10);
  canvas.text('ii', 0, 0, WHITE, 1);
  assert.equal(lit(canvas.bytes), 2 * glyphOf('I').join('').replaceAll('.', '').length);
});
