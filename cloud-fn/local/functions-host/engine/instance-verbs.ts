import type { Hostility } from '../hostile/hostility.ts';
import type { HistorySql, InstanceRow } from './history-sql.ts';
import type { Instances } from './instances.ts';
import { rewound } from './rewind.ts';
import { EVENT, iso, type HistoryEvent } from './wire.ts';

/** What a manager does to an instance. Every method is part of a transaction of `history.ts`. */
export function createInstanceVerbs(
  sql: HistorySql,
  instances: Instances,
  hostility?: Pick<Hostility, 'dropsEvent' | 'deliversTwice'>,
) {
  const at = (nowMs: number) => ({ EventId: -1, Timestamp: iso(nowMs) });
  const jsonOf = (reason: string | null) => (reason === null ? null : JSON.stringify(reason));

  const rewind = (id: string, reason: string | null, nowMs: number): void => {
    const row = sql.instance.get(id);
    if (row?.status !== 'Failed') return;
    const { events, children } = rewound(instances.eventsOf(id));
    instances.reopen(row, events, nowMs);
    for (const child of children) rewind(child, reason, nowMs);
    instances.post(id, {
      ...at(nowMs),
      EventType: EVENT.generic,
      ...(reason === null ? {} : { Data: reason }),
    });
  };

  return {
    /** @param input JSON text */
    raise(row: InstanceRow, name: string, input: string, nowMs: number): void {
      const what = `${row.id} ${name}`;
      if (row.status === 'Pending' && hostility?.dropsEvent(what) === true) return;
      const event = { ...at(nowMs), EventType: EVENT.eventRaised, Name: name, Input: input };
      instances.post(row.id, event);
      if (hostility?.deliversTwice(what) === true) instances.post(row.id, event);
    },
    terminate(row: InstanceRow, reason: string | null, nowMs: number): void {
      const output = jsonOf(reason);
      const end: readonly HistoryEvent[] = [
        { ...at(nowMs), EventType: EVENT.executionTerminated, Input: output },
        {
          ...at(nowMs),
          EventType: EVENT.executionCompleted,
          OrchestrationStatus: 'Terminated',
          Result: output,
        },
      ];
      instances.append(row.id, [...instances.arrivedFor(row.id).map(({ event }) => event), ...end]);
      instances.finish(row, 'Terminated', output, nowMs);
      instances.tellParent(row, { Reason: reason }, true, nowMs);
    },
    /** The reason is what the instance shows as its output until it moves on. */
    suspend(row: InstanceRow, reason: string | null, nowMs: number): void {
      if (row.status === 'Suspended') return;
      instances.post(row.id, { ...at(nowMs), EventType: EVENT.executionSuspended, Reason: reason });
      sql.setStatus.run('Suspended', jsonOf(reason), nowMs, row.id);
    },
    resume(row: InstanceRow, reason: string | null, nowMs: number): void {
      if (row.status !== 'Suspended') return;
      instances.post(row.id, { ...at(nowMs), EventType: EVENT.executionResumed, Reason: reason });
      sql.setStatus.run('Running', jsonOf(reason), nowMs, row.id);
    },
    /** Takes back that tasks of a failed instance failed, in children too, and goes on from there. */
    rewind,
  };
}
