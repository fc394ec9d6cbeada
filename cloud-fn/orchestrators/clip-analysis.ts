import df, {
  type DurableOrchestrationContext,
  type OrchestrationContext,
  type Task,
} from 'durable-functions';
import {
  ACTIVITY_ESCALATE,
  ACTIVITY_SEND_FAILURE_NOTIFICATION,
  ACTIVITY_SEND_PROCESSING_REQUEST,
  ACTIVITY_SEND_VIDEO_COMPLETED,
  EVENT_VIDEO_PROCESSED,
  type ProcessingResult,
  type Verdict,
} from '@dachawatch/contracts';
import { clipAnalysis1 } from './clip-analysis-1.ts';
import {
  ACTIVITY_FIND_RESULT,
  ACTIVITY_KEEP_PICTURE,
  ACTIVITY_SEND_VERDICT,
  ACTIVITY_START_CONTAINER,
  ACTIVITY_STORE_VERDICT,
  CLIP_ANALYSIS_VERSION,
  RETRIES,
  type ClipAnalysisInput,
  type ClipAnalysisOutput,
  type KeepPictureInput,
  type NotifyInput,
  type Problem,
  type RetryPolicy,
  type SendVerdictOutput,
  type Step,
  type StoreVerdictInput,
} from './clip-analysis-steps.ts';
import { brokenAnalysis, decideVerdict, noAnswer, worthOf, type Judgement } from './decide-verdict.ts';
import { describeError } from './describe-error.ts';
import { isClipAnalysisInput, readResult } from './read-payload.ts';
import { untold } from './untold.ts';
import { verdictOf } from './verdict-of.ts';
import { slicesOf } from './wait-slices.ts';

/** What the runtime hands back at a yield is not typed; each place says what it expects. */
type Flow<T> = Generator<Task, T>;

/** One clip from its upload to its verdict, by the version of the code that its orchestration began with. */
export function* clipAnalysis(context: OrchestrationContext): Flow<ClipAnalysisOutput> {
  const input: unknown = context.df.getInput();
  if (!isClipAnalysisInput(input))
    return { ok: false, problems: [{ code: 'bad-input', message: 'the input names no clip' }] };
  return yield* (input.version ?? 1) < CLIP_ANALYSIS_VERSION
    ? clipAnalysis1(context)
    : analyse(context.df, input);
}

/** Invariants
 *  1. Every path ends with a verdict that somebody was told about, or with `ok: false` and the reason.
 *  2. A verdict says `notified` only when the notification was delivered: a person is told first, then it is stored.
 *  3. Nobody who cannot be told (webhook, device) keeps the others from being told; no picture does.
 *  4. An answer that is stored is found, also when its event was lost: it is looked for while waiting and once more
 *     before the end. What comes later is the keeper's.
 *  5. Time comes from the runtime, settings from the input; no task is yielded twice; no loop depends on the time. */
function* analyse(
  orchestrator: DurableOrchestrationContext,
  input: ClipAnalysisInput,
): Flow<ClipAnalysisOutput> {
  const orchestratedUtc = utc(orchestrator);
  const judgement = yield* judgeClip(orchestrator, input);
  const kept = yield* keepPicture(orchestrator, input, judgement);
  const decided = verdictOf(input, kept.judgement, {
    instanceId: orchestrator.instanceId,
    orchestratedUtc,
    decidedUtc: utc(orchestrator),
  });
  const notified = yield* notify(orchestrator, input, decided);
  const stored = yield* store(
    orchestrator,
    input,
    notified.problem ? untold(decided, notified.problem) : decided,
  );
  // Of a verdict that nobody will find somebody has to hear.
  const second =
    stored.problem && !notified.asked ? yield* tellOfStorage(orchestrator, input, stored) : undefined;
  const told = yield* tellDevice(orchestrator, input, stored.verdict);

  const problems = [
    judgement.problem,
    kept.problem,
    stored.problem,
    notified.problem,
    second?.problem,
    told.problem,
  ].filter((problem) => problem !== undefined);
  return {
    ok: problems.length === 0,
    verdict: stored.verdict.verdict,
    decision: stored.verdict.decision,
    document: stored.verdict,
    stored: !stored.problem,
    notified: notified.done || (second?.done ?? false),
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
    // Made before anybody can answer.
    const answer = orchestrator.waitForExternalEvent(EVENT_VIDEO_PROCESSED);
    yield call(orchestrator, ACTIVITY_SEND_PROCESSING_REQUEST, RETRIES.sendProcessingRequest, {
      instance_id: instanceId,
      blobUrl: input.clip.blobUrl,
      blobName: input.clip.blobName,
      posted: utc(orchestrator),
    });
    const result = yield* waitForResult(orchestrator, input, answer);
    return result ? decideVerdict(result) : noAnswer(input.waitMs);
  } catch (error) {
    return brokenAnalysis(describeError(error, 'analysis-broken'));
  }
}

/** The answer, or undefined when none came in time.
 *  The wait is made of slices, each with a timer and a waiter of its own: a task may be waited for only once. An event
 *  that comes between two of them goes to a waiter that nobody looks at any more, so all are looked at. */
function* waitForResult(
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

interface Kept {
  /** Without a frame when there is no picture of it. */
  readonly judgement: Judgement;
  readonly problem?: Problem;
}

function* keepPicture(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  judgement: Judgement,
): Flow<Kept> {
  const { frame, ...rest } = judgement;
  if (!frame) return { judgement };
  enter(orchestrator, 'keeping-picture');
  const request: KeepPictureInput = { clip, frame: frame.blobName };
  try {
    const { kept }: { kept: boolean } = yield call(
      orchestrator,
      ACTIVITY_KEEP_PICTURE,
      RETRIES.keepPicture,
      request,
    );
    return { judgement: kept ? judgement : rest };
  } catch (error) {
    return { judgement: rest, problem: describeError(error, 'picture-not-kept') };
  }
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
): Flow<Stored> {
  enter(orchestrator, 'storing');
  const request: StoreVerdictInput = { clip, verdict };
  try {
    return { verdict: yield call(orchestrator, ACTIVITY_STORE_VERDICT, RETRIES.storeVerdict, request) };
  } catch (error) {
    return { verdict, problem: describeError(error, 'verdict-not-stored') };
  }
}

interface Told {
  /** Whether anybody was to be told at all. */
  readonly asked: boolean;
  readonly done: boolean;
  readonly problem?: Problem;
}

const NOBODY: Told = { asked: false, done: false };

function* notify(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  verdict: Verdict,
): Flow<Told> {
  const activity = NOTIFIERS[verdict.decision];
  if (activity === undefined) return NOBODY;
  return yield* tell(orchestrator, activity, { clip, verdict });
}

function* tellOfStorage(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  { verdict, problem }: Stored,
): Flow<Told> {
  const notice = { clip, verdict, ...(problem ? { problem } : {}) };
  return yield* tell(orchestrator, ACTIVITY_SEND_FAILURE_NOTIFICATION, notice);
}

function* tell(
  orchestrator: DurableOrchestrationContext,
  activity: string,
  request: NotifyInput,
): Flow<Told> {
  enter(orchestrator, 'notifying');
  try {
    yield call(orchestrator, activity, RETRIES.notify, request);
    return { asked: true, done: true };
  } catch (error) {
    return { asked: true, done: false, problem: describeError(error, 'not-notified') };
  }
}

const NOTIFIERS: Readonly<Partial<Record<Verdict['decision'], string>>> = {
  notified: ACTIVITY_SEND_VIDEO_COMPLETED,
  escalated: ACTIVITY_ESCALATE,
  failed: ACTIVITY_SEND_FAILURE_NOTIFICATION,
};

/** A hint: the device also looks beside its clips for verdicts it has not heard of. */
function* tellDevice(
  orchestrator: DurableOrchestrationContext,
  { clip }: ClipAnalysisInput,
  verdict: Verdict,
): Flow<Told> {
  if (clip.device_id === undefined) return NOBODY;
  enter(orchestrator, 'telling-device');
  const request = { device_id: clip.device_id, verdict };
  try {
    const answer: SendVerdictOutput = yield call(
      orchestrator,
      ACTIVITY_SEND_VERDICT,
      RETRIES.sendVerdict,
      request,
    );
    if (answer.taken) return { asked: true, done: true };
    const problem = { code: 'device-not-told', message: answer.reason ?? 'not taken' };
    return { asked: true, done: false, problem };
  } catch (error) {
    return { asked: true, done: false, problem: describeError(error, 'device-not-told') };
  }
}

const utc = (orchestrator: DurableOrchestrationContext) => orchestrator.currentUtcDateTime.toISOString();

function enter(orchestrator: DurableOrchestrationContext, step: Step): void {
  orchestrator.setCustomStatus({ step, since: utc(orchestrator) });
}

function call(
  orchestrator: DurableOrchestrationContext,
  name: string,
  policy: RetryPolicy,
  input: object,
): Task {
  const options = new df.RetryOptions(policy.firstMs, policy.attempts);
  options.backoffCoefficient = policy.factor;
  return orchestrator.callActivityWithRetry(name, options, input);
}
