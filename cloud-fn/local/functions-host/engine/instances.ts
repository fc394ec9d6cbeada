import { randomUUID } from 'node:crypto';
import type { HistorySql, InstanceRow } from './history-sql.ts';
import { EVENT, isFinal, iso, type HistoryEvent, type ParentInstance, type RuntimeStatus } from './wire.ts';

export interface NewInstance {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly input: string | null;
  readonly version?: string | undefined;
  readonly parent?: ParentInstance;
}

export type Instances = ReturnType<typeof createInstances>;

/** Instances from start to end, and the events that wait for each. Every method is part of a transaction of
 *  `history.ts`. */
export function createInstances(sql: HistorySql) {
  const post = (instance: string, event: HistoryEvent) => sql.post.run(instance, JSON.stringify(event));
  const forget = (instance: string) => {
    for (const statement of sql.forget) statement.run(instance);
  };
  const eventsOf = (id: string) => sql.history.all(id).map((row) => JSON.parse(row.event) as HistoryEvent);
  const startOf = (row: Pick<NewInstance, 'name' | 'input' | 'version'>): Partial<HistoryEvent> => ({
    Name: row.name,
    Input: row.input,
    ...(row.version === undefined ? {} : { Version: row.version }),
  });
  const postStart = (id: string, start: Partial<HistoryEvent>, nowMs: number) =>
    post(id, { EventType: EVENT.executionStarted, EventId: -1, Timestamp: iso(nowMs), ...start });
  const shortId = () => randomUUID().replaceAll('-', '');
  /** How often an instance of this id has been replaced, once it is replaced now. */
  const generationAfter = (before: InstanceRow | undefined): number => {
    if (before === undefined) return 0;
    const first = eventsOf(before.id).find((event) => event.EventType === EVENT.executionStarted);
    return (first?.Generation ?? 0) + 1;
  };

  return {
    /** Puts an event into the inbox of an instance. */
    post,
    eventsOf,
    arrivedFor: (id: string) =>
      sql.arrived.all(id).map((row) => ({ seq: row.seq, event: JSON.parse(row.event) as HistoryEvent })),
    /** Adds to its history; nothing is replayed because of it. */
    append(id: string, events: readonly HistoryEvent[]): void {
      let seq = (sql.lastSeq.get(id)?.seq ?? -1) + 1;
      for (const event of events) sql.append.run(id, seq++, JSON.stringify(event));
    },
    /** False when an instance of that id is still running: nothing is changed then. */
    start(instance: NewInstance, nowMs: number): boolean {
      const before = sql.instance.get(instance.id);
      if (before && !isFinal(before.status)) return false;
      const { parent } = instance;
      const origin =
        parent === undefined ? { Generation: generationAfter(before) } : { ParentInstance: parent };
      forget(instance.id);
      sql.deleteInstance.run(instance.id);
      sql.insertInstance.run({
        id: instance.id,
        execution: parent === undefined ? randomUUID() : shortId(),
        name: instance.name,
        version: instance.version ?? null,
        input: instance.input,
        nowMs,
        parentId: parent?.OrchestrationInstance.InstanceId ?? null,
        parentExecution: parent?.OrchestrationInstance.ExecutionId ?? null,
        parentTask: parent?.TaskScheduleId ?? null,
      });
      postStart(instance.id, { ...startOf(instance), ...origin }, nowMs);
      return true;
    },
    /** A new execution of the same instance, without a custom status. Events raised meanwhile reach it; what was raised
     *  before and not waited for is dropped. */
    continueAsNew(row: InstanceRow, input: string | null, nowMs: number): void {
      const late = sql.late
        .all(row.id)
        .filter(({ event }) => (JSON.parse(event) as HistoryEvent).EventType === EVENT.eventRaised);
      const parent = eventsOf(row.id).find((event) => event.ParentInstance)?.ParentInstance;
      forget(row.id);
      sql.restart.run(shortId(), input, null, nowMs, row.id);
      const start = startOf({ name: row.name, input, version: row.version ?? undefined });
      postStart(row.id, { ...start, ...(parent === undefined ? {} : { ParentInstance: parent }) }, nowMs);
      for (const message of late) sql.post.run(row.id, message.event);
    },
    /** Runs again with another history. */
    reopen(row: InstanceRow, events: readonly HistoryEvent[], nowMs: number): void {
      forget(row.id);
      this.append(row.id, events);
      sql.update.run({ id: row.id, status: 'Running', output: null, customStatus: row.custom_status, nowMs });
    },
    /** Its history stays, everything that was still to be done goes. */
    finish(row: InstanceRow, status: RuntimeStatus, output: string | null, nowMs: number): void {
      const customStatus = sql.instance.get(row.id)?.custom_status ?? null;
      sql.update.run({ id: row.id, status, output, customStatus, nowMs });
      for (const statement of sql.forget.slice(1)) statement.run(row.id);
    },
    /** What came of a child, unless its parent is over or in another execution. */
    tellParent(child: InstanceRow, event: Partial<HistoryEvent>, failed: boolean, nowMs: number): void {
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
    },
    /** Nothing of it is left. */
    remove(id: string): void {
      forget(id);
      sql.deleteInstance.run(id);
    },
  };
}
