/** What the ledger's everyday work costs when it holds so many clips. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../../../agent/ledger/database/database.ts';
import type { Ledger } from '../../../../agent/ledger/ledger.ts';
import { openBenchLedger } from '../bench-ledger.ts';
import { median } from '../motion/score.ts';

/** Milliseconds of CPU, user and system, for one call: the median of the rounds. */
export interface LedgerCost {
  readonly rows: number;
  /** Opening a clip for a camera that has few. */
  readonly openMs: number;
  readonly leaseMs: number;
  readonly settleMs: number;
  readonly nextLeaseMs: number;
  readonly summaryMs: number;
  /** Twenty clips that have no verdict. */
  readonly unjudgedMs: number;
  /** The newest 25 clips. */
  readonly listMs: number;
  /** An event for the hub. */
  readonly tellMs: number;
}

const ROUNDS = 9;
/** A round goes on until it has used so much CPU: what is shorter than the system's clock ticks is not told. */
const ROUND_CPU_MS = 20;
const CALLS_MAX = 2_000;
const FEW = 20;

/** A row for each clip with four lines of custody: of twenty clips ten are judged, six wait for their verdict, three
 *  for their upload and one is lost. Camera "few" has twenty of them. */
export function fillLedger(dir: string, rows: number): void {
  const db = openDatabase(dir);
  db.pragma('synchronous = OFF');
  const now = Date.now();
  db.transaction(() => {
    db.prepare(
      `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :rows),
       made AS (SELECT n, CASE WHEN n % 20 < 10 THEN 'judged' WHEN n % 20 < 16 THEN 'uploaded'
                               WHEN n % 20 < 19 THEN 'sealed' ELSE 'lost' END AS state FROM n)
       INSERT INTO clips (clip_id, camera_id, state, clock_quality, blob_name, triggered_ms, started_ms, sealed_ms,
         uploaded_ms, judged_ms, pre_roll_ms, duration_ms, bytes, sha256, blob_url, attempt, verdict,
         verdict_revision, reason, on_disk)
       SELECT printf('01J%023d', n), CASE WHEN n < :few THEN 'few' ELSE 'many' END, state, 'synchronised',
         printf('many/2026/06/01/%d.mp4', n), :now - (:rows - n) * 1000, 0, 0,
         CASE WHEN state IN ('uploaded', 'judged') THEN :now - (:rows - n) * 1000 - 3600000 END,
         CASE WHEN state = 'judged' THEN :now - (:rows - n) * 1000 - 3500000 END, 5000, 35000,
         6000000 + n % 1000, printf('%064d', n), 'https://storage.invalid/clips/many', 1,
         CASE state WHEN 'judged' THEN json_object('clip_id', printf('01J%023d', n), 'revision', 1,
           'instance_id', printf('clip-01J%023d', n), 'verdict', 'nothing', 'labels', json('[]'), 'confidence', 0,
           'decided_utc', '2026-06-01T00:00:00.000Z', 'decision', 'marked-safe',
           'reason', 'Nothing that matters was seen.') END,
         state = 'judged', CASE state WHEN 'lost' THEN 'byte budget' END, state = 'sealed'
       FROM made`,
    ).run({ rows, few: FEW, now });
    for (const event of ['open', 'seal', 'lease', 'upload'])
      db.prepare(
        'INSERT INTO custody (clip_id, at_ms, event, state) SELECT clip_id, triggered_ms, ?, state FROM clips',
      ).run(event);
  })();
  db.close();
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Median CPU of one call. `between` undoes what it did and does not count. */
function cost<T>(call: () => T, between: (result: T) => void = () => undefined): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    let used = 0;
    let calls = 0;
    while (used < ROUND_CPU_MS && calls < CALLS_MAX) {
      const before = cpuMs();
      const result = call();
      used += cpuMs() - before;
      calls += 1;
      between(result);
    }
    return used / calls;
  });
  return Math.round((median(rounds) ?? 0) * 10_000) / 10_000;
}

/** Measures a made ledger in a folder of its own. */
export function ledgerCost(rows: number): LedgerCost {
  const dir = mkdtempSync(join(tmpdir(), 'bench-ledger-'));
  let ledger: Ledger | undefined;
  try {
    fillLedger(dir, rows);
    const made = openBenchLedger(dir);
    ledger = made;
    const open = () =>
      made.openClip({ cameraId: 'few', triggeredMs: Date.now(), clockQuality: 'synchronised' });
    const lease = () => {
      const got = made.leaseNext();
      if (!got) throw new Error('the ledger has nothing to lease');
      return got;
    };
    const openMs = cost(open, (clip) => made.loseClip(clip.clipId, 'measured'));
    const leaseMs = cost(lease, (one) => made.settleFailed(one, 'measured', 0));
    let leased = lease();
    const settleMs = cost(
      () => made.settleFailed(leased, 'measured', 0),
      () => {
        leased = lease();
      },
    );
    made.settleFailed(leased, 'measured', 0);
    return {
      rows,
      openMs,
      leaseMs,
      settleMs,
      nextLeaseMs: cost(() => made.nextLeaseInMs()),
      summaryMs: cost(() => made.summary()),
      unjudgedMs: cost(() => made.awaitingVerdict(1_000, 20)),
      listMs: cost(() => made.clips({ limit: 25 })),
      tellMs: cost(() =>
        made.tell('camera.state', { cameraId: 'few', state: 'live', detail: null } as never),
      ),
    };
  } finally {
    ledger?.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
