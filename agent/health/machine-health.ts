import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, loadavg, uptime } from 'node:os';
import { join } from 'node:path';
import type { ReportedHealth, ReportedStorage, ReportedVersions } from '@dachawatch/contracts';
import { mem } from 'systeminformation';
import { aborted } from '../kernel/waiting/aborted.ts';
import { clockQuality } from '../kernel/clock-quality.ts';
import type { Clock } from '../kernel/clock.ts';
import { withDeadline } from '../kernel/waiting/deadline.ts';
import type { Log } from '../kernel/log.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import { createMachineFiles } from './machine-files.ts';
import { remembered, throttlingNames } from './throttling.ts';
import { readVersions } from './versions.ts';

export type Disk = Pick<ReportedStorage, 'diskFreeBytes' | 'diskTotalBytes'>;

/** What the appliance knows about the machine it runs on. */
export interface Health {
  readonly name: string;
  /** Begins to measure; does not wait for the first result. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Null until it was measured for the first time, and when that has not been possible for some minutes. */
  facts(): ReportedHealth | null;
  /** Disk of the clips. Both 0 when it cannot be read. */
  disk(): Disk;
  versions(): ReportedVersions;
}

export interface HealthDeps {
  /** Folder of the clips, whose file system counts. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where `proc`, `sys`, `etc` and `run` are; `/` when absent. */
  readonly root?: string;
  /** Bytes of memory; systeminformation's, which reads /proc/meminfo, when absent. */
  readonly memory?: () => Promise<{ readonly total: number; readonly available: number }>;
  /** How often it measures. */
  readonly everyMs?: number;
  /** How long one measurement may take before it is complained of. */
  readonly deadlineMs?: number;
}

const EVERY_MS = 60_000;
const DEADLINE_MS = 10_000;
/** Facts of so many rounds ago are no facts. */
const STALE_ROUNDS = 5;

/** Invariants
 *  1. Files only: measuring starts no process.
 *  2. One measurement at a time. One that hangs, on a dying disk for example, holds up the next, and nothing else. */
export function createHealth(deps: HealthDeps): Health {
  const { dataDir, clock, log, root = '/', memory = mem } = deps;
  const { everyMs = EVERY_MS, deadlineMs = DEADLINE_MS } = deps;
  const files = createMachineFiles(root);
  const cores = Math.max(1, cpus().length);
  const startedMs = clock.monotonicMs();
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let measured: { readonly atMs: number; readonly facts: ReportedHealth } | undefined;
  let lastDisk: Disk | undefined;
  let versions: ReportedVersions | undefined;
  let throttlingSeen = 0;
  let failing = false;

  async function measure(): Promise<void> {
    const { total, available } = await memory();
    const cpuCelsius = await files.cpuCelsius();
    const bits = await files.throttling();
    throttlingSeen = remembered(throttlingSeen | (bits ?? 0)) & ~0xf;
    const agentBytes = (await files.treeBytes(process.pid)) ?? process.memoryUsage.rss();
    const facts: ReportedHealth = {
      ...(cpuCelsius === undefined ? {} : { cpuCelsius }),
      ...(bits === undefined ? {} : { throttled: throttlingNames(bits | throttlingSeen) }),
      load1: Math.round((loadavg()[0] ?? 0) * 100) / 100,
      cores,
      memoryTotalBytes: total,
      memoryAvailableBytes: available,
      agentBytes,
      uptimeSeconds: Math.floor(uptime()),
      agentUptimeSeconds: Math.floor((clock.monotonicMs() - startedMs) / 1_000),
      clock: clockQuality(clock.nowMs(), join(root, 'run')),
    };
    measured = { atMs: clock.monotonicMs(), facts };
    // Last: of all these only the disk can hang.
    const { bavail, blocks, bsize } = await statfs(dataDir);
    lastDisk = { diskFreeBytes: bavail * bsize, diskTotalBytes: blocks * bsize };
  }

  async function round(): Promise<void> {
    const measuring = measure();
    try {
      await withDeadline(measuring, deadlineMs, 'measuring the machine', 'health.deadline');
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn({ event: 'health.not-measured', err: error }, 'the state of the machine cannot be measured');
      failing = true;
      // Whatever came too late is awaited, so that no second one is stuck beside it; `stop` does not wait for it.
      await Promise.race([measuring.catch(() => undefined), aborted(stopping.signal)]);
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await round();
      await sleepUnlessAborted(clock, everyMs, stopping.signal);
    }
  }

  function readDisk(): Disk {
    try {
      const { bavail, blocks, bsize } = statfsSync(dataDir);
      return { diskFreeBytes: bavail * bsize, diskTotalBytes: blocks * bsize };
    } catch {
      return { diskFreeBytes: 0, diskTotalBytes: 0 };
    }
  }

  return {
    name: 'health',
    start: async () => {
      running = loop();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    facts: () =>
      measured && clock.monotonicMs() - measured.atMs <= everyMs * STALE_ROUNDS ? measured.facts : null,
    disk: () => (lastDisk ??= readDisk()),
    versions: () => (versions ??= readVersions(root)),
  };
}
