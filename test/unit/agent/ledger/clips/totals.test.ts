import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openDatabase } from '../../../../../agent/ledger/database/database.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import type { Ledger, LedgerSummary } from '../../../../../agent/ledger/ledger.ts';
import { MIGRATIONS } from '../../../../../agent/ledger/database/migrations.ts';
import { benchLedger, type LedgerBench, uploadNext, verdictFor } from '../bench.ts';

/** The summary as it follows from the rows, counted one by one. */
function counted(dir: string): Partial<LedgerSummary> {
  const db = new Sqlite(ledgerFile(dir), { readonly: true });
  try {
    const rows = db.prepare('SELECT state, on_disk, bytes FROM clips').all() as {
      state: string;
      on_disk: number;
      bytes: number | null;
    }[];
    const bytes = (of: typeof rows) => of.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
    const onDisk = rows.filter((row) => row.on_disk === 1);
    return {
      clips: rows.length,
      waiting: rows.filter(({ state }) => state === 'sealed' || state === 'uploading').length,
      awaitingVerdict: rows.filter(({ state }) => state === 'uploaded').length,
      bytes: bytes(onDisk),
      bytesOnlyHere: bytes(onDisk.filter(({ state }) => state !== 'uploaded' && state !== 'judged')),
      outgoing: db.prepare('SELECT count(*) FROM outbox').pluck().get() as number,
    };
  } finally {
    db.close();
  }
}

const picked = (ledger: Ledger): Partial<LedgerSummary> => {
  const { oldestWaitingMs: _, eventsDropped: __, ...rest } = ledger.summary();
  return rest;
};

/** Every move there is, clips of different sizes and cameras. */
async function liveALittle({ ledger, sealed, open, clock }: LedgerBench): Promise<void> {
  for (let size = 1_000; size < 9_000; size += 1_000) sealed(size, size % 2_000 === 0 ? 'gate' : 'yard');
  open();
  ledger.loseClip(open('yard').clipId, 'its writer failed');
  const judged = uploadNext(ledger);
  ledger.applyVerdict(verdictFor(judged.clipId));
  await ledger.returnToQueue(uploadNext(ledger).clipId, 'storage does not have it');
  uploadNext(ledger);
  ledger.settleFailed(ledger.leaseNext()!, 'the link went', 1_000);
  ledger.settleParked(ledger.leaseNext()!, 'refused');
  ledger.leaseNext();
  clock.advance(120_000);
  ledger.leaseNext();
  ledger.settleOutgoing(ledger.outgoing(1)[0]!.eventId);
}

test('the summary is what the rows say after every move', async (t) => {
  const bench = benchLedger(t, { outboxBounds: { rows: 12, bytes: 1_000_000 } });
  await liveALittle(bench);
  assert.deepEqual(picked(bench.ledger), counted(bench.dir));
  bench.reopen();
  assert.deepEqual(picked(bench.ledger), counted(bench.dir));
});

test('clips removed to make room are no longer in the totals', (t) => {
  const bench = benchLedger(t, { maxBytes: 20_000 });
  for (let n = 0; n < 30; n++) bench.sealed(1_000);
  assert.ok(bench.ledger.summary().bytes <= 20_000);
  assert.deepEqual(picked(bench.ledger), counted(bench.dir));
});

test('a ledger of the version before is counted when it is opened', async (t) => {
  const bench = benchLedger(t);
  await liveALittle(bench);
  const before = counted(bench.dir);
  bench.ledger.close();
  const db = new Sqlite(ledgerFile(bench.dir));
  const triggers = db
    .prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    .pluck()
    .all();
  db.exec(`
    ${triggers.map((name) => `DROP TRIGGER ${name};`).join('')}
    DROP TABLE clip_totals;
    DROP TABLE folded;
    DROP TABLE folded_clips;
    DROP INDEX clips_finished;
    ALTER TABLE clips DROP COLUMN finished_ms;
    ${['clips', 'custody', 'inbox', 'outbox'].map((table) => `ALTER TABLE ${table} DROP COLUMN checksum;`).join('')}
    DROP INDEX clips_by_camera;
    DELETE FROM facts WHERE name IN ('outbox_events', 'outbox_bytes', 'inbox_unread', 'clips_folded');
    PRAGMA user_version = 2;
  `);
  db.close();
  bench.ledger = bench.reopen();
  assert.equal(bench.ledger.summary().clips, before.clips);
  assert.equal(bench.ledger.summary().outgoing, counted(bench.dir).outgoing);
});

test('a program to which an update was rolled back keeps the totals right', (t) => {
  const bench = benchLedger(t);
  bench.ledger.close();
  rmSync(ledgerFile(bench.dir));
  // Updated to a version that older programs can work with, and rolled back.
  openDatabase(
    bench.dir,
    MIGRATIONS.filter(({ version }) => version <= 4),
  ).close();
  // The statements of the program before, which knows nothing of totals.
  const old = openDatabase(
    bench.dir,
    MIGRATIONS.filter(({ version }) => version <= 2),
  );
  old
    .prepare(
      `INSERT INTO clips (clip_id, camera_id, state, clock_quality, blob_name, triggered_ms, on_disk)
       VALUES ('01J0000000000000000000OLD1', 'gate', 'recording', 'synchronised', 'b', 1, 1)`,
    )
    .run();
  old
    .prepare(
      "UPDATE clips SET state = 'lost', on_disk = 0, bytes = 5, reason = 'r' WHERE clip_id LIKE '%OLD1'",
    )
    .run();
  old
    .prepare(
      "INSERT INTO custody (clip_id, at_ms, event, state) VALUES ('01J0000000000000000000OLD1', 1, 'lose', 'lost')",
    )
    .run();
  old.prepare('DELETE FROM outbox').run();
  old.close();
  bench.ledger = bench.reopen();
  assert.deepEqual(picked(bench.ledger), counted(bench.dir));
  assert.equal(bench.ledger.summary().outgoing, 0);
  assert.equal(bench.ledger.summary().clips, 1);
});

test('totals that do not agree with the rows are a finding, and a repair counts again', async (t) => {
  const bench = benchLedger(t);
  await liveALittle(bench);
  const right = picked(bench.ledger);
  const db = new Sqlite(ledgerFile(bench.dir));
  db.exec(`UPDATE clip_totals SET clips = clips + 7 WHERE state = 'judged';
           DELETE FROM clip_totals WHERE state = 'recording';
           UPDATE facts SET value = -3 WHERE name IN ('outbox_bytes', 'inbox_unread')`);
  db.close();
  const looked = await bench.ledger.check({ repair: false });
  const about = (report: typeof looked) =>
    report.problems.map(({ problem }) => problem).filter((problem) => problem.includes('totals'));
  assert.equal(about(looked).length, 3, about(looked).join('\n'));
  assert.match(about(looked)[0]!, /the totals of clips are .*, but the rows say /);
  assert.notDeepEqual(picked(bench.ledger), right, 'a look changes nothing');
  await bench.ledger.check({ repair: true });
  assert.deepEqual(about(await bench.ledger.check({ repair: false })), []);
  assert.deepEqual(picked(bench.ledger), counted(bench.dir));
});
