import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interestingMoments, type Judged } from '../../../../../scripts/lib/replay/moments.ts';

/** One letter a picture: m motion, . quiet, others a reason. */
const REASONS: Readonly<Record<string, string>> = { s: 'too-short', p: 'in-place', l: 'lighting' };
const judged = (letters: string): Judged[] =>
  letters.split('').map((letter, index) => {
    const atS = index / 5;
    if (letter === 'm') return { atS, kind: 'motion' };
    const reason = REASONS[letter];
    return reason ? { atS, kind: 'suppressed', reason } : { atS, kind: 'quiet' };
  });
const what = (letters: string, most = 10) =>
  interestingMoments(judged(letters), most).map(({ index, what }) => `${index} ${what}`);

test('the beginning and the end of motion are shown', () => {
  assert.deepEqual(what('....mmmmmmmmmmmmmmm....'), ['4 motion begins', '11 motion', '18 motion ends']);
});

test('of each reason the longest is shown, in the middle of it', () => {
  assert.deepEqual(what('...ppp......ppppppp....llll'), [
    '4 suppressed: in-place',
    '15 suppressed: in-place',
    '25 suppressed: lighting',
  ]);
});

test('a reason of a single picture is not worth one', () => {
  assert.deepEqual(what('....p....l....'), []);
});

test('where there is no room for everything, the beginnings of motion come first', () => {
  assert.deepEqual(what('pppppp....mmmmmm....ssss....mmmmmm', 2), ['10 motion begins', '28 motion begins']);
});

test('a clip in which nothing happens has no moments', () => {
  assert.deepEqual(what('.........'), []);
  assert.deepEqual(what(''), []);
});
