import { EVENT, type HistoryEvent } from './wire.ts';

/** Ends of tasks; what they ended is folded into them. */
const ENDS: Readonly<Record<number, string>> = {
  [EVENT.taskCompleted]: 'TaskCompleted',
  [EVENT.taskFailed]: 'TaskFailed',
  [EVENT.subOrchestrationCompleted]: 'SubOrchestrationInstanceCompleted',
  [EVENT.subOrchestrationFailed]: 'SubOrchestrationInstanceFailed',
};

/** An instance's history as the management API shows it: without numbers and the frames of episodes, a scheduled
 *  task folded into its end once it has one.
 *  @param withResults results are left out without it, as is what an instance ended with */
export function shownHistory(events: readonly HistoryEvent[], withResults: boolean): object[] {
  const ended = new Set(events.flatMap((event) => (event.EventType in ENDS ? [event.TaskScheduledId] : [])));
  const scheduled = new Map(
    events
      .filter(
        ({ EventType }) => EventType === EVENT.taskScheduled || EventType === EVENT.subOrchestrationCreated,
      )
      .map((event) => [event.EventId, event]),
  );
  return events.flatMap((event) => {
    const isFolded = scheduled.get(event.EventId) === event && ended.has(event.EventId);
    const shown = isFolded
      ? undefined
      : shownEvent(event, scheduled.get(event.TaskScheduledId ?? -1), withResults);
    return shown === undefined ? [] : [shown];
  });
}

function shownEvent(
  event: HistoryEvent,
  begun: HistoryEvent | undefined,
  withResults: boolean,
): object | undefined {
  const { Timestamp, Name, Input = null, Reason = null } = event;
  const result = withResults ? { Result: valueOf(event.Result) } : {};
  const trace = { ParentTraceContext: null };
  switch (event.EventType) {
    case EVENT.executionStarted:
      return {
        EventType: 'ExecutionStarted',
        Input,
        Correlation: null,
        ...trace,
        ScheduledStartTime: null,
        Generation: event.Generation ?? null,
        GenerateNewTrace: false,
        Timestamp,
        FunctionName: Name,
      };
    case EVENT.taskScheduled:
      return { EventType: 'TaskScheduled', Name, Input: null, ...trace, Tags: null, Timestamp };
    case EVENT.subOrchestrationCreated:
      return {
        EventType: 'SubOrchestrationInstanceCreated',
        Name,
        InstanceId: event.InstanceId,
        Input: null,
        ClientSpanId: null,
        Tags: null,
        Timestamp,
      };
    case EVENT.taskCompleted:
    case EVENT.subOrchestrationCompleted:
      return { EventType: ENDS[event.EventType], ...result, Timestamp, ...scheduledPart(begun) };
    case EVENT.taskFailed:
    case EVENT.subOrchestrationFailed:
      return {
        EventType: ENDS[event.EventType],
        Reason,
        Details: event.Details ?? null,
        FailureDetails: event.FailureDetails ?? null,
        Timestamp,
        ...scheduledPart(begun),
      };
    case EVENT.timerCreated:
      return { EventType: 'TimerCreated', FireAt: event.FireAt, Timestamp };
    case EVENT.timerFired:
      return { EventType: 'TimerFired', FireAt: event.FireAt, Timestamp };
    case EVENT.eventRaised:
      return { EventType: 'EventRaised', Name, Input, ...trace, Timestamp };
    case EVENT.executionSuspended:
      return { EventType: 'ExecutionSuspended', Reason, Timestamp };
    case EVENT.executionResumed:
      return { EventType: 'ExecutionResumed', Reason, Timestamp };
    case EVENT.executionTerminated:
      return { EventType: 'ExecutionTerminated', Input: valueOf(Input), Timestamp };
    case EVENT.executionCompleted:
      return {
        EventType: 'ExecutionCompleted',
        OrchestrationStatus: event.OrchestrationStatus,
        ...result,
        FailureDetails: event.FailureDetails ?? null,
        Timestamp,
      };
    case EVENT.generic:
      return { Data: event.Data ?? null, EventType: 'GenericEvent', Timestamp };
    case EVENT.orchestratorStarted:
    case EVENT.orchestratorCompleted:
      break;
  }
  return undefined;
}

/** What the end of a task tells of its beginning. */
function scheduledPart(begun: HistoryEvent | undefined): object {
  if (begun === undefined) return {};
  return {
    ScheduledTime: begun.Timestamp.replace(/Z$/, '+00:00'),
    FunctionName: begun.Name,
    ...(begun.InstanceId === undefined ? {} : { InstanceId: begun.InstanceId }),
    Input: null,
  };
}

const valueOf = (text: string | null | undefined): unknown =>
  text === null || text === undefined ? null : (JSON.parse(text) as unknown);
