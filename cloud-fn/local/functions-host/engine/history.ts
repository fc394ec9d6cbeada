import type Sqlite from 'better-sqlite3';
import type { Hostility } from '../hostile/hostility.ts';
import { createEpisodeStore } from './episode-store.ts';
import { createGroupCommit } from './group-commit.ts';
import { prepareHistory, type ActivityRow, type InstanceRow } from './history-sql.ts';
import { createInstanceVerbs } from './instance-verbs.ts';
import { createInstances, type NewInstance } from './instances.ts';
import { EVENT, isFinal, iso, type FailureDetails, type HistoryEvent, type RuntimeStatus } from './wire.ts';

export type ActivityResult =
  | { readonly ok: true; readonly result: string }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly details: string;
      readonly failureDetails?: FailureDetails;
    };

export interface HistoryDeps {
  readonly db: Sqlite.Database;
  readonly hostility?: Pick<Hostility, 'firesMs' | 'dropsEvent' | 'deliversTwice'> | undefined;
}

/** Events that change what an instance is before an episode has written them into its history. */
const COUNTS_AT_ONCE: ReadonlySet<number> = new Set([EVENT.executionSuspended, EVENT.executionResumed]);

/** Everything the orchestrations are, in SQLite.
 *
 *  Invariants
 *  1. Each method is one transaction: a kill before it changes nothing, a kill after it loses nothing.
 *  2. An episode is stored together with all it causes (activities, timers, children, the word to its parent),
 *     and only if the instance is still in the execution it ran in and not finished.
 *  3. An activity ends once: its row leaves in the transaction that puts its result into the inbox.
 *  4. What belongs to an earlier execution of an instance never reaches a later one. */
export function createHistory({ db, hostility }: HistoryDeps) {
  const sql = prepareHistory(db);

  const instances = createInstances(sql);
  const { post } = instances;
  const verbs = createInstanceVerbs(sql, instances, hostility);
  const storeEpisode = createEpisodeStore(sql, instances, hostility);

  const endActivity = (row: ActivityRow, result: ActivityResult, nowMs: number) => {
    if (sql.endActivity.run(row.seq).changes === 0) return;
    const base = { EventId: -1, Timestamp: iso(nowMs), TaskScheduledId: row.task };
    if (result.ok) post(row.instance, { ...base, EventType: EVENT.taskCompleted, Result: result.result });
    else
      post(row.instance, {
        ...base,
        EventType: EVENT.taskFailed,
        Reason: result.reason,
        Details: result.details,
        ...(result.failureDetails ? { FailureDetails: result.failureDetails } : {}),
      });
  };

  const fireDueTimers = (nowMs: number): number => {
    const due = sql.dueTimers.all(nowMs);
    for (const timer of due) {
      sql.dropTimer.run(timer.instance, timer.task);
      post(timer.instance, {
        EventType: EVENT.timerFired,
        EventId: -1,
        Timestamp: iso(nowMs),
        TimerId: timer.task,
        FireAt: iso(timer.due_ms),
      });
    }
    return due.length;
  };

  /** The instance's status before the change, undefined when there is none; `change` runs unless it is final. */
  const ifActive = (id: string, change: (row: InstanceRow) => void): RuntimeStatus | undefined => {
    const row = sql.instance.get(id);
    if (row && !isFinal(row.status)) change(row);
    return row?.status;
  };

  return {
    /** Runs a piece of work, which may call the methods below, in one commit with whatever else is handed over in this
     *  turn of the event loop. Resolves when it is on disk. */
    together: createGroupCommit(db),
    instance: (id: string) => sql.instance.get(id),
    eventsOf: instances.eventsOf,
    /** What explains the state an instance is in: its history, and the suspensions and resumptions that count already
     *  but wait for its next episode. */
    explanationOf: (id: string): HistoryEvent[] => [
      ...instances.eventsOf(id),
      ...instances
        .arrivedFor(id)
        .flatMap(({ event }) => (COUNTS_AT_ONCE.has(event.EventType) ? [event] : [])),
    ],
    arrivedFor: instances.arrivedFor,
    /** Instances something has arrived for, oldest first, without those in `except`. */
    runnable: (except: readonly string[] = []) =>
      sql.runnable.all(JSON.stringify(except)).map((row) => row.instance),
    activities: (limit: number) => sql.activities.all(limit),
    beginActivities: db.transaction((rows: readonly ActivityRow[]) => {
      for (const row of rows) sql.beginActivity.run(row.seq);
    }),
    nextTimerMs: () => sql.nextTimer.get()?.due_ms ?? undefined,
    /** False when an instance of that id is still running: nothing is changed then. */
    start: db.transaction((instance: NewInstance, nowMs: number) => instances.start(instance, nowMs)),
    /** False when the episode came too late: the instance was terminated or replaced meanwhile. */
    storeEpisode: db.transaction(storeEpisode),
    endActivity: db.transaction(endActivity),
    fireDueTimers: db.transaction(fireDueTimers),
    raiseEvent: db.transaction((id: string, name: string, input: string, nowMs: number) =>
      ifActive(id, (row) => verbs.raise(row, name, input, nowMs)),
    ),
    terminate: db.transaction((id: string, reason: string | null, nowMs: number) =>
      ifActive(id, (row) => verbs.terminate(row, reason, nowMs)),
    ),
    suspend: db.transaction((id: string, reason: string | null, nowMs: number) =>
      ifActive(id, (row) => verbs.suspend(row, reason, nowMs)),
    ),
    resume: db.transaction((id: string, reason: string | null, nowMs: number) =>
      ifActive(id, (row) => verbs.resume(row, reason, nowMs)),
    ),
    rewind: db.transaction((id: string, reason: string | null, nowMs: number) =>
      verbs.rewind(id, reason, nowMs),
    ),
    /** True when the instance was finished and is gone now. */
    purge: db.transaction((id: string): boolean => {
      const row = sql.instance.get(id);
      if (!row || !isFinal(row.status)) return false;
      instances.remove(id);
      return true;
    }),
  };
}

export type History = ReturnType<typeof createHistory>;
