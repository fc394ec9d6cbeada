import type { HistoryEvent } from '../wire.ts';
import { checkSame } from './determinism.ts';
import type { NewTask, ScheduledTask } from './scheduled-task.ts';

export interface TasksOutcome {
  /** Scheduled for the first time, in order. */
  readonly fresh: readonly ScheduledTask[];
  /** Numbers of timers of earlier episodes that have been cancelled since. */
  readonly cancelledTimers: readonly number[];
  /** Scheduled, not ended and not cancelled: as long as there is one, the instance is not finished. */
  readonly openTasks: number;
}

export type Tasks = ReturnType<typeof createTasks>;

/** The tasks of one replay, numbered from 0 in the order in which they are scheduled. */
export function createTasks() {
  const scheduled = new Map<number, ScheduledTask>();
  const waiting = new Map<number, (ok: boolean) => void>();
  const ended = new Set<number>();
  const inHistory = new Set<number>();

  return {
    /** @param then called when history says that it has ended, and how */
    schedule(task: NewTask, then: (ok: boolean) => void): void {
      const id = scheduled.size;
      scheduled.set(id, { ...task, id });
      waiting.set(id, then);
    },
    /** History says that it was scheduled.
     *  @throws OrchestrationRefused when the replay has scheduled something else, or nothing yet */
    found(event: HistoryEvent): void {
      checkSame(event, scheduled.get(event.EventId));
      inHistory.add(event.EventId);
    },
    /** History says that it has ended. Only the first time counts. */
    end(id: number | undefined, ok: boolean): void {
      if (id === undefined || ended.has(id)) return;
      ended.add(id);
      waiting.get(id)?.(ok);
    },
    outcome(): TasksOutcome {
      const tasks = [...scheduled.values()];
      const isCancelled = (task: ScheduledTask) => task.kind === 'timer' && task.cancelled;
      return {
        fresh: tasks.filter(({ id }) => !inHistory.has(id)),
        cancelledTimers: tasks
          .filter((task) => isCancelled(task) && inHistory.has(task.id))
          .map(({ id }) => id),
        openTasks: tasks.filter((task) => !ended.has(task.id) && !isCancelled(task)).length,
      };
    },
  };
}
