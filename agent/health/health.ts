import type { ReportedHealth, ReportedStorage, ReportedVersions } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';

/** What the appliance knows about the machine it runs on. Null until it was measured for the first time. */
export interface Health {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  facts(): ReportedHealth | null;
  /** Disk of the clips. */
  disk(): Pick<ReportedStorage, 'diskFreeBytes' | 'diskTotalBytes'>;
  versions(): ReportedVersions;
}

export interface HealthDeps {
  /** Folder of the clips, whose file system counts. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A loop that must make progress for the appliance to be alive. */
export interface WatchdogCheck {
  /** Of the loop, for the sentence: `ledger`, `capture`, `hub`. */
  readonly name: string;
  /** Null when it makes progress; otherwise one sentence that says what stands still. Must not block. */
  stuck(): string | null;
}

/** Feeds the service manager's watchdog as long as every check makes progress, and keeps the STATUS line. */
export interface Watchdog {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}
