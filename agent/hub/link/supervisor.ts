import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { redact } from '../../kernel/log.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { HubConnection } from './connection.ts';
import { linkFailure } from './link-failure.ts';

export type LinkState = 'connecting' | 'online' | 'refused' | 'offline';

export interface LinkStatus {
  readonly state: LinkState;
  /** Wall time since when, Unix milliseconds. */
  readonly sinceMs: number;
  /** What the last failed attempt said. */
  readonly detail: string | null;
}

export interface SupervisorTimings {
  readonly retry: BackoffPolicy;
  /** While nobody is there to be asked: a try costs next to nothing, and the house should obey soon after the
   *  network is back. */
  readonly unreachable: BackoffPolicy;
  /** At least this after the hub refused us or a message could not be stored: each try costs something. */
  readonly refusedMinMs: number;
  /** How often the hub is asked whether it is still there. */
  readonly probeMs: number;
  /** A connection that held this long was a good one: the next outage starts with short waits again. */
  readonly stableMs: number;
}

export interface SupervisorDeps {
  readonly open: (signal: AbortSignal) => Promise<HubConnection>;
  /** @param over aborted when the connection has ended */
  readonly onOnline: (connection: HubConnection, over: AbortSignal) => void;
  /** The loop has made a turn: it tried, or asked whether the hub is still there. */
  readonly onTurn: () => void;
  readonly timings: SupervisorTimings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface Supervisor {
  start(): void;
  stop(): Promise<void>;
  status(): LinkStatus;
}

const COSTLY: readonly string[] = ['hub.refused', 'hub.store'];

/** Keeps one connection to the hub, for ever.
 *  Invariants
 *  1. At most one connection exists; the old one is disposed of before the next is tried.
 *  2. A connection is left on any error, and when the hub does not answer the probe.
 *  3. It never gives up, and never tries without a wait before it. */
export function createSupervisor({
  open,
  onOnline,
  onTurn,
  timings,
  clock,
  random,
  log,
}: SupervisorDeps): Supervisor {
  let status: LinkStatus = { state: 'connecting', sinceMs: clock.nowMs(), detail: null };
  let lastCode: string | null = null;
  let stopping: AbortController | undefined;
  let running: Promise<void> | undefined;

  function become(state: LinkState, detail: string | null): void {
    const sinceMs = state === status.state ? status.sinceMs : clock.nowMs();
    status = { state, sinceMs, detail };
  }

  async function run(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    let unreached = 0;
    while (!signal.aborted) {
      onTurn();
      const startedMs = clock.monotonicMs();
      const { failure, wasOnline } = await holdOne(signal);
      if (signal.aborted) return;
      if (wasOnline && clock.monotonicMs() - startedMs >= timings.stableMs) attempt = 0;
      const nobody = failure.code === 'hub.unreachable';
      const waitMs = nobody
        ? backoffMs(timings.unreachable, unreached, random)
        : waitAfter(failure, attempt, timings, random);
      unreached = nobody ? unreached + 1 : 0;
      if (!nobody) attempt += 1;
      report(failure, wasOnline, waitMs);
      await sleepUnlessAborted(clock, waitMs, signal);
    }
  }

  /** One connection from opening to its end. */
  async function holdOne(signal: AbortSignal): Promise<{ failure: Failure; wasOnline: boolean }> {
    let connection: HubConnection;
    try {
      connection = await open(signal);
    } catch (error) {
      return { failure: linkFailure(error), wasOnline: false };
    }
    const over = new AbortController();
    const failed = probeUntilFailure(connection, over.signal);
    if (!signal.aborted) {
      become('online', null);
      lastCode = null;
      log.info({ event: 'link.online' }, 'connected to the hub');
      onOnline(connection, over.signal);
    }
    const failure = await Promise.race([connection.ended, failed]);
    over.abort();
    await connection.dispose();
    await failed;
    return { failure, wasOnline: true };
  }

  /** Resolves when a probe failed, or, with the reason of its end, when the connection is over. */
  async function probeUntilFailure(connection: HubConnection, over: AbortSignal): Promise<Failure> {
    while (await sleepUnlessAborted(clock, timings.probeMs, over)) {
      onTurn();
      try {
        await connection.probe();
      } catch (error) {
        return linkFailure(error);
      }
    }
    return connection.ended;
  }

  function report(failure: Failure, wasOnline: boolean, waitMs: number): void {
    const detail = redact(failure.message);
    become(failure.code === 'hub.refused' ? 'refused' : 'offline', detail);
    const fields = { event: 'link.offline', code: failure.code, detail, retryInMs: Math.round(waitMs) };
    // An outage is one line; its attempts are not.
    if (wasOnline || failure.code !== lastCode) log.warn(fields, 'no connection to the hub');
    else log.debug(fields, 'still no connection to the hub');
    lastCode = failure.code;
  }

  return {
    status: () => status,
    start: () => {
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    stop: async () => {
      stopping?.abort();
      await running;
      become('offline', 'stopped');
    },
  };
}

/** How long to wait before a hub that answers, or did not let us in, is asked again. Milliseconds. */
function waitAfter(
  { code }: Failure,
  attempt: number,
  { retry, refusedMinMs }: SupervisorTimings,
  random: () => number,
): number {
  const waitMs = backoffMs(retry, attempt, random);
  return COSTLY.includes(code) ? Math.max(waitMs, refusedMinMs * (1 + random() / 2)) : waitMs;
}
