import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { ServiceManager } from '../kernel/services/service-manager.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';

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

export interface WatchdogDeps {
  readonly checks: readonly WatchdogCheck[];
  readonly manager: Pick<ServiceManager, 'watchdog' | 'status' | 'watchdogMs'>;
  /** One sentence for whoever asks systemd how the agent is. */
  readonly statusLine: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Without a watchdog the loops are looked at nevertheless, for the log and for the STATUS line. */
const UNWATCHED_TURN_MS = 10_000;
/** A turn that comes so much too late means that the event loop stood still. */
const LATE_MS = 2_000;

/** Invariants
 *  1. While one check says that its loop stands still, the watchdog is not fed: systemd then ends the agent with
 *     SIGABRT and starts it again. The log has said which loop it was.
 *  2. It runs on the event loop that it watches: an event loop that stands still feeds nobody. */
export function createWatchdog({ checks, manager, statusLine, clock, log }: WatchdogDeps): Watchdog {
  const turnMs = manager.watchdogMs === null ? UNWATCHED_TURN_MS : manager.watchdogMs / 3;
  const stopping = new AbortController();
  const stuck = new Set<string>();
  let running: Promise<void> = Promise.resolve();
  let wordless = false;

  function turn(): void {
    const standing = checks.flatMap((check) => {
      const why = whyStuck(check);
      note(check.name, why);
      return why === null ? [] : [why];
    });
    const line = standing.length > 0 ? `stands still: ${standing.join('; ')}` : sentence();
    if (line !== undefined) manager.status(line);
    if (standing.length === 0) manager.watchdog();
  }

  function whyStuck(check: WatchdogCheck): string | null {
    try {
      return check.stuck();
    } catch (error) {
      return `${check.name} cannot be asked: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  function note(name: string, why: string | null): void {
    if (why !== null && !stuck.has(name)) {
      stuck.add(name);
      const then = manager.watchdogMs === null ? '' : '; the watchdog is not fed any more';
      log.error({ event: 'watchdog.stuck', check: name, why }, `${why}${then}`);
    } else if (why === null && stuck.delete(name))
      log.info({ event: 'watchdog.moves-again', check: name }, `${name} makes progress again`);
  }

  /** The line is for people: nobody is killed for want of it. */
  function sentence(): string | undefined {
    try {
      return statusLine();
    } catch (error) {
      if (!wordless) log.error({ event: 'watchdog.no-status', err: error }, 'the STATUS line cannot be made');
      wordless = true;
      return undefined;
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      turn();
      const beforeMs = clock.monotonicMs();
      await sleepUnlessAborted(clock, turnMs, stopping.signal);
      const lateMs = Math.round(clock.monotonicMs() - beforeMs - turnMs);
      if (lateMs >= LATE_MS)
        log.warn({ event: 'watchdog.late', lateMs }, 'the event loop stood still for a while');
    }
  }

  return {
    name: 'watchdog',
    start: async () => {
      running = loop();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
