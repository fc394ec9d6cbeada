import assert from 'node:assert/strict';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { besideLedger, benchLedger, uploadNext, verdictFor } from '../bench.ts';

/** What may be read as a whole, and the bound on it. */
const MAY_SCAN: readonly { readonly step: RegExp; readonly sql: RegExp; readonly bound: string }[] = [
  { step: /clip_totals/, sql: /FROM clip_totals/, bound: 'a row for each state and place' },
  { step: /outbox_last/, sql: /FROM outbox_last/, bound: 'one row' },
  { step: /^SCAN outbox/, sql: /LIMIT (\?|1)$/, bound: 'read in the order of an index, up to the limit' },
  { step: /INDEX clips_by_retry/, sql: /ORDER BY retry_at LIMIT 1$/, bound: 'the first entry of an index' },
  {
    step: /INDEX inbox_unread/,
    sql: /ORDER BY seq LIMIT \?$/,
    bound: 'an index of what is unread, up to the limit',
  },
  { step: /^SCAN \(subquery/, sql: /UNION ALL|LIMIT \?\)/, bound: 'what its own steps found' },
  { step: /^SCAN json_each/, sql: /./, bound: 'a list of what could not be removed, handed in' },
  { step: /sqlite_master/, sql: /sqlite_master/, bound: 'the schema' },
  { step: /CONSTANT ROW/, sql: /./, bound: 'no table' },
];

/** Notes every statement that is prepared until `stop`. */
function preparedStatements() {
  const seen = new Set<string>();
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this`
  const { prepare } = Sqlite.prototype;
  Sqlite.prototype.prepare = function (this: Sqlite.Database, sql: string) {
    seen.add(sql);
    return prepare.call(this, sql);
  } as typeof prepare;
  return {
    stop() {
      Sqlite.prototype.prepare = prepare;
      return [...seen];
    },
  };
}

function planOf(db: Sqlite.Database, sql: string): string[] {
  const names = [...sql.matchAll(/[:@](\w+)/g)].map(([, name]) => [name, null]);
  const statement = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
  // A plan needs values for its parameters, any.
  for (let count = 0; count < 50; count++)
    try {
      const values: unknown[] = Array.from({ length: count }, () => null);
      return statement
        .all(...values, ...(names.length > 0 ? [Object.fromEntries(names)] : []))
        .map((row) => row.detail);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  throw new Error(`no plan for ${sql}`);
}

test('no query that the ledger makes while the agent runs reads a whole table, or sorts one', async (t) => {
  const statements = preparedStatements();
  let sql: string[];
  const bench = benchLedger(t, {
    clockQuality: () => 'synchronised',
    maxBytes: 30_000,
    outboxBounds: { rows: 20, bytes: 1_000_000 },
  });
  try {
    const { ledger, sealed, open, clock } = bench;
    for (let n = 0; n < 40; n++) sealed(1_000, n % 3 === 0 ? 'yard' : 'gate');
    ledger.loseClip(open().clipId, 'its writer failed');
    ledger.applyVerdict(verdictFor(uploadNext(ledger).clipId));
    await ledger.returnToQueue(uploadNext(ledger).clipId, 'gone');
    ledger.settleFailed(ledger.leaseNext()!, 'the link went', 1_000);
    ledger.settleParked(ledger.leaseNext()!, 'refused');
    clock.advance(5_000);
    ledger.leaseNext();
    ledger.nextLeaseInMs();
    ledger.storeMessage({ messageId: 'm', receivedMs: clock.nowMs(), body: Buffer.from('{}') });
    ledger.drainInbox();
    ledger.awaitingVerdict(0, 10);
    ledger.judgedPersons(0);
    ledger.judgedWithoutPerson(0);
    ledger.glance({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, newest: 10 });
    ledger.recordedMs({ cameraId: 'gate', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
    ledger.changes({ after: ledger.lastChange() - 1, limit: 10 });
    const [newest] = ledger.clips({ limit: 3 });
    ledger.custody(newest!.clipId);
    ledger.clip(newest!.clipId);
    ledger.summary();
    ledger.tell('link.state', { state: 'online', reason: null } as never);
    ledger.settleOutgoing(ledger.outgoing(1)[0]!.eventId);
    ledger.parked();
    clock.advance(2 * 3_600_000);
    ledger.returnParked();
    ledger.retryClip(newest!.clipId);
    await ledger.tend();
    clock.advance(100 * 86_400_000);
    await ledger.tend();
    bench.reopen();
  } finally {
    sql = statements.stop();
  }
  assert.ok(sql.length > 30, `only ${sql.length} statements were seen`);
  const db = besideLedger(bench.dir, { readonly: true });
  t.after(() => db.close());
  const bad = sql
    .filter((one) => /^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b/i.test(one))
    .flatMap((one) =>
      planOf(db, one)
        .filter((step) => /^SCAN|TEMP B-TREE/.test(step))
        .filter((step) => !MAY_SCAN.some((allowed) => allowed.step.test(step) && allowed.sql.test(one)))
        .map((step) => `${step}\n    ${one.replaceAll(/\s+/g, ' ')}`),
    );
  assert.deepEqual(bad, []);
});
