import { subOrchestrationId, type Episode } from './episode.ts';
import type { HistorySql, InstanceRow } from './history-sql.ts';
import type { Instances } from './instances.ts';
import { EVENT, isFinal, iso } from './wire.ts';

/** Stores an episode with all it causes: activities, timers, children, the word to its parent. Part of a transaction of
 *  `history.ts`.
 *  @returns false when it came too late: the instance was terminated or replaced meanwhile */
export function createEpisodeStore(sql: HistorySql, instances: Instances) {
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

  const end = (row: InstanceRow, episode: Episode, customStatus: string | null, nowMs: number) => {
    const { end: ending } = episode;
    switch (ending.status) {
      case 'Running':
        return addScheduled(row, episode, nowMs);
      case 'ContinuedAsNew':
        return instances.continueAsNew(row, ending.input, customStatus, nowMs);
      case 'Completed':
        instances.finish(row, 'Completed', ending.output, nowMs);
        return instances.tellParent(row, { Result: ending.output }, false, nowMs);
      case 'Failed': {
        const { reason, failureDetails } = ending;
        instances.finish(row, 'Failed', JSON.stringify(reason), nowMs);
        const details = failureDetails === undefined ? {} : { FailureDetails: failureDetails };
        return instances.tellParent(row, { Reason: reason, Details: '', ...details }, true, nowMs);
      }
    }
  };

  return (row: InstanceRow, upTo: number, episode: Episode, nowMs: number): boolean => {
    const current = sql.instance.get(row.id);
    if (current?.execution !== row.execution || isFinal(current.status)) return false;
    let seq = (sql.lastSeq.get(row.id)?.seq ?? -1) + 1;
    for (const event of episode.appended) sql.append.run(row.id, seq++, JSON.stringify(event));
    sql.taken.run(row.id, upTo);
    const customStatus = episode.customStatus ?? current.custom_status;
    // Suspended while the episode ran: it stays so.
    const status = current.status === 'Suspended' ? 'Suspended' : 'Running';
    sql.update.run({ id: row.id, status, output: null, customStatus, nowMs });
    end(row, episode, customStatus, nowMs);
    return true;
  };
}
