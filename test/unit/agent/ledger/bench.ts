import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import Sqlite from 'better-sqlite3';
import { type Conditions, createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { ledgerFile } from '../../../../agent/ledger/database/database-files.ts';
import { defineChecksums } from '../../../../agent/ledger/database/row-checksum.ts';
import {
  type Clip,
  createLedger,
  type Ledger,
  type LedgerDeps,
  type WrittenClip,
} from '../../../../agent/ledger/ledger.ts';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';

/** A connection of another program that writes rows as the ledger does. To be closed. */
export function besideLedger(dir: string, options: Sqlite.Options = {}): Sqlite.Database {
  const db = new Sqlite(ledgerFile(dir), options);
  defineChecksums(db);
  return db;
}

/** A ledger in a folder of its own that goes with the test. */
export interface LedgerBench {
  readonly dir: string;
  readonly clock: FakeClock;
  readonly lines: string[];
  readonly conditions: Conditions;
  /** Codes of the conditions that stand. */
  readonly standing: () => string[];
  ledger: Ledger;
  /** Opens the ledger again, as a new process would: monotonic times of before mean nothing. */
  readonly reopen: (overrides?: Partial<LedgerDeps>) => Ledger;
  /** Opens, writes and seals a clip of so many bytes. */
  readonly sealed: (bytes?: number, cameraId?: string) => Clip;
  readonly open: (cameraId?: string) => Clip;
}

export function benchLedger(t: TestContext, overrides: Partial<LedgerDeps> = {}): LedgerBench {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-ledger-'));
  const clock = createFakeClock();
  const lines: string[] = [];
  const log = createLog('debug', (line) => lines.push(line));
  const conditions = createConditions({ clock, log });
  const build = (more: Partial<LedgerDeps>) =>
    createLedger({
      dir,
      clock,
      log,
      conditions,
      reserveBytes: 65_536,
      maxBytes: 1_000_000_000,
      leaseMs: 60_000,
      minFreeBytes: 0,
      recoverTorn: keepWhole,
      ...overrides,
      ...more,
    });
  const bench: LedgerBench = {
    dir,
    clock,
    lines,
    conditions,
    standing: () => conditions.list().map(({ code }) => code),
    ledger: build({}),
    reopen(more = {}) {
      bench.ledger.close();
      bench.ledger = build(more);
      return bench.ledger;
    },
    open: (cameraId = 'gate') =>
      bench.ledger.openClip({ cameraId, triggeredMs: clock.nowMs(), clockQuality: 'synchronised' }),
    sealed(bytes = 1_000, cameraId = 'gate') {
      const clip = bench.open(cameraId);
      return bench.ledger.sealClip(clip.clipId, writeClip(clip.partFile, bytes));
    },
  };
  t.after(() => {
    bench.ledger.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return bench;
}

/** What a clip writer does: bytes, fsync, close, report. */
export function writeClip(
  file: string,
  bytes: number,
  content = Buffer.alloc(bytes, file.slice(-12)),
): WrittenClip {
  const fd = openSync(file, 'w');
  writeSync(fd, content);
  fsyncSync(fd);
  closeSync(fd);
  return {
    startedMs: Date.UTC(2026, 5, 1, 12),
    preRollMs: 5_000,
    durationMs: 30_000,
    bytes,
    sha256: createHash('sha256').update(content).digest('hex'),
  };
}

/** Stands for the repair of torn MP4 files: everything in the file counts as playable; nothing does when it is empty. */
export const keepWhole: LedgerDeps['recoverTorn'] = async (file) => {
  const content = readFileSync(file);
  return content.length === 0
    ? undefined
    : {
        durationMs: 10_000,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      };
};

export const verdictFor = (
  clipId: string,
  revision = 1,
  verdict: Verdict['verdict'] = 'person',
): Verdict => ({
  clip_id: clipId,
  revision,
  instance_id: 'clip-1',
  verdict,
  labels: ['person'],
  confidence: 0.9,
  decided_utc: '2026-06-01T12:01:00Z',
  decision: 'notified',
  reason: 'A person was seen.',
});

/** Leases and uploads the next clip. */
export function uploadNext(ledger: Ledger): Clip {
  const lease = ledger.leaseNext();
  if (!lease) throw new Error('nothing to lease');
  if (!ledger.settleUploaded(lease, `https://storage/${lease.clip.blobName}`)) throw new Error('not settled');
  return lease.clip;
}
