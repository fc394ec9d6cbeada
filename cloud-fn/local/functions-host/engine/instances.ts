import { randomUUID } from 'node:crypto';
import type { HistorySql, InstanceRow } from './history-sql.ts';
import { EVENT, isFinal, iso, type HistoryEvent, type RuntimeStatus } from './wire.ts';

export interface NewInstance {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly input: string | null;
  readonly version?: string | undefined;
  readonly parent?: { readonly id: string; readonly execution: string; readonly task: number };
}

export type Instances = ReturnType<typeof createInstances>;

/** Instances from start to end, and the events that wait for each. Every method is part of a transaction of
 *  `history.ts`. */
export function createInstances(sql: HistorySql) {
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

  return {
    /** Puts an event into the inbox of an instance. */
    post,
    /** False when an instance of that id is still running: nothing is changed then. */
    start(instance: NewInstance, nowMs: number): boolean {
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
    },
    /** A new execution of the same instance. Events raised meanwhile reach it; what was raised before and not waited
     *  for is dropped. */
    continueAsNew(row: InstanceRow, input: string | null, customStatus: string | null, nowMs: number): void {
      const late = sql.late
        .all(row.id)
        .filter(({ event }) => (JSON.parse(event) as HistoryEvent).EventType === EVENT.eventRaised);
      forget(row.id);
      sql.restart.run(randomUUID(), input, customStatus, nowMs, row.id);
      postStart(row.id, { name: row.name, input, version: row.version ?? undefined }, nowMs);
      for (const message of late) sql.post.run(row.id, message.event);
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
