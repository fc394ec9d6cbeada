import { EVENT, type HistoryEvent } from './wire.ts';

/** The history of a failed instance as if what failed had not been asked for yet.
 *
 *  Activities that failed lose their beginning and their end, so that a replay asks for them again. Children that failed
 *  lose their end only: they are rewound themselves, and tell their parent again. The instance's own end goes. What
 *  was taken back stays as a generic event. */
export function rewound(events: readonly HistoryEvent[]): {
  readonly events: readonly HistoryEvent[];
  /** Ids of the children that failed. */
  readonly children: readonly string[];
} {
  const failedTasks = new Set(
    events.filter((event) => event.EventType === EVENT.taskFailed).map((event) => event.TaskScheduledId),
  );
  const failedChildren = new Set(
    events
      .filter((event) => event.EventType === EVENT.subOrchestrationFailed)
      .map((event) => event.TaskScheduledId),
  );
  const children = events.flatMap((event) =>
    event.EventType === EVENT.subOrchestrationCreated && failedChildren.has(event.EventId) && event.InstanceId
      ? [event.InstanceId]
      : [],
  );
  const ends: readonly number[] = [EVENT.taskFailed, EVENT.subOrchestrationFailed, EVENT.executionCompleted];
  const isTakenBack = ({ EventType, EventId }: HistoryEvent): boolean =>
    ends.includes(EventType) || (EventType === EVENT.taskScheduled && failedTasks.has(EventId));
  const takenBack = ({ Timestamp }: HistoryEvent): HistoryEvent => ({
    EventType: EVENT.generic,
    EventId: -1,
    Timestamp,
  });
  return { events: events.map((event) => (isTakenBack(event) ? takenBack(event) : event)), children };
}
