import { createActivities } from './activities.ts';
import { byAnyCase, type HostedFunction } from '../triggers/bindings.ts';
import type { HostClock } from '../clock.ts';
import { keptWhileSuspended, runEpisode, type Episode, type OrchestrationTrigger } from './episode.ts';
import type { History } from './history.ts';
import type { InstanceRow } from './history-sql.ts';
import type { Invoke, Log } from '../triggers/invoke.ts';
import type { HistoryEvent, OrchestratorState } from './wire.ts';

export interface EngineDeps {
  readonly history: History;
  readonly orchestrators: ReadonlyMap<string, HostedFunction>;
  readonly activities: ReadonlyMap<string, HostedFunction>;
  readonly invoke: Invoke;
  readonly clock: HostClock;
  readonly concurrency: number;
  readonly log: Log;
}

/** First and longest wait before what could not be stored (a full disk) is tried again. */
const TROUBLE_MS = { first: 500, max: 60_000 };

/** Moves every orchestration on: fires timers that are due, runs an episode for each instance something has
 *  arrived for, and starts activities. One episode at a time; activities beside it. */
// oxlint-disable-next-line max-lines-per-function -- the loop, what wakes it and what ends it change the same few flags between two awaits
export function createEngine(deps: EngineDeps) {
  const { history, clock, log } = deps;
  const known = { orchestrators: byAnyCase(deps.orchestrators), activities: byAnyCase(deps.activities) };
  const resting = new Set<() => void>();
  let loop: Promise<void> | undefined;
  let again = false;
  let stopped = true;
  let troubleMs = TROUBLE_MS.first;
  /** Instances whose episode could not be run or stored, and when each is tried again. */
  const troubled = new Map<string, { readonly againInMs: number; readonly untilMs: number }>();
  let cancelWake: () => void = () => undefined;

  const activities = createActivities({
    history,
    functions: deps.activities,
    invoke: deps.invoke,
    nowMs: () => clock.nowMs(),
    concurrency: deps.concurrency,
    log,
    onEnded: () => kick(),
  });

  const episodeOf = (row: InstanceRow, arrived: readonly HistoryEvent[]): Promise<Episode> => {
    const target = known.orchestrators.get(row.name.toLowerCase());
    return runEpisode({
      instanceId: row.id,
      executionId: row.execution,
      name: row.name,
      parentInstanceId: row.parent_id,
      history: history.eventsOf(row.id),
      arrived,
      nowMs: clock.nowMs(),
      run: async (trigger: OrchestrationTrigger) => {
        if (target === undefined) throw new Error(unknownOrchestrator(row.name, deps.orchestrators));
        const answer = await deps.invoke(target, { data: { string: JSON.stringify(trigger) } });
        if (answer?.json === undefined)
          throw new Error('the function is not a Durable Functions orchestrator');
        return JSON.parse(answer.json) as OrchestratorState;
      },
    });
  };

  const runOne = async (id: string) => {
    const row = history.instance(id);
    const messages = history.arrivedFor(id);
    const last = messages.at(-1);
    if (row === undefined || last === undefined) return;
    const arrived = messages.map((message) => message.event);
    const episode =
      row.status === 'Suspended' ? keptWhileSuspended(arrived, clock.nowMs()) : await episodeOf(row, arrived);
    const checked = withoutUnknown(episode, row.name, known);
    const stored = history.storeEpisode(row, last.seq, checked, clock.nowMs());
    log({
      event: 'orchestration.episode',
      instanceId: id,
      name: row.name,
      status: checked.end.status,
      scheduled: checked.scheduled.length,
      stored,
      ...(checked.end.status === 'Failed' ? { reason: checked.end.reason } : {}),
    });
  };

  /** Runs an episode. What goes wrong with one instance is its own trouble: it waits, the others go on. */
  const tryOne = async (id: string) => {
    try {
      await runOne(id);
      troubled.delete(id);
    } catch (error) {
      const againInMs = Math.min((troubled.get(id)?.againInMs ?? TROUBLE_MS.first / 2) * 2, TROUBLE_MS.max);
      troubled.set(id, { againInMs, untilMs: clock.nowMs() + againInMs });
      log({ event: 'engine.trouble', instanceId: id, message: (error as Error).message, againInMs });
    }
    // An orchestration that never waits would keep everything else in this process from running.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  };
  const isReady = (id: string) => (troubled.get(id)?.untilMs ?? 0) <= clock.nowMs();

  const moveOn = async () => {
    while (again) {
      again = false;
      history.fireDueTimers(clock.nowMs());
      for (const id of history.runnable().filter(isReady)) {
        if (stopped) return;
        await tryOne(id);
        activities.kick();
        again = true;
      }
      activities.kick();
    }
    sleepUntilSomethingIsDue();
  };

  const sleepUntilSomethingIsDue = () => {
    cancelWake();
    const timerMs = history.nextTimerMs();
    const dueMs = [
      ...[...troubled.values()].map(({ untilMs }) => untilMs),
      ...(timerMs === undefined ? [] : [timerMs]),
    ];
    cancelWake = dueMs.length === 0 || stopped ? () => undefined : clock.wakeAt(Math.min(...dueMs), kick);
  };

  const kick = () => {
    again = true;
    if (stopped || loop !== undefined) return;
    loop = moveOn()
      .then(() => {
        troubleMs = TROUBLE_MS.first;
      })
      .catch((error: unknown) => {
        log({ event: 'engine.trouble', message: (error as Error).message, againInMs: troubleMs });
        again = false;
        cancelWake();
        cancelWake = clock.wakeAt(clock.nowMs() + troubleMs, kick);
        troubleMs = Math.min(troubleMs * 2, TROUBLE_MS.max);
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
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        Promise.all([loop, activities.drained()]),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, withinMs);
        }),
      ]);
      clearTimeout(timer);
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

export type Engine = ReturnType<typeof createEngine>;

const unknownOrchestrator = (name: string, known: ReadonlyMap<string, HostedFunction>): string =>
  `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: ` +
  `The following are the known orchestrator functions: ${[...known.values()].map((one) => `'${one.name}'`).join(', ')}.`;

/** The real host lets an instance wait for ever that calls what is not there; here it fails and says so. */
function withoutUnknown(
  episode: Episode,
  name: string,
  known: Pick<EngineDeps, 'activities' | 'orchestrators'>,
): Episode {
  const unknown = episode.scheduled.find(
    (task) =>
      (task.kind === 'activity' && !known.activities.has(task.name.toLowerCase())) ||
      (task.kind === 'sub-orchestration' && !known.orchestrators.has(task.name.toLowerCase())),
  );
  if (unknown === undefined || unknown.kind === 'timer') return episode;
  const reason =
    `Orchestrator function '${name}' failed: the function '${unknown.name}' doesn't exist, is disabled, ` +
    `or is not of kind ${unknown.kind}.`;
  return { ...episode, scheduled: [], end: { status: 'Failed', reason } };
}
