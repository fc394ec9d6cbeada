import { ACTION, LONG_TIMER_STEP_MS, SHORT_TIMER_MAX_MS, type Action, type RetryOptions } from '../wire.ts';
import { OrchestrationRefused } from './determinism.ts';
import type { ExternalEvents } from './external-events.ts';
import { retryDelayMs } from './retry.ts';
import type { NewTask } from './scheduled-task.ts';
import type { Tasks } from './tasks.ts';

/** The last time that a date can say, Unix milliseconds. */
const LAST_TIME_MS = 8.64e15;

export interface ActionDeps {
  readonly tasks: Pick<Tasks, 'schedule'>;
  readonly events: Pick<ExternalEvents, 'waitFor'>;
  /** Time of the replay, Unix milliseconds. */
  readonly nowMs: () => number;
  readonly continueAsNew: (input: unknown) => void;
}

/** Starts actions of an orchestrator: schedules the tasks that an action needs, one after the other, and calls `then`
 *  once history says that the action has ended.
 *  @throws OrchestrationRefused for what this host does not emulate, and for a timer at a time that does not exist */
export function createActions({ tasks, events, nowMs, continueAsNew }: ActionDeps) {
  function startTimer(fireAtMs: number, cancelled: boolean, then: () => void): void {
    const isFar = fireAtMs - nowMs() > SHORT_TIMER_MAX_MS;
    const step = isFar ? nowMs() + LONG_TIMER_STEP_MS : fireAtMs;
    tasks.schedule({ kind: 'timer', fireAtMs: step, cancelled }, () =>
      isFar ? startTimer(fireAtMs, cancelled, then) : then(),
    );
  }

  function startWithRetry(options: RetryOptions, task: NewTask, then: () => void): void {
    const firstMs = nowMs();
    const attempt = (number: number): void =>
      tasks.schedule(task, (ok) => {
        const delayMs = ok ? undefined : retryDelayMs(options, number, nowMs() - firstMs);
        if (delayMs === undefined) return then();
        // One task whatever its length, and the framework waits after the last attempt too before it gives up.
        const timer = { kind: 'timer', fireAtMs: possible(nowMs() + delayMs), cancelled: false } as const;
        return tasks.schedule(timer, () =>
          number < options.maxNumberOfAttempts ? attempt(number + 1) : then(),
        );
      });
    attempt(1);
  }

  /** Ends after `count` of the children. */
  function startTogether(children: readonly Action[], count: number, then: () => void): void {
    let missing = count;
    // One that has ended already, as an event that came before, ends the wait only when all have started: what
    // follows gets later numbers than all of them.
    let isStarting = true;
    for (const child of children)
      start(child, () => {
        missing -= 1;
        if (missing === 0 && !isStarting) then();
      });
    isStarting = false;
    if (missing <= 0) then();
  }

  function start(action: Action, then: () => void): void {
    const children = action.compoundActions ?? [];
    switch (action.actionType) {
      case ACTION.callActivity:
      case ACTION.callSubOrchestrator:
        return tasks.schedule(taskOf(action), then);
      case ACTION.callActivityWithRetry:
      case ACTION.callSubOrchestratorWithRetry:
        return startWithRetry(retryOptionsOf(action), taskOf(action), then);
      case ACTION.createTimer:
        return startTimer(possible(Date.parse(action.fireAt ?? '')), action.isCanceled === true, then);
      case ACTION.waitForExternalEvent:
        return events.waitFor(action.externalEventName ?? '', then);
      case ACTION.whenAny:
        return startTogether(children, 1, then);
      case ACTION.whenAll:
        return startTogether(children, children.length, then);
      case ACTION.continueAsNew:
        continueAsNew(action.input);
        return then();
      default:
        throw new OrchestrationRefused(notEmulated(action.actionType));
    }
  }

  return start;
}

function taskOf(action: Action): NewTask {
  const call = { name: action.functionName ?? '', input: action.input };
  const isActivity =
    action.actionType === ACTION.callActivity || action.actionType === ACTION.callActivityWithRetry;
  if (isActivity) return { kind: 'activity', ...call };
  const { instanceId, version } = action;
  return {
    kind: 'sub-orchestration',
    ...call,
    instanceId: instanceId ?? undefined,
    version: version ?? undefined,
  };
}

function retryOptionsOf(action: Action): RetryOptions {
  if (action.retryOptions === undefined)
    throw new OrchestrationRefused(`${action.functionName}: a call with retry carries no retry options.`);
  return action.retryOptions;
}

/** @throws OrchestrationRefused: stored, it would stop the whole host at every start */
function possible(fireAtMs: number): number {
  if (Math.abs(fireAtMs) <= LAST_TIME_MS) return fireAtMs;
  throw new OrchestrationRefused('A timer was created for a time that does not exist.');
}

function notEmulated(actionType: number): string {
  const name = Object.entries(ACTION).find(([, type]) => type === actionType)?.[0] ?? `action ${actionType}`;
  return `The local Functions host does not emulate ${name}: entities and durable HTTP calls need Azure.`;
}
