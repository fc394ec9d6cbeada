import df, { type DurableOrchestrationContext, type Task } from 'durable-functions';
import type { RetryPolicy, Step } from './clip-analysis-steps.ts';

/** What the runtime hands back at a yield is not typed; each place says what it expects. */
export type Flow<T> = Generator<Task, T>;

export const utc = (orchestrator: DurableOrchestrationContext) =>
  orchestrator.currentUtcDateTime.toISOString();

export function enter(orchestrator: DurableOrchestrationContext, step: Step): void {
  orchestrator.setCustomStatus({ step, since: utc(orchestrator) });
}

export function call(
  orchestrator: DurableOrchestrationContext,
  name: string,
  policy: RetryPolicy,
  input: object,
): Task {
  const options = new df.RetryOptions(policy.firstMs, policy.attempts);
  options.backoffCoefficient = policy.factor;
  return orchestrator.callActivityWithRetry(name, options, input);
}
