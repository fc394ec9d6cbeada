import type Sqlite from 'better-sqlite3';
import { textOf, type HostedFunction } from './bindings.ts';
import type { HostClock } from '../clock.ts';
import type { Invoke, Log } from './invoke.ts';
import { parseNcrontab } from './ncrontab.ts';
import { resolveName, type AppSettings } from './queue-connections.ts';
import { iso } from '../engine/wire.ts';

export interface TimerTriggersDeps {
  readonly db: Sqlite.Database;
  readonly functions: readonly HostedFunction[];
  readonly settings: AppSettings;
  readonly invoke: Invoke;
  readonly clock: HostClock;
  readonly log: Log;
}

/** The app's timer triggers, in UTC. An occurrence that passed while the host was off is made up for once, with
 *  `isPastDue`. One occurrence at a time: one that comes while the function still runs is left out.
 *  @throws Error for a schedule that cannot be read */
export function createTimerTriggers({ db, functions, settings, invoke, clock, log }: TimerTriggersDeps) {
  const load = db.prepare<[string], { last_ms: number | null; next_ms: number }>(
    'SELECT last_ms, next_ms FROM schedules WHERE function = ?',
  );
  const store = db.prepare('INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)');
  const timers = functions.map((target) => ({
    target,
    schedule: parseNcrontab(resolveName(textOf(target.trigger, 'schedule') ?? '', settings)),
  }));
  const cancels = new Map<string, () => void>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  const arm = ({ target, schedule }: (typeof timers)[number]) => {
    const { name } = target;
    const before = load.get(name);
    const nowMs = clock.nowMs();
    const isPastDue = before !== undefined && before.next_ms < nowMs - 60_000;
    const due = before?.next_ms ?? schedule.nextAfter(nowMs);
    if (due === undefined) return log({ event: 'timer.never', function: name });
    if (before === undefined) store.run(name, null, due);

    const fire = () => {
      const firedMs = clock.nowMs();
      const next = schedule.nextAfter(Math.max(firedMs, due));
      // Stored before the call: a kill during it leaves this occurrence out instead of repeating it for ever.
      store.run(name, firedMs, next ?? Number.MAX_SAFE_INTEGER);
      const one = run(target, { Last: iso(firedMs), Next: next === undefined ? '' : iso(next) }, isPastDue)
        .then(() => (stopped ? undefined : arm({ target, schedule })))
        .finally(() => running.delete(one));
      running.add(one);
    };
    cancels.set(name, clock.wakeAt(due, fire));
    return undefined;
  };

  const run = async (target: HostedFunction, status: { Last: string; Next: string }, isPastDue: boolean) => {
    const timer = {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: { ...status, LastUpdated: status.Last },
      IsPastDue: isPastDue,
    };
    try {
      await invoke(target, { data: { json: JSON.stringify(timer) } });
    } catch (error) {
      log({ event: 'timer.failed', function: target.name, message: (error as Error).message });
    }
  };

  return {
    start: () => {
      for (const timer of timers) {
        if (timer.target.trigger['runOnStartup'] === true) store.run(timer.target.name, null, clock.nowMs());
        arm(timer);
      }
    },
    stop: async () => {
      stopped = true;
      for (const cancel of cancels.values()) cancel();
      await Promise.all(running);
    },
  };
}
