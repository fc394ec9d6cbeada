import { EVENT, type Action, type HistoryEvent } from '../wire.ts';
import { createActions } from './actions.ts';
import { createExternalEvents } from './external-events.ts';
import { createTasks, type TasksOutcome } from './tasks.ts';

export interface Walk extends TasksOutcome {
  readonly continueAsNew: { readonly input: unknown } | undefined;
}

/** Replays the action list of an orchestrator over its history, numbering tasks exactly as the Durable Task
 *  Framework does: in the order of their first start, one number for each activity, sub-orchestration, timer
 *  and retry; none for external events.
 *
 *  Invariants
 *  1. Top-level actions run one after the other; the children of WhenAny and WhenAll start together.
 *  2. What history says was scheduled must have been scheduled again, with the same kind and name, by the time
 *     the walk reaches that event; else the orchestrator is not deterministic.
 *  3. Time is the time of the last OrchestratorStarted event, never the clock.
 *  @throws OrchestrationRefused */
export function walkActions(actions: readonly Action[], history: readonly HistoryEvent[]): Walk {
  const tasks = createTasks();
  const events = createExternalEvents();
  let nowMs = 0;
  let continueAsNew: Walk['continueAsNew'];
  const start = createActions({
    tasks,
    events,
    nowMs: () => nowMs,
    continueAsNew: (input) => {
      continueAsNew = { input };
    },
  });

  let nextAction = 0;
  const startNext = (): void => {
    const action = actions[nextAction];
    nextAction += 1;
    if (action !== undefined) start(action, startNext);
  };

  for (const event of history)
    switch (event.EventType) {
      case EVENT.orchestratorStarted:
        nowMs = Math.max(nowMs, Date.parse(event.Timestamp));
        break;
      case EVENT.executionStarted:
        startNext();
        break;
      case EVENT.taskCompleted:
      case EVENT.subOrchestrationCompleted:
        tasks.end(event.TaskScheduledId, true);
        break;
      case EVENT.taskFailed:
      case EVENT.subOrchestrationFailed:
        tasks.end(event.TaskScheduledId, false);
        break;
      case EVENT.timerFired:
        tasks.end(event.TimerId, true);
        break;
      case EVENT.eventRaised:
        events.raise(event.Name ?? '');
        break;
      case EVENT.taskScheduled:
      case EVENT.subOrchestrationCreated:
      case EVENT.timerCreated:
        tasks.found(event);
        break;
      case EVENT.orchestratorCompleted:
      case EVENT.executionCompleted:
      case EVENT.executionTerminated:
      case EVENT.executionSuspended:
      case EVENT.executionResumed:
      case EVENT.generic:
        break;
    }
  return { ...tasks.outcome(), continueAsNew };
}
