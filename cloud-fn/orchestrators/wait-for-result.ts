import type { DurableOrchestrationContext, Task } from 'durable-functions';
import { EVENT_VIDEO_PROCESSED, type ProcessingResult } from '@dachawatch/contracts';
import { call, enter, type Flow } from './calls.ts';
import { ACTIVITY_FIND_RESULT, RETRIES, type ClipAnalysisInput } from './clip-analysis-steps.ts';
import { decideVerdict, worthOf } from './decide-verdict.ts';
import { readResult } from './read-payload.ts';
import { slicesOf } from './wait-slices.ts';

/** The answer, or undefined when none came in time.
 *  The wait is made of slices, each with a timer and a waiter of its own: a task may be waited for only once. An event
 *  that comes between two of them goes to a waiter that nobody looks at any more, so all are looked at. */
export function* waitForResult(
  orchestrator: DurableOrchestrationContext,
  { waitMs, clip }: ClipAnalysisInput,
  first: Task,
): Flow<ProcessingResult | undefined> {
  enter(orchestrator, 'waiting');
  const beganMs = orchestrator.currentUtcDateTime.getTime();
  const answers: Task[] = [first];
  const arrived = () => answers.find((task) => task.isCompleted);
  for (const dueMs of slicesOf(waitMs)) {
    const answer = answers.at(-1) as Task;
    const tooLate = orchestrator.createTimer(new Date(beganMs + dueMs));
    const winner: Task = yield orchestrator.Task.any([answer, tooLate]);
    if (winner !== tooLate) {
      // A timer left alone would keep the instance running until it fires.
      if (!tooLate.isCompleted) tooLate.cancel();
      return yield* orBetter(orchestrator, clip.blobName, readResult(answer.result));
    }
    if (dueMs < waitMs) {
      const found = yield* findResult(orchestrator, clip.blobName);
      const late = arrived();
      if (late) return yield* orBetter(orchestrator, clip.blobName, readResult(late.result));
      if (found && (found.instance_id === orchestrator.instanceId || worthOf(found) > 0)) return found;
      answers.push(orchestrator.waitForExternalEvent(EVENT_VIDEO_PROCESSED));
    }
  }
  enter(orchestrator, 'closing');
  const found = yield* findResult(orchestrator, clip.blobName);
  const late = arrived();
  return found ?? (late ? readResult(late.result) : undefined);
}

/** A second answer may have come while we were on the way: a failure, say, and then what was seen after all. */
function* orBetter(
  orchestrator: DurableOrchestrationContext,
  blobName: string,
  result: ProcessingResult,
): Flow<ProcessingResult> {
  if (decideVerdict(result).verdict === 'person') return result;
  enter(orchestrator, 'closing');
  const found = yield* findResult(orchestrator, blobName);
  return found && worthOf(found) > worthOf(result) ? found : result;
}

/** Whoever receives an answer stores it before it looks at us. That it cannot be looked for now is no failure: an event
 *  may still bring it. */
function* findResult(
  orchestrator: DurableOrchestrationContext,
  blobName: string,
): Flow<ProcessingResult | undefined> {
  const request = { instance_id: orchestrator.instanceId, blobName };
  try {
    const found: unknown = yield call(orchestrator, ACTIVITY_FIND_RESULT, RETRIES.findResult, request);
    return found === null || found === undefined ? undefined : readResult(found);
  } catch {
    return undefined;
  }
}
