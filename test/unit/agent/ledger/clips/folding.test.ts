import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createBreathe } from '../../../../../agent/ledger/breathe.ts';
import { outboxFindings } from '../../../../../agent/ledger/check/check-outbox.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { FOLD_AFTER_DAYS } from '../../../../../agent/ledger/clips/folding.ts';
import { inspectLedger } from '../../../../../agent/ledger/check/inspect.ts';
import type { Clip, LedgerDeps } from '../../../../../agent/ledger/ledger.ts';
import { besideLedger, benchLedger, type LedgerBench, uploadNext, verdictFor, writeClip } from '../bench.ts';

const DAYS_MS = 86_400_000;
const OVER_MS = FOLD_AFTER_DAYS * DAYS_MS;

/** The test's clock may be any; it is right unless a test says so. */
const bench = (t: TestContext, overrides: Partial<LedgerDeps> = {}) =>
  benchLedger(t, { clockQuality: () => 'synchronised', ...overrides });

function look<T>(dir: string, sql: string): T[] {
  const db = new Sqlite(ledgerFile(dir), { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}
const totals = (dir: string) =>
  look<object>(dir, 'SELECT camera_id, day, state, detail, clips, bytes FROM folded ORDER BY 1, 2, 3, 4');

/** Turns of upkeep until nothing is folded any more. */
async function tendAll({ ledger, dir }: LedgerBench): Promise<void> {
  const rows = () => look<{ n: number }>(dir, 'SELECT count(*) AS n FROM clips')[0]?.n;
  for (let before = rows(), first = true; first || rows() !== before; first = false) {
    before = rows();
    await ledger.tend();
  }
}

/** A clip that was uploaded and judged, and whose file had to go. */
function judgedAndGone(
  { ledger, sealed }: LedgerBench,
  verdict: 'person' | 'nothing',
  cameraId = 'gate',
): Clip {
  const { clipId } = sealed(1_000, cameraId);
  uploadNext(ledger);
  ledger.applyVerdict(verdictFor(clipId, 1, verdict));
  return ledger.clip(clipId)!;
}

/** Makes room for a new clip at the cost of every file that may go.
 *  @returns the new clip */
function spendBudget(one: LedgerBench): Clip {
  one.reopen({ maxBytes: 1 });
  const clip = one.open();
  one.ledger.sealClip(clip.clipId, writeClip(clip.partFile, 1));
  one.reopen();
  return clip;
}

test('clips that were finished ninety days ago become totals of their camera, day and outcome', async (t) => {
  const one = bench(t);
  for (const verdict of ['person', 'nothing', 'nothing'] as const) judgedAndGone(one, verdict);
  judgedAndGone(one, 'person', 'yard');
  one.ledger.loseClip(one.open('yard').clipId, 'its writer failed');
  const kept = spendBudget(one);
  const day = new Date(one.clock.nowMs()).toISOString().slice(0, 10);
  const before = one.ledger.summary();
  await tendAll(one);
  one.clock.advance(OVER_MS - 1);
  await tendAll(one);
  assert.equal(look(one.dir, 'SELECT 1 FROM clips').length, 6, 'not a moment before');
  one.clock.advance(2);
  await tendAll(one);
  assert.deepEqual(totals(one.dir), [
    { camera_id: 'gate', day, state: 'judged', detail: 'nothing', clips: 2, bytes: 2_000 },
    { camera_id: 'gate', day, state: 'judged', detail: 'person', clips: 1, bytes: 1_000 },
    { camera_id: 'yard', day, state: 'judged', detail: 'person', clips: 1, bytes: 1_000 },
    { camera_id: 'yard', day, state: 'lost', detail: 'its writer failed', clips: 1, bytes: 0 },
  ]);
  assert.deepEqual(look(one.dir, 'SELECT clip_id FROM clips'), [{ clip_id: kept.clipId }]);
  assert.deepEqual(look(one.dir, 'SELECT DISTINCT clip_id FROM custody'), [{ clip_id: kept.clipId }]);
  assert.deepEqual(one.ledger.summary(), before, 'the summary counts them as before');
  assert.deepEqual(
    one.ledger.clips({ limit: 10 }).map(({ clipId }) => clipId),
    [kept.clipId],
  );
  assert.deepEqual((await one.ledger.check({ repair: false })).problems, []);
});

test('what is not finished is never folded, however old it is', async (t) => {
  const one = bench(t);
  const waiting = one.sealed();
  one.ledger.settleParked(one.ledger.leaseNext()!, 'refused');
  const unjudged = one.sealed();
  uploadNext(one.ledger);
  const recording = one.open();
  const onDisk = judgedAndGone(one, 'person');
  one.sealed();
  await tendAll(one);
  one.clock.advance(10 * OVER_MS);
  await tendAll(one);
  for (const { clipId } of [waiting, unjudged, recording, onDisk]) assert.ok(one.ledger.clip(clipId), clipId);
  assert.deepEqual(totals(one.dir), []);
});

test('the time of a clip begins anew when something happens to it', async (t) => {
  const one = bench(t);
  const { clipId } = judgedAndGone(one, 'nothing');
  spendBudget(one);
  await tendAll(one);
  one.clock.advance(OVER_MS - 1_000);
  one.ledger.applyVerdict(verdictFor(clipId, 2, 'person'));
  await tendAll(one);
  one.clock.advance(2_000);
  await tendAll(one);
  assert.ok(one.ledger.clip(clipId));
  one.clock.advance(OVER_MS);
  await tendAll(one);
  assert.equal(one.ledger.clip(clipId), undefined);
});

test('a clock that cannot be right neither begins nor ends a time', async (t) => {
  let quality: 'synchronised' | 'unsynchronised' = 'unsynchronised';
  const one = bench(t, { clockQuality: () => quality });
  one.ledger.loseClip(one.open().clipId, 'its writer failed');
  one.sealed();
  await tendAll(one);
  quality = 'synchronised';
  one.clock.advance(OVER_MS + 1);
  await tendAll(one);
  assert.deepEqual(totals(one.dir), [], 'its time has only begun');
  one.clock.advance(OVER_MS + 1);
  quality = 'unsynchronised';
  await tendAll(one);
  assert.deepEqual(totals(one.dir), []);
  quality = 'synchronised';
  await tendAll(one);
  assert.equal(totals(one.dir).length, 1);
});

test('the newest clip stays, so that ids go on growing when everything else is folded', async (t) => {
  const one = bench(t);
  const ids = Array.from({ length: 3 }, () => one.open().clipId);
  for (const clipId of ids) one.ledger.loseClip(clipId, 'its writer failed');
  await tendAll(one);
  one.clock.advance(OVER_MS + 1);
  await tendAll(one);
  assert.equal(look(one.dir, 'SELECT 1 FROM clips').length, 1);
  // A clock that was set back must not give an id again.
  one.clock.setWall(0);
  one.reopen();
  assert.ok(one.open().clipId > ids.at(-1)!);
});

test('a verdict that comes for a clip of long ago is known, and changes nothing', async (t) => {
  const one = bench(t);
  const { clipId } = judgedAndGone(one, 'nothing');
  spendBudget(one);
  await tendAll(one);
  one.clock.advance(OVER_MS + 1);
  await tendAll(one);
  assert.equal(one.ledger.clip(clipId), undefined);
  assert.equal(one.ledger.applyVerdict(verdictFor(clipId, 7)), 'already-known');
  const body = Buffer.from(JSON.stringify(verdictFor(clipId, 8)));
  one.ledger.storeMessage({ messageId: 'late', receivedMs: one.clock.nowMs(), body });
  assert.deepEqual(one.ledger.drainInbox(), { applied: 0, refused: 0 });
  assert.equal(one.ledger.retryClip(clipId), 'uploaded');
  const inspection = inspectLedger(one.dir);
  assert.equal(inspection.knows(clipId), true);
  assert.equal(inspection.folded(), 1);
  inspection.close();
});

test('a clip whose file is there after all is not folded', async (t) => {
  const one = bench(t);
  const lost = one.open();
  one.ledger.loseClip(lost.clipId, 'its writer failed');
  one.sealed();
  await tendAll(one);
  one.clock.advance(OVER_MS + 1);
  writeFileSync(lost.file, 'evidence');
  await one.ledger.tend();
  assert.ok(one.ledger.clip(lost.clipId));
  assert.deepEqual(totals(one.dir), []);
});

test('a file that comes to light after its clip was folded is set aside with a sentence that says so', async (t) => {
  const one = bench(t);
  const lost = one.open();
  one.ledger.loseClip(lost.clipId, 'its writer failed');
  one.sealed();
  await tendAll(one);
  one.clock.advance(OVER_MS + 1);
  await tendAll(one);
  writeFileSync(lost.file, 'evidence');
  const { problems } = await one.ledger.check({ repair: true });
  assert.match(
    problems.map(({ problem }) => problem).join('\n'),
    /belongs to a clip of long ago, of which only totals are kept; it lies in .*quarantine/,
  );
});

test('many different reasons of one day become "other reasons"', async (t) => {
  const one = bench(t);
  for (let n = 0; n < 30; n++) one.ledger.loseClip(one.open().clipId, `error number ${n}`);
  one.sealed();
  await tendAll(one);
  one.clock.advance(OVER_MS + 1);
  await tendAll(one);
  const rows = totals(one.dir) as { detail: string; clips: number }[];
  assert.equal(rows.length, 21);
  assert.equal(rows.find(({ detail }) => detail === 'other reasons')?.clips, 10);
  assert.equal(
    rows.reduce((sum, { clips }) => sum + clips, 0),
    30,
  );
});

test('an event about a clip of long ago that still waits for the hub is no lie', async (t) => {
  const one = bench(t);
  one.ledger.loseClip(one.open().clipId, 'its writer failed');
  one.sealed();
  await tendAll(one);
  one.clock.advance(OVER_MS + 1);
  await tendAll(one);
  const db = new Sqlite(ledgerFile(one.dir), { readonly: true });
  t.after(() => db.close());
  const found = [];
  for await (const finding of outboxFindings(
    db,
    createBreathe(() => false),
  ))
    found.push(finding);
  assert.deepEqual(found, []);
});

test('no more is folded in one turn than a step, so that the event loop goes on', async (t) => {
  const one = bench(t);
  for (let n = 0; n < 100; n++) one.ledger.loseClip(one.open().clipId, 'its writer failed');
  one.sealed();
  await tendAll(one);
  for (let turn = 0; turn < 4; turn++) await one.ledger.tend();
  one.clock.advance(OVER_MS + 1);
  await one.ledger.tend();
  assert.equal((totals(one.dir)[0] as { clips: number }).clips, 32);
  const told = one.lines.map((line) => JSON.parse(line) as { event: string; clips?: number });
  assert.deepEqual(
    told.filter(({ event }) => event === 'clips.folded').map(({ clips }) => clips),
    [32],
  );
});

test('a row that cannot be folded, and one with an impossible time, keep no other one from it', async (t) => {
  const one = bench(t);
  const clips = Array.from({ length: 5 }, () => judgedAndGone(one, 'person'));
  spendBudget(one);
  await tendAll(one);
  await one.clock.advance(OVER_MS + DAYS_MS);
  const db = besideLedger(one.dir);
  db.prepare("UPDATE clips SET verdict = '{bad' WHERE clip_id = ?").run(clips[0]!.clipId);
  db.prepare('UPDATE clips SET triggered_ms = 9200000000000000 WHERE clip_id = ?').run(clips[1]!.clipId);
  db.close();
  const times = one.ledger.clips({ limit: 20 }).map(({ triggeredMs }) => new Date(triggeredMs).toISOString());
  assert.ok(times.length >= 5);
  await tendAll(one);
  const left = clips.filter(({ clipId }) => one.ledger.clip(clipId) !== undefined);
  assert.deepEqual(
    left.map(({ clipId }) => clipId),
    [clips[0]!.clipId],
  );
  assert.ok(one.lines.some((line) => line.includes('clip.not-folded')));
});
