import { EVENT, type HistoryEvent } from '../wire.ts';
import type { ScheduledTask } from './scheduled-task.ts';

/** The orchestrator's code does something else than what its history says it did, or something this host
 *  cannot do. The instance fails with the message. */
export class OrchestrationRefused extends Error {
  override readonly name = 'OrchestrationRefused';
}

const WORDS = {
  activity: 'an activity',
  timer: 'a timer',
  'sub-orchestration': 'a sub-orchestration',
} as const;

/** What history says was scheduled must be what the replay has scheduled under the same number: the same kind and name.
 *  @param task what the replay has scheduled; undefined: nothing yet
 *  @throws OrchestrationRefused in the framework's words */
export function checkSame(event: HistoryEvent, task: ScheduledTask | undefined): void {
  const kind = kindOf(event);
  const sameName = task !== undefined && (task.kind === 'timer' || task.name === event.Name);
  if (task?.kind === kind && sameName) return;
  const named = (name: string | undefined) => (name === undefined ? '' : ` named '${name}'`);
  const known =
    event.Name === undefined
      ? ''
      : ` and name '${event.Name}' (version ''${event.InstanceId === undefined ? '' : `, instance ID '${event.InstanceId}'`})`;
  const what =
    task === undefined
      ? `sequence ID ${event.EventId}${known}, but the current replay execution hasn't (yet?) scheduled this task.`
      : `sequence number ${event.EventId}${named(event.Name)}, but the current orchestration replay instead scheduled ` +
        `${WORDS[task.kind]} task${named(task.kind === 'timer' ? undefined : task.name)} with this sequence number. `;
  throw new OrchestrationRefused(
    `Non-Deterministic workflow detected: A previous execution of this orchestration scheduled ${WORDS[kind]} task with ` +
      `${what} Was a change made to the orchestrator code after this instance had already started running?`,
  );
}

function kindOf({ EventType }: HistoryEvent): ScheduledTask['kind'] {
  if (EventType === EVENT.taskScheduled) return 'activity';
  return EventType === EVENT.timerCreated ? 'timer' : 'sub-orchestration';
}
