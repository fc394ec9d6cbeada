import { statSync } from 'node:fs';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import type { Care } from './care/care.ts';
import { NOTICE_HOURS } from './care/restore.ts';
import { backupFile, ledgerFile } from './database/database-files.ts';
import { BACKUP_NOT_WHOLE } from './database/doubts.ts';
import { schemaDamage } from './database/schema.ts';
import type { Ledger } from './ledger.ts';

/** The backup is what a damaged ledger is begun from again: what it lacks is read from the damaged one, and from the
 *  clip files. */
const BACKUP_EVERY_MS = 6 * 60 * 60_000;
/** After a start, others come first. */
const BACKUP_NOT_BEFORE_MS = 60_000;
const BACKUP_AGAIN_MS = 60 * 60_000;
/** How long it is told that the ledger was damaged. */
const NOTICE_MS = NOTICE_HOURS * 60 * 60_000;
/** Waits between two tries to compare rows with files after it was opened. */
const CHECK_AGAIN: BackoffPolicy = { minMs: 5_000, maxMs: 10 * 60_000 };
/** How often it is looked whether the files in use are still those in the folder. */
const WATCH_EVERY_MS = 5_000;
/** How often it is looked whether the schema on the disk is still that of a ledger: SQLite reads it once. */
const SCHEMA_EVERY_MS = 60_000;

/** A ledger that is open. */
export interface OpenLedger {
  readonly ledger: Ledger;
  /** Aborted with the failure for which it must be opened again, or when it is closed. */
  readonly over: AbortController;
}

export interface WhileOpenDeps {
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly log: Log;
  readonly conditions: Pick<Conditions, 'clear'>;
  readonly care: Pick<Care, 'backUp'>;
  /** What is done at first, in this order, before the check. */
  readonly first: readonly { readonly what: string; readonly work: (ledger: Ledger) => unknown }[];
  /** Something threw: whether the ledger must be opened again for it is decided there. */
  readonly onError: (error: unknown, from: OpenLedger) => void;
}

/** What is done with a ledger while it is open: reading what waited, a check, backups, and looks at its files.
 *  @returns to be called for each that is opened; resolves when that is over. Nothing that is thrown in it ends more
 *  than itself */
export function createWhileOpen(deps: WhileOpenDeps): (now: OpenLedger) => Promise<void> {
  const { dir, clock, log, conditions, care, first, onError } = deps;

  /** @returns whether it was done, or nobody needs it any more */
  async function step(now: OpenLedger, what: string, work: () => unknown): Promise<boolean> {
    const { signal } = now.over;
    if (signal.aborted) return true;
    try {
      await work();
      return true;
    } catch (error) {
      // Closed under its hands.
      if (signal.aborted) return true;
      log.error({ event: 'ledger.step-failed', what, err: error }, `the ledger: ${what} failed`);
      onError(error, now);
      return false;
    }
  }

  const check = (now: OpenLedger) =>
    step(now, 'the check', async () => {
      const found = await now.ledger.check({ repair: true });
      log.info({ event: 'ledger.checked', ...found }, 'ledger checked after start');
    });

  /** What a disk that fails has kept from being repaired waits for it, not for the next look at all files. */
  async function checkAgain(now: OpenLedger): Promise<void> {
    const { signal } = now.over;
    for (let tries = 0; await sleepUnlessAborted(clock, backoffMs(CHECK_AGAIN, tries), signal); tries += 1)
      if (await check(now)) return;
  }

  async function tend(now: OpenLedger): Promise<void> {
    const { ledger } = now;
    for (const { what, work } of first) await step(now, what, () => work(ledger));
    const isChecked = await check(now);
    await Promise.all([...(isChecked ? [] : [checkAgain(now)]), backUp(now), forgetDamage(now.over.signal)]);
  }

  /** A file that is deleted or replaced under an open database is written on, and is gone when it is closed. */
  async function watchFiles({ over }: OpenLedger): Promise<void> {
    const before = identityOf(dir);
    while (await sleepUnlessAborted(clock, WATCH_EVERY_MS, over.signal))
      if (identityOf(dir) !== before)
        over.abort(
          new Failure(
            'transient',
            'ledger.replaced',
            `${ledgerFile(dir)} was deleted or replaced while it was open`,
          ),
        );
  }

  /** Statements that are prepared go on for a while without what was damaged: totals would be wrong in silence. */
  async function watchSchema(now: OpenLedger): Promise<void> {
    while (await sleepUnlessAborted(clock, SCHEMA_EVERY_MS, now.over.signal))
      try {
        const why = schemaDamage(dir);
        if (why !== undefined) now.over.abort(new Failure('corrupt', 'ledger.schema', why));
      } catch (error) {
        onError(error, now);
      }
  }

  async function backUp(now: OpenLedger): Promise<void> {
    const { signal } = now.over;
    const ageMs = clock.nowMs() - (statSync(backupFile(dir), { throwIfNoEntry: false })?.mtimeMs ?? 0);
    let waitMs = ageMs < 0 ? 0 : BACKUP_EVERY_MS - ageMs;
    while (await sleepUnlessAborted(clock, Math.max(waitMs, BACKUP_NOT_BEFORE_MS), signal)) {
      waitMs = BACKUP_EVERY_MS;
      try {
        const isInPlace = now.ledger.backupBegins();
        await care.backUp(signal);
        isInPlace();
        log.info({ event: 'ledger.backed-up' }, 'the ledger has a new backup');
      } catch (error) {
        if (signal.aborted) return;
        const { kind, code, message } = classify(error, 'ledger.backup');
        log.warn({ event: 'ledger.not-backed-up', code }, message);
        waitMs = BACKUP_AGAIN_MS;
        // It reads every page of the ledger, which nothing else does while it is open.
        if (kind === 'corrupt') onError(new Failure(kind, BACKUP_NOT_WHOLE, message, { cause: error }), now);
      }
    }
  }

  async function forgetDamage(signal: AbortSignal): Promise<void> {
    if (!(await sleepUnlessAborted(clock, NOTICE_MS, signal))) return;
    conditions.clear('ledger-mended');
    conditions.clear('ledger-rebuilt');
  }

  return async (now) => void (await Promise.all([tend(now), watchFiles(now), watchSchema(now)]));
}

/** Which files stand under the names of the database and its WAL. */
const identityOf = (dir: string) =>
  ['', '-wal']
    .map((part) => statSync(`${ledgerFile(dir)}${part}`, { bigint: true, throwIfNoEntry: false }))
    .map((entry) => (entry ? `${entry.dev}/${entry.ino}` : 'none'))
    .join();
