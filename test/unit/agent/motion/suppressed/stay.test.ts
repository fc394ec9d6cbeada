import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suppressedRecordIn } from '../../../../../agent/motion/suppressed/read.ts';
import { replayRecord, type SuppressedRecord } from '../../../../../agent/motion/suppressed/record.ts';
import { here, LEFT, moving, type Script, there } from '../zones/gate-rig.ts';
import { createSamplerRig } from './rig.ts';

/** Notes on what the script shows, a picture every 200 ms, a reason that comes again after two seconds counted anew. */
function notesOf(dwellMs: number, script: Script, frames: number): SuppressedRecord[] {
  const notes: string[] = [];
  const rig = createSamplerRig({ zones: [{ id: 'door', polygon: LEFT, dwellMs }] }, script, (record) =>
    notes.push(JSON.stringify(record)),
  );
  const seenAt = new Map<string, number>();
  for (let n = 0; n < frames; n++)
    rig.show(n, (decision) => {
      if (decision.kind !== 'suppressed') return false;
      const { reason } = decision;
      const fresh = n - (seenAt.get(reason) ?? Number.NEGATIVE_INFINITY) > 10;
      seenAt.set(reason, n);
      return fresh;
    });
  return notes.map((note) => suppressedRecordIn(note) ?? assert.fail('a note that cannot be read again'));
}

test('who stays as long as his zone asks is recorded, and no note says that he was not', () => {
  for (const dwellMs of [2_000, 5_000, 10_000, 30_000])
    assert.deepEqual(
      notesOf(dwellMs, () => moving(here), 200),
      [],
      `${dwellMs} ms`,
    );
});

test('who goes before: the note tells how long he stayed, and which stay would have recorded him', () => {
  // Comes at 2 s, stays 6 s of the 10 that are asked, goes on elsewhere.
  const visit: Script = (atMs) => (atMs < 3_000 ? { kind: 'quiet' } : moving(atMs < 9_000 ? here : there));
  const notes = notesOf(10_000, visit, 200);
  assert.deepEqual(
    notes.map(({ reason }) => reason),
    ['zone-dwell'],
  );
  const [note = assert.fail()] = notes;
  const [stay] = note.last?.models[0]?.sightings[0]?.stays ?? [];
  assert.deepEqual(stay, { zone: 'door', ms: 5_800, told: false });
  assert.equal(note.pictures.at(-1)?.afterMs, 1_200);
  assert.deepEqual(replayRecord(note), { kind: 'suppressed', reason: 'zone-dwell' });
  const decide = (dwellMs: number) =>
    replayRecord(note, { sensitivity: 5, zones: [{ id: 'door', polygon: LEFT, dwellMs }] }).kind;
  assert.deepEqual([decide(5_800), decide(5_801)], ['motion', 'suppressed']);
});

test('a stay that nobody would wait out is noted after the usual time', () => {
  const notes = notesOf(600_000, () => moving(here), 40);
  assert.deepEqual(
    notes.map(({ reason, last }) => [reason, last?.afterMs]),
    [['zone-dwell', 4_000]],
  );
});
