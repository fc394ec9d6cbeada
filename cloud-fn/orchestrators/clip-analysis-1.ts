import type { DurableOrchestrationContext, OrchestrationContext, Task } from 'durable-functions';
import {
  ACTIVITY_ESCALATE,
  ACTIVITY_SEND_FAILURE_NOTIFICATION,
  ACTIVITY_SEND_PROCESSING_REQUEST,
  ACTIVITY_SEND_VIDEO_COMPLETED,
  EVENT_VIDEO_PROCESSED,
  type ProcessingResult,
  type Verdict,
} from '@dachawatch/contracts';
import { call, enter, type Flow, utc } from './calls.ts';
import {
  ACTIVITY_FIND_RESULT,
  ACTIVITY_SEND_VERDICT,
  ACTIVITY_START_CONTAINER,
  ACTIVITY_STORE_VERDICT,
  RETRIES,
  type ClipAnalysisInput,
  type ClipAnalysisOutput,
  type NotifyInput,
  type Problem,
  type SendVerdictOutput,
  type StoreVerdictInput,
} from './clip-analysis-steps.ts';
import { brokenAnalysis, decideVerdict, noAnswer, type Judgement } from './decide-verdict.ts';
import { describeError } from './describe-error.ts';
import { isClipAnalysisInput, readResult } from './read-payload.ts';
import { verdictOf } from './verdict-of.ts';

/** The first version of `clip-analysis`, for orchestrations that began with it: its order of steps is in their history,
 *  and is never changed. To be removed when none is in flight any more: a week after the second version was deployed.
 *
 *  One clip from its upload to its verdict.
 *  Invariants
 *  1. Every path ends with a verdict that somebody was told about, or with `ok: false` and the reason.
 *  2. The verdict is stored before anybody is told.
 *  3. Nobody who cannot be told (webhook, device) keeps the others from being told.
 *  4. Time comes from the runtime, settings from the input; no task is yielded twice. */
export function* clipAnalysis1(context: OrchestrationContext): Flow<ClipAnalysisOutput> {
  const orchestrator = context.df;
  const orchestratedUtc = utc(orchestrator);
  const input: unknown = orchestrator.getInput();
  if (!isClipAnalysisInput(input))
    return { ok: false, problems: [{ code: 'bad-input', message: 'the input names no clip' }] };

  const judgement = yield* judgeClip(orchestrator, input);
  const first = verdictOf(input, judgement, {
    instanceId: orchestrator.instanceId,
    orchestratedUtc,
    decidedUtc: utc(orchestrator),
  });
  const stored = yield* store(orchestrator, input, first, judgement.frame?.blobName);
  const notified = yield* notify(orchestrator, input, stored);
  const final = notified.problem
    ? yield* correctDecision(orchestrator, input, stored, notified.problem)
    : stored;
  const told = yield* tellDevice(orchestrator, input, final.verdict);

  const problems = [judgement.problem, final.problem, notified.problem, told.problem].filter(
    (problem) => problem !== undefined,
  );
  return {
    ok: problems.length === 0,
    verdict: final.verdict.verdict,
    decision: final.verdict.decision,
    document: final.verdict,
    stored: !final.problem,
    notified: notified.done,
    device_told: told.done,
    problems,
  };
}

/** Has the clip analysed. Never throws: what breaks becomes a judgement. */
function* judgeClip(orchestrator: DurableOrchestrationContext, input: ClipAnalysisInput): Flow<Judgement> {
  const { instanceId } = orchestrator;
  try {
    if (input.result) return decideVerdict(readResult(input.result));
    enter(orchestrator, 'starting-container');
    yield call(orchestrator, ACTIVITY_START_CONTAINER, RETRIES.startContainer, { instance_id: instanceId });
    enter(orchestrator, 'requesting');
    yield call(orchestrator, ACTIVITY_SEND_PROCESSING_REQUEST, RETRIES.sendProcessingRequest, {
      instance_id: instanceId,
      blobUrl: input.clip.blobUrl,
      blobName: input.clip.blobName,
      posted: utc(orchestrator),
    });
    const result = yield* waitForResult(orchestrator, input.waitMs);
    return result ? decideVerdict(result) : noAnswer(input.waitMs);
  } catch (error) {
    return brokenAnalysis(describeError(error, 'analysis-broken'));
  }
}

/** The answer, or undefined when none came in time. An answer that is stored but whose event came too late is
 *  found: whoever receives one stores it before it looks at us. */
function* waitForResult(
  orchestrator: DurableOrchestrationContext,
  waitMs: number,
): Flow<ProcessingResult | undefined> {
  enter(orchestrator, 'waiting');
  const answer = orchestrator.waitForExternalEvent(EVENT_VIDEO_PROCESSED);
  const tooLate = orchestrator.createTimer(new Date(orchestrator.currentUtcDateTime.getTime() + waitMs));
  const winner: Task = yield orchestrator.Task.any([answer, tooLate]);
  if (winner === answer) {
    // A timer left alone would keep the instance running until it fires.
    if (!tooLate.isCompleted) tooLate.cancel();
    return readResult(answer.result);
  }
  enter(orchestrator, 'closing');
  const found: unknown = yield call(orchestrator, ACTIVITY_FIND_RESULT, RETRIES.findResult, {
    instance_id: orchestrator.instanceId,
  });
  return found === null || found === undefined ? undefined : readResult(found);
}

interface Stored {
  /** As it was stored; as it was meant to be when storing failed. */
  readonly verdict: Verdict;
  readonly problem?: Problem;
}

function* store(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  verdict: Verdict,
  frame?: string,
): Flow<Stored> {
  enter(orchestrator, 'storing');
  const request: StoreVerdictInput = { clip, verdict, ...(frame === undefined ? {} : { frame }) };
  try {
    return { verdict: yield call(orchestrator, ACTIVITY_STORE_VERDICT, RETRIES.storeVerdict, request) };
  } catch (error) {
    return { verdict, problem: describeError(error, 'verdict-not-stored') };
  }
}

interface Told {
  readonly done: boolean;
  readonly problem?: Problem;
}

function* notify(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  { verdict, problem }: Stored,
): Flow<Told> {
  const activity = NOTIFIERS[verdict.decision] ?? (problem ? ACTIVITY_SEND_FAILURE_NOTIFICATION : undefined);
  if (!activity) return { done: false };
  enter(orchestrator, 'notifying');
  const request: NotifyInput = { clip, verdict, ...(problem ? { problem } : {}) };
  try {
    yield call(orchestrator, activity, RETRIES.notify, request);
    return { done: true };
  } catch (error) {
    return { done: false, problem: describeError(error, 'not-notified') };
  }
}

const NOTIFIERS: Readonly<Partial<Record<Verdict['decision'], string>>> = {
  notified: ACTIVITY_SEND_VIDEO_COMPLETED,
  escalated: ACTIVITY_ESCALATE,
  failed: ACTIVITY_SEND_FAILURE_NOTIFICATION,
};

/** A verdict that says `notified` when nobody was would be a lie: it is replaced by a higher revision. */
function* correctDecision(
  orchestrator: DurableOrchestrationContext,
  input: ClipAnalysisInput,
  stored: Stored,
  problem: Problem,
): Flow<Stored> {
  if (stored.verdict.decision !== 'notified') return stored;
  return yield* store(orchestrator, input, {
    ...stored.verdict,
    revision: stored.verdict.revision + 1,
    decision: 'recorded',
    reason: `${stored.verdict.reason} The notification could not be delivered: ${problem.message}`,
  });
}

/** A hint: the device also looks beside its clips for verdicts it has not heard of. */
function* tellDevice(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  verdict: Verdict,
): Flow<Told> {
  if (clip.device_id === undefined) return { done: false };
  enter(orchestrator, 'telling-device');
  const request = { device_id: clip.device_id, verdict };
  try {
    const answer: SendVerdictOutput = yield call(
      orchestrator,
      ACTIVITY_SEND_VERDICT,
      RETRIES.sendVerdict,
      request,
    );
    if (answer.taken) return { done: true };
    return { done: false, problem: { code: 'device-not-told', message: answer.reason ?? 'not taken' } };
  } catch (error) {
    return { done: false, problem: describeError(error, 'device-not-told') };
  }
}
