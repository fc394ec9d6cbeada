import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HostClock } from '../clock.ts';
import type { HiddenWork } from '../hostile/hidden-work.ts';
import type { HostedFunction } from '../triggers/bindings.ts';
import type { Invoke, Log } from '../triggers/invoke.ts';
import { createActivities } from './activities.ts';
import { createEpisodeRunner } from './episode-runner.ts';
import { keptWhileSuspended } from './episode.ts';
import type { History } from './history.ts';
import { createTrouble, type Trouble } from './trouble.ts';
import { isFinal } from './wire.ts';

export interface EngineDeps {
  readonly history: History;
  readonly orchestrators: ReadonlyMap<string, HostedFunction>;
  readonly activities: ReadonlyMap<string, HostedFunction>;
  readonly invoke: Invoke;
  readonly clock: HostClock;
  readonly concurrency: number;
  readonly log: Log;
  /** Only on a hostile host: there an instance fails for good when its app dies in an episode, as on the real one.
   *  Otherwise the episode is run again. */
  readonly hidden?: HiddenWork | undefined;
}

export type Engine = ReturnType<typeof createEngine>;

/** Moves every orchestration on: fires timers that are due, runs an episode for each instance something has
 *  arrived for, and starts activities. One episode at a time; activities beside it. */
export function createEngine(deps: EngineDeps) {
  const { history, clock, log } = deps;
  const moveInstance = createInstanceMover(deps);
  /** Instances whose episode could not be run or stored. */
  const troubled = createTrouble<string>(() => clock.nowMs());
  /** What stops all of them, as a history that cannot be read. */
  const stuck = createTrouble<'loop'>(() => clock.nowMs());
  const resting = new Set<() => void>();
  let loop: Promise<void> | undefined;
  let again = false;
  let stopped = true;
  let cancelWake: () => void = () => undefined;

  const activities = createActivities({
    ...deps,
    functions: deps.activities,
    nowMs: () => clock.nowMs(),
    onEnded: () => kick(),
  });

  /** Runs an episode. What goes wrong with one instance is its own trouble: it waits, the others go on. */
  const tryInstance = async (id: string) => {
    try {
      await moveInstance(id);
      troubled.over(id);
    } catch (error) {
      const againInMs = troubled.failed(id);
      log({ event: 'engine.trouble', instanceId: id, message: (error as Error).message, againInMs });
    }
    // An orchestration that never waits would keep everything else in this process from running.
    await nextTurn();
  };

  const moveOn = async () => {
    while (again) {
      again = false;
      history.fireDueTimers(clock.nowMs());
      for (const id of history.runnable(troubled.waiting()).filter((one) => !isHidden(deps, one))) {
        if (stopped) return;
        await tryInstance(id);
        activities.kick();
        again = true;
      }
      activities.kick();
    }
    sleepUntilSomethingIsDue();
  };

  const sleepUntilSomethingIsDue = () => {
    cancelWake();
    forgetEnded(history, troubled);
    const dueMs = [history.nextTimerMs(), deps.hidden?.nextMs(), ...troubled.dueMs()].filter(
      (ms) => ms !== undefined,
    );
    cancelWake = dueMs.length === 0 || stopped ? () => undefined : clock.wakeAt(Math.min(...dueMs), kick);
  };

  const kick = () => {
    again = true;
    if (stopped || loop !== undefined) return;
    loop = moveOn()
      .then(() => stuck.over('loop'))
      .catch((error: unknown) => {
        const againInMs = stuck.failed('loop');
        log({ event: 'engine.trouble', message: (error as Error).message, againInMs });
        again = false;
        cancelWake();
        cancelWake = clock.wakeAt(clock.nowMs() + againInMs, kick);
      })
      .finally(() => {
        loop = undefined;
        if (again) kick();
        else if (activities.running() === 0) {
          for (const wake of resting) wake();
          resting.clear();
        }
      });
  };

  return {
    start: () => {
      stopped = false;
      kick();
    },
    /** Ends after the running episode and activities, or after `withinMs`; what is unfinished runs again. */
    stop: async (withinMs: number) => {
      stopped = true;
      cancelWake();
      await endedWithin(withinMs, Promise.all([loop, activities.drained()]));
    },
    /** Something has arrived. */
    kick,
    /** Resolves when nothing can move until time passes or something arrives. */
    atRest: () =>
      loop === undefined && activities.running() === 0
        ? Promise.resolve()
        : new Promise<void>((resolve) => resting.add(resolve)),
  };
}

const isHidden = ({ history, hidden }: EngineDeps, id: string): boolean =>
  hidden?.isHidden(`episode ${history.arrivedFor(id)[0]?.seq}`, `episode ${id}`) === true;

/** An instance that has ended meanwhile is in no trouble any more. */
function forgetEnded(history: Pick<History, 'instance'>, troubled: Trouble<string>): void {
  for (const id of troubled.keys()) {
    const row = history.instance(id);
    if (row === undefined || isFinal(row.status)) troubled.over(id);
  }
}

/** Runs and stores the next episode of one instance, if something has arrived for it. */
function createInstanceMover(deps: EngineDeps) {
  const { history, clock, log } = deps;
  const runEpisode = createEpisodeRunner(deps);

  return async (id: string): Promise<void> => {
    const row = history.instance(id);
    const messages = history.arrivedFor(id);
    const last = messages.at(-1);
    if (row === undefined || last === undefined) return;
    const arrived = messages.map((message) => message.event);
    const episode =
      row.status === 'Suspended'
        ? keptWhileSuspended(arrived, clock.nowMs())
        : await runEpisode({ row, history: history.eventsOf(id), arrived, nowMs: clock.nowMs() });
    const stored = await history.together(() => history.storeEpisode(row, last.seq, episode, clock.nowMs()));
    log({
      event: 'orchestration.episode',
      instanceId: id,
      name: row.name,
      status: episode.end.status,
      scheduled: episode.scheduled.length,
      stored,
      ...(episode.end.status === 'Failed' ? { reason: episode.end.reason } : {}),
    });
  };
}

async function endedWithin(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
