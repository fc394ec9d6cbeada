import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createLedger, type Ledger, type LedgerDeps } from '../../../agent/ledger/ledger.ts';

/** The agent's ledger in `dir`, without a bound that would get into a measurement. */
export const openBenchLedger = (dir: string, more: Partial<LedgerDeps> = {}): Ledger =>
  createLedger({
    dir,
    clock: systemClock,
    log: createLog('silent'),
    maxBytes: 1e15,
    leaseMs: 900_000,
    minFreeBytes: 0,
    reserveBytes: 0,
    recoverTorn: () => Promise.resolve(undefined),
    ...more,
  });
