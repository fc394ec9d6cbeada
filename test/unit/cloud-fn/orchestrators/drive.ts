import assert from 'node:assert/strict';
import type { OrchestrationContext, Task } from 'durable-functions';
import { clipAnalysis } from '../../../../cloud-fn/orchestrators/clip-analysis.ts';
import type { ClipAnalysisOutput } from '../../../../cloud-fn/orchestrators/clip-analysis-steps.ts';

export const STARTED_MS = Date.UTC(2026, 10, 21, 12);

/** What an activity does: its answer, or an Error it fails with after its retries. */
export type Outcomes = Readonly<Record<string, (input: never) => unknown>>;

export interface Script {
  readonly input: unknown;
  readonly activities: Outcomes;
  /** Payload of the worker's event; absent: every timer wins. `slice`: of the wait in which it comes (0). `between`:
   *  after that slice's timer, while nobody waits. */
  readonly event?: { readonly payload: unknown; readonly slice?: number; readonly between?: boolean };
  /** Stop after so many yields: the replay of a prefix. */
  readonly yields?: number;
}

interface FakeTask extends Task {
  readonly action: string;
  outcome: unknown;
}

export interface Driven {
  /** Every action in order, as the runtime would record it. */
  readonly actions: readonly string[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly steps: readonly string[];
  readonly output: ClipAnalysisOutput | undefined;
  readonly timerCancelled: boolean;
  readonly yields: number;
}

/** Steps the orchestration by hand, one second of its own clock per yield. */
export function drive(script: Script): Driven {
  const actions: string[] = [];
  const inputs: Record<string, unknown> = {};
  const steps: string[] = [];
  const yielded = new Set<Task>();
  let nowMs = STARTED_MS;
  let cancelled = false;
  let slice = -1;
  const task = (action: string): FakeTask => {
    actions.push(action);
    return { action, isCompleted: false, isFaulted: false, outcome: undefined };
  };
  const orchestrator = {
    instanceId: 'clip-0123456789abcdef0123456789abcdef',
    get currentUtcDateTime() {
      return new Date(nowMs);
    },
    getInput: () => structuredClone(script.input),
    setCustomStatus: ({ step }: { step: string }) => steps.push(step),
    callActivityWithRetry: (name: string, options: object, input: unknown) => {
      inputs[name] = input;
      const made = task(`${name} ${JSON.stringify(options)} ${JSON.stringify(input)}`);
      const answer = script.activities[name];
      assert.ok(answer, `no outcome for ${name}`);
      made.outcome = () => (answer as (input: unknown) => unknown)(structuredClone(input));
      return made;
    },
    waitForExternalEvent: (name: string) => task(`wait ${name}`),
    createTimer: (at: Date) =>
      Object.assign(task(`timer ${at.toISOString()}`), {
        isCanceled: false,
        cancel: () => {
          cancelled = true;
        },
      }),
    Task: {
      any: (children: FakeTask[]) => {
        const made = task('any');
        const [answer, timer] = children as [FakeTask, FakeTask];
        made.outcome = () => {
          slice += 1;
          const comes = script.event !== undefined && slice === (script.event.slice ?? 0);
          const winner = comes && !script.event?.between ? answer : timer;
          if (comes) Object.assign(answer, { isCompleted: true, result: script.event?.payload });
          Object.assign(winner, { isCompleted: true });
          return winner;
        };
        return made;
      },
    },
  };
  const flow = clipAnalysis({ df: orchestrator } as unknown as OrchestrationContext);
  let turn = flow.next();
  let yields = 0;
  while (!turn.done && yields < (script.yields ?? Number.POSITIVE_INFINITY)) {
    assert.ok(!yielded.has(turn.value), 'a task was yielded twice');
    yielded.add(turn.value);
    yields += 1;
    nowMs += 1000;
    const outcome = ((turn.value as FakeTask).outcome as () => unknown)();
    turn = outcome instanceof Error ? flow.throw(outcome) : flow.next(outcome);
  }
  const output = turn.done ? turn.value : undefined;
  return { actions, inputs, steps, output, timerCancelled: cancelled, yields };
}
