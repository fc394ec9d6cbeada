import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChanges } from '../../../../agent/reports/changes.ts';

test('values are another list when one of them reads otherwise, however often they are made anew', () => {
  const changed = createChanges();
  assert.equal(changed([{ a: 1 }, 2]), true);
  assert.equal(changed([{ a: 1 }, 2]), false);
  assert.equal(changed([{ a: 2 }, 2]), true);
  assert.equal(changed([{ a: 2 }]), true);
});

test('a list that becomes empty has changed, one that was never filled has not', () => {
  const changed = createChanges();
  assert.equal(changed([]), false);
  assert.equal(changed(['disk-full']), true);
  assert.equal(changed([]), true);
  assert.equal(changed([]), false);
});
