import type { DurableOrchestrationContext, OrchestrationContext } from 'durable-functions';
import {
  ACTIVITY_ESCALATE,
  ACTIVITY_SEND_FAILURE_NOTIFICATION,
  ACTIVITY_SEND_PROCESSING_REQUEST,
  ACTIVITY_SEND_VIDEO_COMPLETED,
  EVENT_VIDEO_PROCESSED,
  type Verdict,
} from '@dachawatch/contracts';
import { call, enter, type Flow, utc } from './calls.ts';
import { clipAnalysis1 } from './clip-analysis-1.ts';
import {
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
  type SendVerdictOutput,
  type StoreVerdictInput,
} from './clip-analysis-steps.ts';
import { brokenAnalysis, decideVerdict, noAnswer, type Judgement } from './decide-verdict.ts';
import { describeError } from './describe-error.ts';
import { isClipAnalysisInput, readResult } from './read-payload.ts';
import { untold } from './untold.ts';
import { verdictOf } from './verdict-of.ts';
import { waitForResult } from './wait-for-result.ts';

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
