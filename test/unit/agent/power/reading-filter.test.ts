import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadingFilter } from '../../../../agent/power/reading-filter.ts';

/** A filter that has believed ten readings of 11 V, one a second. */
function bench() {
  const filter = createReadingFilter({ least: 6, most: 13.2 });
  let atMs = 0;
  let serial = 0;
  const offer = (volts: number, amps = -0.5, raw = `${serial++}`) => {
    atMs += 1_000;
    return filter.offer({ volts, amps, raw, atMs });
  };
  for (let i = 0; i < 10; i += 1) offer(11);
  const pass = (ms: number) => {
    atMs += ms;
  };
  return { filter, offer, pass };
}

test('0 V, 26 V and a jump of 3 V move nothing', () => {
  const { filter, offer } = bench();
  for (const volts of [0, 26, 8, 12.9, 6.1]) assert.equal(offer(volts), null, `${volts} V`);
  assert.equal(filter.latest()?.volts, 11);
  assert.equal(offer(10.9)?.volts, 11);
});

test('a new level is believed after ten readings that agree, and counts as no time spent there before', () => {
  const { offer } = bench();
  const answers = Array.from({ length: 10 }, () => offer(9.5));
  assert.deepEqual(
    answers.slice(0, 9),
    Array.from({ length: 9 }, () => null),
  );
  assert.equal(answers[9]?.volts, 9.5);
  assert.ok((answers[9]?.forMs ?? 0) <= 3_000);
});

test('two levels in turn are a contradiction, not a battery', () => {
  const { filter, offer } = bench();
  for (let i = 0; i < 60; i += 1) offer(i % 5 === 0 ? 11 : 7 + (i % 4));
  assert.equal(filter.contradicts(), true);
});

test('after a long gap the level is found anew, and the gap is not time at any voltage', () => {
  const { offer, pass } = bench();
  pass(600_000);
  for (let i = 0; i < 4; i += 1) assert.equal(offer(9.7), null);
  const found = offer(9.7);
  assert.equal(found?.volts, 9.7);
  assert.ok((found?.forMs ?? 0) <= 3_000);
});

test('registers that repeat themselves count as no time while current flows out, and are missed while none does', () => {
  const { filter, offer } = bench();
  for (let i = 0; i < 12; i += 1) offer(11, -0.5, 'same');
  assert.equal(offer(11, -0.5, 'same')?.forMs, 0);
  assert.notEqual(filter.frozenSinceMs(), null);
  assert.equal(offer(11, -0.5)?.forMs, 1_000);
  for (let i = 0; i < 40; i += 1) assert.equal(offer(11, 0, 'full')?.forMs, 1_000);
  assert.equal(filter.frozenSinceMs(), null);
});
