import type { TelemetryData } from '@dachawatch/contracts';
import { createStorageJudge } from '../health/health.ts';
import type { Clock } from '../kernel/clock.ts';
import type { LedgerSummary } from '../ledger/ledger.ts';
import { type Observed, storageOf } from './document.ts';
import { REPORTS } from './pace.ts';

type Storage = TelemetryData<'storage.state'>;

export interface StorageLook {
  /** Looks at disk and ledger, if the last time is long enough ago.
   *  @returns what is known now; undefined when the disk or the ledger could not be read */
  look(): Storage | undefined;
  /** As of the last look. */
  state(): Storage['state'] | null;
}

/** How much room there is for evidence. */
export function createStorageLook(deps: {
  readonly disk: () => Observed['disk'];
  /** Null while the ledger does not answer. */
  readonly summary: () => LedgerSummary | null;
  /** The byte budget of clips. */
  readonly clipBytesMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}): StorageLook {
  const { clock, clipBytesMax } = deps;
  const judge = createStorageJudge();
  let known: Storage | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  function read(): Storage | undefined {
    const disk = deps.disk();
    const summary = deps.summary();
    // Both 0: the disk could not be read.
    if (disk.diskTotalBytes === 0 || summary === null) return undefined;
    const state = judge({ ...disk, summary, clipBytesMax });
    return { state, ...storageOf({ summary, disk, clipBytesMax }) };
  }

  return {
    look: () => {
      if (clock.monotonicMs() - lookedAtMs < REPORTS.storageMs) return known;
      lookedAtMs = clock.monotonicMs();
      known = read();
      return known;
    },
    state: () => known?.state ?? null,
  };
}
