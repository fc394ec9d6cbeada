import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@dachawatch/contracts';
import { asDocument, difference, mergePatch } from '../../../../../agent/hub/twin/merge-patch.ts';

test('null deletes, objects merge, arrays and values replace', () => {
  const held = { a: { b: 1, c: [1, 2, 3] }, d: 'x' };
  assert.deepEqual(mergePatch(held, { a: { b: null, c: [9] }, d: { e: 1 } }), { a: { c: [9] }, d: { e: 1 } });
  assert.deepEqual(mergePatch({ a: 1 }, { a: { b: null, c: 2 } }), { a: { c: 2 } });
  assert.deepEqual(held, { a: { b: 1, c: [1, 2, 3] }, d: 'x' });
});

test('a difference names what changed and nothing else', () => {
  const known = {
    power: { state: 'on-mains', volts: 12.4 },
    cameras: { yard: { state: 'live' } },
    tags: [1, 2],
  };
  assert.equal(difference(known, structuredClone(known)), undefined);
  assert.deepEqual(
    difference(known, {
      power: { state: 'low', volts: 12.4 },
      cameras: { door: { state: 'live' } },
      tags: [1],
    }),
    { power: { state: 'low' }, cameras: { yard: null, door: { state: 'live' } }, tags: [1] },
  );
});

test('whatever is held and wanted, the difference makes the one of the other, and then there is none', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = mulberry(seed);
    const [known, wanted] = [document(random, 3), document(random, 3)];
    const patch = difference(known, wanted);
    const reached = patch ? mergePatch(known, patch) : known;
    assert.deepEqual(reached, wanted, `seed ${seed}`);
    assert.equal(difference(reached, wanted), undefined, `seed ${seed}`);
  }
});

test('what JSON and a twin cannot hold is not wanted', () => {
  assert.deepEqual(
    asDocument({ a: undefined, b: null, c: Number.NaN, d: { e: null, f: 1 }, g: [null, { h: null }] }),
    {
      d: { f: 1 },
      g: [null, {}],
    },
  );
});

test('names that objects have by birth are names like others', () => {
  const patch = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"x":1}}') as Json;
  const merged = mergePatch({}, patch);
  assert.equal(({} as Json)['polluted'], undefined);
  assert.deepEqual(Object.keys(merged), ['__proto__', 'constructor']);
  assert.deepEqual(mergePatch(merged, difference(merged, {}) ?? {}), {});
});

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Few names and values, so that two documents have much in common. */
function document(random: () => number, depth: number): Json {
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)];
  const value = (): unknown => {
    const kind = pick(depth > 0 ? ['object', 'value', 'array'] : ['value']);
    if (kind === 'object') return document(random, depth - 1);
    return kind === 'array' ? [pick([1, 2]), document(random, 0)] : pick([0, 1, '', 'x', true, false]);
  };
  const names = ['a', 'b', 'toString', '__proto__'].filter(() => random() < 0.6);
  return Object.fromEntries(names.map((name) => [name, value()]));
}
