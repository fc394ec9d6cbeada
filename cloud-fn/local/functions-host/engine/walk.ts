import {
  ACTION,
  EVENT,
  LONG_TIMER_STEP_MS,
  SHORT_TIMER_MAX_MS,
  type Action,
  type HistoryEvent,
  type RetryOptions,
} from './wire.ts';

/** The last time that a date can say, Unix milliseconds. */
const LAST_TIME_MS = 8.64e15;

/** Something the orchestrator has scheduled, under the number both sides know it by. */
export type ScheduledTask =
  | { readonly kind: 'activity'; readonly id: number; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'sub-orchestration';
      readonly id: number;
      readonly name: string;
      readonly input: unknown;
      readonly instanceId: string | undefined;
      readonly version: string | undefined;
    }
  | { readonly kind: 'timer'; readonly id: number; readonly fireAtMs: number; readonly cancelled: boolean };

export interface Walk {
  /** Scheduled for the first time, in order. */
  readonly fresh: readonly ScheduledTask[];
  /** Numbers of timers of earlier episodes that have been cancelled since. */
  readonly cancelledTimers: readonly number[];
  /** Scheduled, not ended and not cancelled: as long as there is one, the instance is not finished. */
  readonly openTasks: number;
  readonly continueAsNew: { readonly input: unknown } | undefined;
}

/** The orchestrator's code does something else than what its history says it did, or something this host
 *  cannot do. The instance fails with the message. */
export class OrchestrationRefused extends Error {
  override readonly name = 'OrchestrationRefused';
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
// oxlint-disable-next-line max-lines-per-function -- one replay: tasks are numbered in the order in which these functions start them, and that order is the framework's
export function walkActions(actions: readonly Action[], history: readonly HistoryEvent[]): Walk {
  const scheduled = new Map<number, ScheduledTask>();
  const waiting = new Map<number, (ok: boolean) => void>();
  const eventWaiters = new Map<string, (() => void)[]>();
  const eventsBuffered = new Map<string, number>();
  const ended = new Set<number>();
  const inHistory = new Set<number>();
  let nowMs = 0;
  let nextAction = 0;
  let continueAsNew: Walk['continueAsNew'];

  const schedule = (task: ScheduledTask, then: (ok: boolean) => void) => {
    scheduled.set(task.id, task);
    waiting.set(task.id, then);
  };

  /** @throws OrchestrationRefused: stored, it would stop the whole host at every start */
  const possible = (fireAtMs: number): number => {
    if (Math.abs(fireAtMs) <= LAST_TIME_MS) return fireAtMs;
    throw new OrchestrationRefused('A timer was created for a time that does not exist.');
  };

  const startTimer = (fireAtMs: number, cancelled: boolean, then: () => void) => {
    const far = fireAtMs - nowMs > SHORT_TIMER_MAX_MS;
    const task = {
      kind: 'timer' as const,
      id: scheduled.size,
      fireAtMs: far ? nowMs + LONG_TIMER_STEP_MS : fireAtMs,
      cancelled,
    };
    schedule(task, () => (far ? startTimer(fireAtMs, cancelled, then) : then()));
  };

  const startWithRetry = (
    options: RetryOptions,
    startOnce: (then: (ok: boolean) => void) => void,
    then: () => void,
  ) => {
    const firstStartMs = nowMs;
    const attempt = (number: number) =>
      startOnce((ok) => {
        const expired =
          options.retryTimeoutInMilliseconds !== undefined &&
          nowMs >= firstStartMs + options.retryTimeoutInMilliseconds;
        if (ok || expired) return then();
        const delayMs = Math.min(
          options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (number - 1),
          options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER,
        );
        // The framework waits after the last attempt too before it gives up.
        const timer = {
          kind: 'timer',
          id: scheduled.size,
          fireAtMs: possible(nowMs + delayMs),
          cancelled: false,
        } as const;
        return schedule(timer, () => (number < options.maxNumberOfAttempts ? attempt(number + 1) : then()));
      });
    attempt(1);
  };

  const startActivity = (action: Action) => (then: (ok: boolean) => void) =>
    schedule(
      { kind: 'activity', id: scheduled.size, name: action.functionName ?? '', input: action.input },
      then,
    );
  const startSubOrchestration = (action: Action) => (then: (ok: boolean) => void) =>
    schedule(
      {
        kind: 'sub-orchestration',
        id: scheduled.size,
        name: action.functionName ?? '',
        input: action.input,
        instanceId: action.instanceId ?? undefined,
        version: action.version ?? undefined,
      },
      then,
    );

  const startEvent = (name: string, then: () => void) => {
    const buffered = eventsBuffered.get(name) ?? 0;
    if (buffered > 0) {
      eventsBuffered.set(name, buffered - 1);
      then();
    } else eventWaiters.set(name, [...(eventWaiters.get(name) ?? []), then]);
  };

  const start = (action: Action, then: () => void): void => {
    const children = action.compoundActions ?? [];
    switch (action.actionType) {
      case ACTION.callActivity:
        return startActivity(action)(then);
      case ACTION.callActivityWithRetry:
        return startWithRetry(retryOptionsOf(action), startActivity(action), then);
      case ACTION.callSubOrchestrator:
        return startSubOrchestration(action)(then);
      case ACTION.callSubOrchestratorWithRetry:
        return startWithRetry(retryOptionsOf(action), startSubOrchestration(action), then);
      case ACTION.createTimer:
        return startTimer(possible(Date.parse(action.fireAt ?? '')), action.isCanceled === true, then);
      case ACTION.waitForExternalEvent:
        return startEvent(action.externalEventName ?? '', then);
      case ACTION.continueAsNew:
        continueAsNew = { input: action.input };
        return then();
      case ACTION.whenAny:
      case ACTION.whenAll: {
        let missing = action.actionType === ACTION.whenAny ? 1 : children.length;
        // One that has ended already, as an event that came before, ends the wait only when all have started: what
        // follows gets later numbers than all of them.
        let isStarting = true;
        for (const child of children)
          start(child, () => {
            missing -= 1;
            if (missing === 0 && !isStarting) then();
          });
        isStarting = false;
        return missing <= 0 ? then() : undefined;
      }
      default:
        throw new OrchestrationRefused(notEmulated(action.actionType));
    }
  };

  const startNext = (): void => {
    const action = actions[nextAction];
    nextAction += 1;
    if (action !== undefined) start(action, startNext);
  };

  const end = (id: number | undefined, ok: boolean) => {
    if (id === undefined || ended.has(id)) return;
    ended.add(id);
    waiting.get(id)?.(ok);
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
        end(event.TaskScheduledId, true);
        break;
      case EVENT.taskFailed:
      case EVENT.subOrchestrationFailed:
        end(event.TaskScheduledId, false);
        break;
      case EVENT.timerFired:
        end(event.TimerId, true);
        break;
      case EVENT.eventRaised: {
        const name = event.Name ?? '';
        // Of several waiters for one name the last comes first, as in the JavaScript library.
        const waiter = eventWaiters.get(name)?.pop();
        if (waiter) waiter();
        else eventsBuffered.set(name, (eventsBuffered.get(name) ?? 0) + 1);
        break;
      }
      case EVENT.taskScheduled:
      case EVENT.subOrchestrationCreated:
      case EVENT.timerCreated:
        checkSame(event, scheduled.get(event.EventId));
        inHistory.add(event.EventId);
        break;
      case EVENT.orchestratorCompleted:
      case EVENT.executionCompleted:
      case EVENT.executionTerminated:
      case EVENT.executionSuspended:
      case EVENT.executionResumed:
      case EVENT.generic:
        break;
    }

  const tasks = [...scheduled.values()];
  const isOpen = (task: ScheduledTask) => !ended.has(task.id) && !(task.kind === 'timer' && task.cancelled);
  return {
    fresh: tasks.filter((task) => !inHistory.has(task.id)),
    cancelledTimers: tasks
      .filter((task) => task.kind === 'timer' && task.cancelled && inHistory.has(task.id))
      .map((task) => task.id),
    openTasks: tasks.filter(isOpen).length,
    continueAsNew,
  };
}

function retryOptionsOf(action: Action): RetryOptions {
  if (action.retryOptions === undefined)
    throw new OrchestrationRefused(`${action.functionName}: a call with retry carries no retry options.`);
  return action.retryOptions;
}

/** Invariant 2. */
function checkSame(event: HistoryEvent, task: ScheduledTask | undefined): void {
  const kind =
    event.EventType === EVENT.taskScheduled
      ? 'activity'
      : event.EventType === EVENT.timerCreated
        ? 'timer'
        : 'sub-orchestration';
  const sameName = task !== undefined && (task.kind === 'timer' || task.name === event.Name);
  if (task?.kind === kind && sameName) return;
  const words = {
    activity: 'an activity',
    timer: 'a timer',
    'sub-orchestration': 'a sub-orchestration',
  } as const;
  const named = (name: string | undefined) => (name === undefined ? '' : ` named '${name}'`);
  const known =
    event.Name === undefined
      ? ''
      : ` and name '${event.Name}' (version ''${event.InstanceId === undefined ? '' : `, instance ID '${event.InstanceId}'`})`;
  const what =
    task === undefined
      ? `sequence ID ${event.EventId}${known}, but the current replay execution hasn't (yet?) scheduled this task.`
      : `sequence number ${event.EventId}${named(event.Name)}, but the current orchestration replay instead scheduled ` +
        `${words[task.kind]} task${named(task.kind === 'timer' ? undefined : task.name)} with this sequence number. `;
  throw new OrchestrationRefused(
    `Non-Deterministic workflow detected: A previous execution of this orchestration scheduled ${words[kind]} task with ` +
      `${what} Was a change made to the orchestrator code after this instance had already started running?`,
  );
}

function notEmulated(actionType: number): string {
  const name = Object.entries(ACTION).find(([, type]) => type === actionType)?.[0] ?? `action ${actionType}`;
  return `The local Functions host does not emulate ${name}: entities and durable HTTP calls need Azure.`;
}
