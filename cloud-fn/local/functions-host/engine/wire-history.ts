import { EVENT, type HistoryEvent } from './wire.ts';

/** What is replayed: the library sees these as already played, everything else never. */
const PLAYED: ReadonlySet<number> = new Set([
  EVENT.executionStarted,
  EVENT.taskCompleted,
  EVENT.taskFailed,
  EVENT.subOrchestrationCompleted,
  EVENT.subOrchestrationFailed,
  EVENT.timerFired,
  EVENT.eventRaised,
  EVENT.executionSuspended,
  EVENT.executionResumed,
]);

export interface WireHistoryOptions {
  readonly instanceId: string;
  readonly executionId: string;
  /** The first so many events were there in an earlier episode. */
  readonly played: number;
}

/** The history of an orchestration trigger, field by field as the extension sends it. */
export const wireHistory = (events: readonly HistoryEvent[], options: WireHistoryOptions): HistoryEvent[] =>
  events.map((event, index) => ({
    ...(fieldsOf(event, options) as Pick<HistoryEvent, 'EventType'>),
    EventId: event.EventId,
    IsPlayed: index < options.played && PLAYED.has(event.EventType),
    Timestamp: event.Timestamp,
  }));

const TRACE = { ParentTraceContext: null };

function fieldsOf(event: HistoryEvent, { instanceId, executionId }: WireHistoryOptions): object {
  const { EventType, Name, Input = null, TaskScheduledId } = event;
  const failure = () => ({
    EventType,
    TaskScheduledId,
    Reason: event.Reason,
    Details: event.Details ?? null,
    FailureDetails: event.FailureDetails ?? null,
  });
  switch (EventType) {
    case EVENT.executionStarted:
      return {
        OrchestrationInstance: { InstanceId: instanceId, ExecutionId: executionId },
        EventType,
        ParentInstance: event.ParentInstance ?? null,
        Name,
        Version: event.Version ?? null,
        Input,
        Tags: null,
        Correlation: null,
        ...TRACE,
        ScheduledStartTime: null,
        Generation: event.Generation ?? null,
        GenerateNewTrace: false,
      };
    case EVENT.taskScheduled:
      return { EventType, Name, Version: '', Input: null, ...TRACE, Tags: null };
    case EVENT.subOrchestrationCreated: {
      const { InstanceId, Version = null } = event;
      return { EventType, Name, Version, InstanceId, Input: null, ClientSpanId: null, Tags: null };
    }
    case EVENT.taskCompleted:
    case EVENT.subOrchestrationCompleted:
      return { EventType, TaskScheduledId, Result: event.Result };
    case EVENT.taskFailed:
    case EVENT.subOrchestrationFailed:
      return failure();
    case EVENT.timerCreated:
      return { EventType, FireAt: event.FireAt };
    case EVENT.timerFired:
      return { EventType, TimerId: event.TimerId, FireAt: event.FireAt };
    case EVENT.eventRaised:
      return { EventType, Name, Input, ...TRACE };
    case EVENT.executionSuspended:
    case EVENT.executionResumed:
      return { EventType, Reason: event.Reason ?? null };
    case EVENT.generic:
      return { EventType, Data: event.Data ?? null };
    case EVENT.executionCompleted:
    case EVENT.executionTerminated:
    case EVENT.orchestratorStarted:
    case EVENT.orchestratorCompleted:
      break;
  }
  return { EventType };
}
