import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnClipId, nextClipId } from '../../../../../agent/ledger/clips/clip-id.ts';

const zeros = (bytes: number) => new Uint8Array(bytes);
const ones = (bytes: number) => new Uint8Array(bytes).fill(255);

test('an id carries the time first, as a ULID does', () => {
  assert.equal(
    nextClipId({ last: undefined, nowMs: 1_469_918_176_385, random: zeros }),
    '01ARYZ6S410000000000000000',
  );
});

test('ids of one millisecond grow by a random step', () => {
  const first = nextClipId({ last: undefined, nowMs: 1_000, random: zeros });
  const second = nextClipId({ last: first, nowMs: 1_000, random: zeros });
  assert.ok(second > first);
  assert.equal(second.slice(0, 10), first.slice(0, 10));
});

test('a full random part carries into the time, so ids never repeat', () => {
  const first = nextClipId({ last: undefined, nowMs: 1_000, random: ones });
  const second = nextClipId({ last: first, nowMs: 1_000, random: ones });
  assert.ok(second > first);
  assert.ok(isOwnClipId(second));
});

test('whatever the clock says, ids grow and stay ids', () => {
  let last: string | undefined;
  for (const nowMs of [5e12, 0, -1, 1e15, 1.5, 281_474_976_710_655, 3, 1_800_000_000_000]) {
    const id = nextClipId({ last, nowMs });
    assert.ok(isOwnClipId(id), id);
    assert.ok(last === undefined || id > last, `${last} then ${id}`);
    last = id;
  }
});

test('a thousand ids of two devices at the same time are all different', () => {
  const ids = new Set(Array.from({ length: 1_000 }, () => nextClipId({ last: undefined, nowMs: 1_000 })));
  assert.equal(ids.size, 1_000);
});
