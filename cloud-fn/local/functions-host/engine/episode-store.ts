import { childDetails } from './failure-text.ts';
import { subOrchestrationId, type Episode } from './episode.ts';
import type { Hostility } from '../hostile/hostility.ts';
import type { HistorySql, InstanceRow } from './history-sql.ts';
import type { Instances } from './instances.ts';
import { EVENT, isFinal, iso } from './wire.ts';

/** Stores an episode with all it causes: activities, timers, children, the word to its parent. Part of a transaction of
 *  `history.ts`.
 *  @returns false when it came too late: the instance was terminated or replaced meanwhile */
export function createEpisodeStore(
  sql: HistorySql,
  instances: Instances,
  hostility?: Pick<Hostility, 'firesMs'>,
) {
  const firesMs = (id: string, task: number, dueMs: number) =>
    hostility?.firesMs(`${id} ${task}`, dueMs) ?? dueMs;
  const addScheduled = (row: InstanceRow, episode: Episode, nowMs: number) => {
    for (const task of episode.scheduled)
      switch (task.kind) {
        case 'activity':
          sql.addActivity.run(row.id, row.execution, task.id, task.name, JSON.stringify(task.input ?? null));
          break;
        case 'timer':
          if (!task.cancelled) sql.addTimer.run(row.id, task.id, firesMs(row.id, task.id, task.fireAtMs));
          break;
        case 'sub-orchestration': {
          const child = {
            id: subOrchestrationId(row.execution, task),
            name: task.name,
            input: task.input === undefined || task.input === null ? null : JSON.stringify(task.input),
            version: task.version,
            parent: {
              Name: row.name,
              OrchestrationInstance: { InstanceId: row.id, ExecutionId: row.execution },
              TaskScheduleId: task.id,
              Version: row.version,
            },
          };
          if (!instances.start(child, nowMs))
            instances.post(row.id, {
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

  const end = (row: InstanceRow, episode: Episode, nowMs: number) => {
    const { end: ending } = episode;
    switch (ending.status) {
      case 'Running':
        return addScheduled(row, episode, nowMs);
      case 'ContinuedAsNew':
        return instances.continueAsNew(row, ending.input, nowMs);
      case 'Completed':
        instances.finish(row, 'Completed', ending.output, nowMs);
        return instances.tellParent(row, { Result: ending.output }, false, nowMs);
      case 'Failed': {
        const { reason, failureDetails } = ending;
        instances.finish(row, 'Failed', JSON.stringify(reason), nowMs);
        const details = failureDetails === undefined ? {} : { FailureDetails: failureDetails };
        return instances.tellParent(
          row,
          { Reason: reason, Details: childDetails(reason), ...details },
          true,
          nowMs,
        );
      }
    }
  };

  return (row: InstanceRow, upTo: number, episode: Episode, nowMs: number): boolean => {
    const current = sql.instance.get(row.id);
    if (current?.execution !== row.execution || isFinal(current.status)) return false;
    instances.append(row.id, episode.appended);
    sql.taken.run(row.id, upTo);
    const customStatus = episode.customStatus === undefined ? current.custom_status : episode.customStatus;
    // Suspended before the episode or while it ran: it stays so, and shows why; one that was resumed too.
    const isResumed = episode.appended.some((event) => event.EventType === EVENT.executionResumed);
    const status = current.status === 'Suspended' ? 'Suspended' : 'Running';
    const output = status === 'Suspended' || isResumed ? current.output : null;
    sql.update.run({ id: row.id, status, output, customStatus, nowMs });
    end(row, episode, nowMs);
    return true;
  };
}
