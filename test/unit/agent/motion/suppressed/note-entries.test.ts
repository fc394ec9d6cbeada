import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  blocks,
  createNoteEntries,
  isEnough,
  type NoteEntry,
} from '../../../../../agent/motion/suppressed/note-entries.ts';

const MINUTE_MS = 60_000;
const NOW = Date.UTC(2026, 5, 1);
const note = (atMs: number, reason = 'lighting'): NoteEntry => ({ id: `${atMs}`, atMs, reason, bytes: 1 });

test('a minute apart, six of a reason and twenty-four in all are enough for an hour', () => {
  assert.equal(isEnough([], note(NOW)), false);
  assert.equal(isEnough([note(NOW - MINUTE_MS + 1)], note(NOW)), true);
  assert.equal(isEnough([note(NOW - MINUTE_MS)], note(NOW)), false);
  assert.equal(isEnough([note(NOW - 1, 'in-place')], note(NOW)), false, 'another reason has its own minute');
  const six = [1, 2, 3, 4, 5, 6].map((minutes) => note(NOW - minutes * MINUTE_MS));
  assert.equal(isEnough(six, note(NOW)), true);
  assert.equal(isEnough(six, note(NOW + 55 * MINUTE_MS)), false, 'the oldest is an hour old');
  const many = Array.from({ length: 24 }, (_, index) => note(NOW - index, `reason-${index}`));
  assert.equal(isEnough(many, note(NOW, 'another')), true);
  assert.equal(isEnough(many.slice(1), note(NOW, 'another')), false);
});

test('what a clock noted that has been set back since is older than everything', () => {
  const entries = createNoteEntries({ nowMs: () => NOW });
  const kept = entries.of('gate');
  kept.push(note(NOW), note(NOW + 25 * 60 * MINUTE_MS), note(NOW - MINUTE_MS), note(NOW + MINUTE_MS));
  assert.deepEqual(
    kept.toSorted(entries.byAge).map(({ atMs }) => (atMs - NOW) / MINUTE_MS),
    [25 * 60, -1, 0, 1],
  );
  entries.drop('gate', `${NOW}`);
  assert.equal(kept.length, 3, 'the list that somebody holds is the same one');
  assert.deepEqual(entries.cameras(), ['gate']);
});

test('a file takes whole blocks', () => {
  assert.deepEqual([0, 1, 4_096, 4_097].map(blocks), [0, 4_096, 4_096, 8_192]);
});
