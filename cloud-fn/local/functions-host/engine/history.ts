import { randomUUID } from 'node:crypto';
import type Sqlite from 'better-sqlite3';
import { subOrchestrationId, type Episode } from './episode.ts';
import { prepareHistory, type ActivityRow, type InstanceRow } from './history-sql.ts';
import { EVENT, isFinal, iso, type FailureDetails, type HistoryEvent, type RuntimeStatus } from './wire.ts';

export type ActivityResult =
  | { readonly ok: true; readonly result: string }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly details: string;
      readonly failureDetails?: FailureDetails;
    };

export interface NewInstance {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly input: string | null;
  readonly version?: string | undefined;
  readonly parent?: { readonly id: string; readonly execution: string; readonly task: number };
}

/** Everything the orchestrations are, in SQLite.
 *
 *  Invariants
 *  1. Each method is one transaction: a kill before it changes nothing, a kill after it loses nothing.
 *  2. An episode is stored together with all it causes (activities, timers, children, the word to its parent),
 *     and only if the instance is still in the execution it ran in and not finished.
 *  3. An activity ends once: its row leaves in the transaction that puts its result into the inbox.
 *  4. What belongs to an earlier execution of an instance never reaches a later one. */
export function createHistory({ db }: { readonly db: Sqlite.Database }) {
  const sql = prepareHistory(db);

  const post = (instance: string, event: HistoryEvent) => sql.post.run(instance, JSON.stringify(event));
  const forget = (instance: string) => {
    for (const statement of sql.forget) statement.run(instance);
  };

  const postStart = (id: string, row: Pick<NewInstance, 'name' | 'input' | 'version'>, nowMs: number) =>
    post(id, {
      EventType: EVENT.executionStarted,
      EventId: -1,
      Timestamp: iso(nowMs),
      Name: row.name,
      Input: row.input,
      ...(row.version === undefined ? {} : { Version: row.version }),
    });

  const startNow = (instance: NewInstance, nowMs: number): boolean => {
    const before = sql.instance.get(instance.id);
    if (before && !isFinal(before.status)) return false;
    forget(instance.id);
    sql.deleteInstance.run(instance.id);
    sql.insertInstance.run({
      id: instance.id,
      execution: randomUUID(),
      name: instance.name,
      version: instance.version ?? null,
      input: instance.input,
      nowMs,
      parentId: instance.parent?.id ?? null,
      parentExecution: instance.parent?.execution ?? null,
      parentTask: instance.parent?.task ?? null,
    });
    postStart(instance.id, instance, nowMs);
    return true;
  };

  const tellParent = (child: InstanceRow, event: Partial<HistoryEvent>, failed: boolean, nowMs: number) => {
    if (child.parent_id === null || child.parent_task === null) return;
    const parent = sql.instance.get(child.parent_id);
    if (parent?.execution !== child.parent_execution || isFinal(parent.status)) return;
    post(child.parent_id, {
      ...event,
      EventType: failed ? EVENT.subOrchestrationFailed : EVENT.subOrchestrationCompleted,
      EventId: -1,
      Timestamp: iso(nowMs),
      TaskScheduledId: child.parent_task,
    });
  };

  const finish = (row: InstanceRow, status: RuntimeStatus, output: string | null, nowMs: number) => {
    const customStatus = sql.instance.get(row.id)?.custom_status ?? null;
    sql.update.run({ id: row.id, status, output, customStatus, nowMs });
    for (const statement of sql.forget.slice(1)) statement.run(row.id);
  };

  const addScheduled = (row: InstanceRow, episode: Episode, nowMs: number) => {
    for (const task of episode.scheduled)
      switch (task.kind) {
        case 'activity':
          sql.addActivity.run(row.id, row.execution, task.id, task.name, JSON.stringify(task.input ?? null));
          break;
        case 'timer':
          if (!task.cancelled) sql.addTimer.run(row.id, task.id, task.fireAtMs);
          break;
        case 'sub-orchestration': {
          const child = {
            id: subOrchestrationId(row.id, task),
            name: task.name,
            input: JSON.stringify(task.input ?? null),
            version: task.version,
            parent: { id: row.id, execution: row.execution, task: task.id },
          };
          if (!startNow(child, nowMs))
            post(row.id, {
              EventType: EVENT.subOrchestrationFailed,
              EventId: -1,
              Timestamp: iso(nowMs),
              TaskScheduledId: task.id,
              Reason: `An orchestration instance with the id ${child.id} is already running.`,
              Details: '',
            });
          break;
        }
      }
    for (const task of episode.cancelledTimers) sql.dropTimer.run(row.id, task);
  };

  const storeEpisode = (row: InstanceRow, upTo: number, episode: Episode, nowMs: number): boolean => {
    const current = sql.instance.get(row.id);
    if (current?.execution !== row.execution || isFinal(current.status)) return false;
    let seq = (sql.lastSeq.get(row.id)?.seq ?? -1) + 1;
    for (const event of episode.appended) sql.append.run(row.id, seq++, JSON.stringify(event));
    sql.taken.run(row.id, upTo);
    const customStatus = episode.customStatus ?? current.custom_status;
    // Suspended while the episode ran: it stays so.
    const status = current.status === 'Suspended' ? 'Suspended' : 'Running';
    sql.update.run({ id: row.id, status, output: null, customStatus, nowMs });
    const { end } = episode;
    switch (end.status) {
      case 'Running':
        addScheduled(row, episode, nowMs);
        break;
      case 'ContinuedAsNew': {
        // Events raised meanwhile reach the new execution; what was raised before and not waited for is dropped.
        const late = sql.late
          .all(row.id)
          .filter(({ event }) => (JSON.parse(event) as HistoryEvent).EventType === EVENT.eventRaised);
        forget(row.id);
        sql.restart.run(randomUUID(), end.input, customStatus, nowMs, row.id);
        postStart(row.id, { name: row.name, input: end.input, version: row.version ?? undefined }, nowMs);
        for (const message of late) sql.post.run(row.id, message.event);
        break;
      }
      case 'Completed':
        finish(row, 'Completed', end.output, nowMs);
        tellParent(row, { Result: end.output }, false, nowMs);
        break;
      case 'Failed': {
        finish(row, 'Failed', JSON.stringify(end.reason), nowMs);
        const details = end.failureDetails === undefined ? {} : { FailureDetails: end.failureDetails };
        tellParent(row, { Reason: end.reason, Details: '', ...details }, true, nowMs);
        break;
      }
    }
    return true;
  };

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
    instance: (id: string) => sql.instance.get(id),
    eventsOf: (id: string) => sql.history.all(id).map((row) => JSON.parse(row.event) as HistoryEvent),
    arrivedFor: (id: string) =>
      sql.arrived.all(id).map((row) => ({ seq: row.seq, event: JSON.parse(row.event) as HistoryEvent })),
    runnable: () => sql.runnable.all().map((row) => row.instance),
    activities: (limit: number) => sql.activities.all(limit),
    beginActivity: (row: ActivityRow) => sql.beginActivity.run(row.seq),
    nextTimerMs: () => sql.nextTimer.get()?.due_ms ?? undefined,
    /** False when an instance of that id is still running: nothing is changed then. */
    start: db.transaction(startNow),
    /** False when the episode came too late: the instance was terminated or replaced meanwhile. */
    storeEpisode: db.transaction(storeEpisode),
    endActivity: db.transaction(endActivity),
    fireDueTimers: db.transaction(fireDueTimers),
    raiseEvent: db.transaction((id: string, name: string, input: string, nowMs: number) =>
      ifActive(id, () =>
        post(id, {
          EventType: EVENT.eventRaised,
          EventId: -1,
          Timestamp: iso(nowMs),
          Name: name,
          Input: input,
        }),
      ),
    ),
    terminate: db.transaction((id: string, reason: string, nowMs: number) =>
      ifActive(id, (row) => {
        finish(row, 'Terminated', JSON.stringify(reason), nowMs);
        tellParent(row, { Reason: `Terminated: ${reason}`, Details: '' }, true, nowMs);
      }),
    ),
    suspend: db.transaction((id: string, nowMs: number) =>
      ifActive(id, () => sql.setStatus.run('Suspended', nowMs, id)),
    ),
    resume: db.transaction((id: string, nowMs: number) =>
      ifActive(id, (row) => {
        if (row.status === 'Suspended') sql.setStatus.run('Running', nowMs, id);
      }),
    ),
    /** True when the instance was finished and is gone now. */
    purge: db.transaction((id: string): boolean => {
      const row = sql.instance.get(id);
      if (!row || !isFinal(row.status)) return false;
      forget(id);
      sql.deleteInstance.run(id);
      return true;
    }),
  };
}

export type History = ReturnType<typeof createHistory>;
