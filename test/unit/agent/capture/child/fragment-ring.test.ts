import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFragmentRing } from '../../../../../agent/capture/child/fragment-ring.ts';
import { madeFormat, madeFragment, madeFragments, seconds } from '../made-fragments.ts';

function ringOf(count: number, { keepMs = 5000, maxBytes = 1 << 20, gop = 2 } = {}) {
  const ring = createFragmentRing({ keepMs, maxBytes });
  const { fragments } = madeFragments(seconds(count, gop));
  for (const fragment of fragments) ring.push(fragment);
  return { ring, fragments };
}
const starts = (fragments: readonly { startMs: number }[]) => fragments.map(({ startMs }) => startMs);

test('a clip begins with the key frame at or before the asked moment', () => {
  const { ring } = ringOf(10, { keepMs: 9000 });
  assert.deepEqual(starts(ring.from(5500)), [4000, 5000, 6000, 7000, 8000, 9000]);
  assert.deepEqual(starts(ring.from(6000)), [6000, 7000, 8000, 9000]);
  assert.deepEqual(starts(ring.from(99_000)), [8000, 9000]);
});

test('a moment before all that is kept gives everything from the oldest key frame', () => {
  const { ring } = ringOf(4);
  assert.deepEqual(starts(ring.from(-5000)), [0, 1000, 2000, 3000]);
});

test('there is always a key frame old enough, however long the group of pictures', () => {
  for (const gop of [1, 2, 4, 10]) {
    const { ring, fragments } = ringOf(60, { keepMs: 5000, gop });
    const newest = fragments.at(-1)?.endMs ?? 0;
    assert.ok((ring.from(newest - 5000)[0]?.startMs ?? Infinity) <= newest - 5000, `gop ${gop}`);
    assert.ok(ring.count <= 5 + 2 * gop, `gop ${gop} keeps ${ring.count}`);
  }
});

test('bytes bound the ring even when that costs pre-roll', () => {
  const { ring, fragments } = ringOf(60, { keepMs: 50_000, maxBytes: 4000 });
  assert.ok(ring.bytes <= 4000);
  assert.equal(ring.from(0).at(-1), fragments.at(-1));
});

test('a group of pictures that is larger than all the rest may be is kept from its key frame on', () => {
  const ring = createFragmentRing({ keepMs: 5000, maxBytes: 4000, maxGroupBytes: 20_000 });
  const { fragments } = madeFragments(seconds(60, 30));
  for (const fragment of fragments.slice(0, 29)) ring.push(fragment);
  assert.equal(ring.overrun, false);
  assert.deepEqual(ring.from(28_000), fragments.slice(0, 29));
  for (const fragment of fragments.slice(29, 40)) ring.push(fragment);
  assert.deepEqual(ring.from(39_000), fragments.slice(30, 40));
});

test('one that is larger still is let go of, says so, and the next key frame begins anew', () => {
  const ring = createFragmentRing({ keepMs: 5000, maxBytes: 4000, maxGroupBytes: 8000 });
  const { fragments } = madeFragments(seconds(60, 30));
  for (const fragment of fragments.slice(0, 30)) ring.push(fragment);
  assert.equal(ring.overrun, true);
  assert.deepEqual(ring.from(0), []);
  assert.equal(ring.bytes, 0);
  for (const fragment of fragments.slice(30, 33)) ring.push(fragment);
  assert.equal(ring.overrun, false);
  assert.deepEqual(ring.from(0), fragments.slice(30, 33));
});

test('fragments of two formats never come together', () => {
  const ring = createFragmentRing({ keepMs: 9000, maxBytes: 1 << 20 });
  const [one, two] = [madeFormat(1), madeFormat(2)];
  for (const settings of seconds(8)) ring.push(madeFragment(settings, settings.baseMs < 4000 ? one : two));
  assert.deepEqual(starts(ring.from(2500)), [2000, 3000]);
  assert.deepEqual(starts(ring.from(2500, 2)), [4000, 5000, 6000, 7000]);
  assert.deepEqual(starts(ring.from(6500)), [6000, 7000]);
  assert.deepEqual(ring.from(0, 3), []);
});

test('without a key frame there is nothing to begin with', () => {
  const ring = createFragmentRing({ keepMs: 5000, maxBytes: 1 << 20 });
  assert.deepEqual(ring.from(0), []);
  for (const fragment of madeFragments([{ baseMs: 0 }, { baseMs: 1000 }]).fragments) ring.push(fragment);
  assert.deepEqual(ring.from(0), []);
});

test('a ring that is made longer fills from now on; one that is made shorter lets go with the next fragment', () => {
  const { ring } = ringOf(20, { keepMs: 3000 });
  const more = madeFragments(seconds(40)).fragments.slice(20);
  ring.keep(9000);
  ring.push(more[0] ?? assert.fail());
  assert.deepEqual(starts(ring.from(0)), [16_000, 17_000, 18_000, 19_000, 20_000]);
  for (const fragment of more.slice(1)) ring.push(fragment);
  assert.ok((ring.from(0)[0]?.startMs ?? Infinity) <= 40_000 - 9000);
  ring.keep(2000);
  for (const fragment of madeFragments(seconds(42)).fragments.slice(40)) ring.push(fragment);
  assert.deepEqual(starts(ring.from(0)), [40_000, 41_000]);
});
