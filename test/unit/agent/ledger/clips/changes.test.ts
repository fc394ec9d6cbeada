import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besideLedger, benchLedger, uploadNext, verdictFor } from '../bench.ts';

test('what has changed since a moment is told once, whatever changed and however old the clip is', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const old = sealed(1_000, 'yard');
  uploadNext(ledger);
  const before = ledger.lastChange();
  assert.deepEqual(ledger.changes({ after: before, limit: 10 }), { clips: [], isWhole: true });
  const young = sealed(1_000, 'gate');
  ledger.applyVerdict(verdictFor(old.clipId));
  const { clips, isWhole } = ledger.changes({ after: before, limit: 10 });
  const told = clips.map(({ clipId, state }) => [clipId, state] as const);
  assert.deepEqual(
    told.toSorted(([a], [b]) => a.localeCompare(b)),
    [
      [old.clipId, 'judged'],
      [young.clipId, 'sealed'],
    ],
  );
  assert.equal(isWhole, true);
  assert.deepEqual(ledger.changes({ after: ledger.lastChange(), limit: 10 }).clips, []);
});

test('more changes than are asked for are told as not whole', (t) => {
  const { ledger, sealed } = benchLedger(t);
  const before = ledger.lastChange();
  for (let n = 0; n < 4; n += 1) sealed(1_000, 'gate');
  const { clips, isWhole } = ledger.changes({ after: before, limit: 3 });
  assert.deepEqual([clips.length, isWhole], [3, false]);
});

test('a clip whose verdict cannot be read any more costs neither overview nor first sentence', (t) => {
  const bench = benchLedger(t);
  bench.sealed(1_000, 'yard');
  const { clipId } = uploadNext(bench.ledger);
  bench.ledger.applyVerdict(verdictFor(clipId));
  const db = besideLedger(bench.dir);
  db.prepare(`UPDATE clips SET verdict = '{"verdict":' WHERE clip_id = ?`).run(clipId);
  db.close();
  const { clips } = bench.ledger.glance({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, newest: 10 });
  assert.deepEqual([clips[0]?.clipId, clips[0]?.verdict], [clipId, null]);
  assert.deepEqual(bench.ledger.judgedPersons(0), []);
});
