import { createHash } from 'node:crypto';
import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';
import {
  cleanTexts,
  CONTAINER_CLIPS,
  decodeProcessingResult,
  EVENT_VIDEO_PROCESSED,
  QueueMessageError,
  verdictBlobName,
  type ProcessingResult,
  type Verdict,
} from '@dachawatch/contracts';
import { readVerdict } from '../activities/store-verdict.ts';
import { openClip } from '../keeper/open-clips.ts';
import {
  CLIP_ANALYSIS_VERSION,
  STEPS_BEFORE_ANSWER,
  type ClipAnalysisInput,
  type ClipAnalysisOutput,
} from '../orchestrators/clip-analysis-steps.ts';
import { worthOf, worthOfVerdict } from '../orchestrators/decide-verdict.ts';
import { isClipAnalysisInput } from '../orchestrators/read-payload.ts';
import {
  firstInstanceId,
  isSameClip,
  laterInstanceId,
  otherResultPlace,
  resultPlace,
  startMarkerPlace,
} from '../ports/instance-places.ts';
import { json, MAX_DOCUMENT_BYTES } from '../ports/storage.ts';
import { jsonText } from './json-text.ts';
import { isFinished, readStatus } from './instances/instance-status.ts';
import { putAside, type PoisonDeps } from './poison.ts';
import { startOnce, type StartOnceDeps } from './instances/start-once.ts';

export interface ReceiveResultDeps {
  readonly storage: PoisonDeps['storage'] & StartOnceDeps['storage'];
  readonly clock: PoisonDeps['clock'];
}
export type ResultClient = Pick<DurableClient, 'getStatus' | 'raiseEvent' | 'startNew'>;

export type Received = 'raised' | 'judged-again' | 'kept' | 'not-needed' | 'put-aside';

/** The host gives up after this many deliveries: `maxDequeueCount` in host.json. On the last one we put the message
 *  aside ourselves, because we know the reason. */
export const LAST_DELIVERY = 5;

/** What an instance id may look like. It becomes part of addresses and blob names. */
const INSTANCE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** Receives one message of `video-processed`.
 *  Invariants
 *  1. The answer is stored, and its clip noted as open, before its instance is looked at. So an instance that stops
 *     waiting either sees the event, or finds what is stored, or the keeper does: an answer is never lost in between.
 *  2. A message nobody can use is put aside with the reason and completed; it holds nobody up.
 *  3. An answer that says more than the clip's verdict is judged by another orchestration, once.
 *  @param delivery how often this message has been delivered, this time included
 *  @throws when it should be delivered again */
export async function receiveResult(
  deps: ReceiveResultDeps,
  client: ResultClient,
  entry: unknown,
  delivery: number,
): Promise<Received> {
  const original = textOf(entry);
  const aside = async (reason: string, message: string): Promise<Received> => {
    await putAside(deps, original, reason, message);
    return 'put-aside';
  };
  const read = readAnswer(original);
  if ('reason' in read) return aside(read.reason, read.message);
  const { result } = read;
  const { instance_id: instanceId } = result;
  const known = await knownInput(deps, client, instanceId);
  if (known && !isSameClip(known.clip.blobName, result.blobName))
    return aside('other-clip', `${instanceId} analyses ${known.clip.blobName}, not ${result.blobName}`);
  await storeResult(deps, result);
  if (known) await openClip(deps.storage, firstInstanceId(instanceId), known);

  /** What is stored and noted is found by the orchestration or by the keeper: the last delivery leaves it to them. */
  const again = async (reason: string, message: string): Promise<Received> => {
    if (delivery < LAST_DELIVERY) throw new Error(message);
    return known ? 'kept' : aside(reason, message);
  };
  const status = await readStatus(client, instanceId);
  if (!status) return again('unknown-instance', `there is no orchestration ${instanceId}`);
  if (isFinished(status)) return judgeAgain(deps, client, status, result);
  const runtimeStatus: string = status.runtimeStatus;
  if (runtimeStatus === 'Pending')
    return again('instance-pending', `${instanceId} has not begun: an event could be lost`);
  if (!stillWaits(status)) return again('instance-closing', `${instanceId} is about to finish`);
  try {
    await client.raiseEvent(instanceId, EVENT_VIDEO_PROCESSED, result);
  } catch (error) {
    return again('event-refused', (error as Error).message);
  }
  return 'raised';
}

/** What an instance was started with: by the note of its start, else by the runtime. */
async function knownInput(
  { storage }: ReceiveResultDeps,
  client: ResultClient,
  instanceId: string,
): Promise<ClipAnalysisInput | undefined> {
  const marker = await storage.readBlob(startMarkerPlace(instanceId), MAX_DOCUMENT_BYTES);
  const noted = marker && (objectOf(marker.bytes.toString('utf8')) as { input?: unknown } | null | undefined);
  if (isClipAnalysisInput(noted?.input)) return noted.input;
  const input = objectOf((await readStatus(client, instanceId))?.input);
  return isClipAnalysisInput(input) ? input : undefined;
}

function readAnswer(text: string): { result: ProcessingResult } | { reason: string; message: string } {
  try {
    const result = cleanTexts(decodeProcessingResult(text));
    if (INSTANCE_ID.test(result.instance_id)) return { result };
    return { reason: 'bad-instance-id', message: 'instance_id is not the id of an orchestration' };
  } catch (error) {
    if (error instanceof QueueMessageError) return { reason: error.code, message: error.message };
    throw error;
  }
}

/** The first answer under its own name; one that differs beside it, so that nothing is overwritten. */
async function storeResult({ storage }: ReceiveResultDeps, result: ProcessingResult): Promise<void> {
  const document = json(result);
  if (await storage.createBlob(resultPlace(result.instance_id), document)) return;
  const first = await storage.readBlob(resultPlace(result.instance_id), MAX_DOCUMENT_BYTES);
  if (first?.bytes.toString('utf8') === document.bytes) return;
  const digest = createHash('sha256').update(document.bytes).digest('hex').slice(0, 16);
  await storage.createBlob(otherResultPlace(result.instance_id, digest), document);
}

/** An instance that runs and has not come to its first step yet has no status: it has begun, so events are kept. */
function stillWaits({ customStatus }: DurableOrchestrationStatus): boolean {
  const step = (customStatus as { step?: unknown } | null | undefined)?.step;
  return step === undefined || (STEPS_BEFORE_ANSWER as readonly unknown[]).includes(step);
}

/** A finished instance's clip is judged again when the answer says more than its verdict. */
async function judgeAgain(
  deps: ReceiveResultDeps,
  client: ResultClient,
  status: DurableOrchestrationStatus,
  result: ProcessingResult,
): Promise<Received> {
  const input = objectOf(status.input);
  if (!isClipAnalysisInput(input)) return 'not-needed';
  const output: unknown = status.output;
  const done: Partial<ClipAnalysisOutput> | null = typeof output === 'object' ? output : null;
  const name = verdictBlobName(input.clip.blobName.slice(CONTAINER_CLIPS.length + 1));
  const blob = await deps.storage.readBlob({ container: CONTAINER_CLIPS, name }, MAX_DOCUMENT_BYTES);
  const verdict = (blob && readVerdict(blob.bytes)) ?? done?.document;
  const known = verdict ? worthOfVerdict(verdict.verdict) : worthOfDecision(done?.decision);
  if (worthOf(result) <= known) return 'not-needed';
  const revision = Math.max(verdict?.revision ?? 0, input.revision) + 1;
  const firstId = firstInstanceId(status.instanceId);
  const later = { ...input, version: CLIP_ANALYSIS_VERSION, revision, result };
  await startOnce(deps, client, laterInstanceId(firstId, revision), later);
  return 'judged-again';
}

/** For an output without its document. Nothing is worth less than not knowing. */
const worthOfDecision = (decision: Verdict['decision'] | undefined): number =>
  decision === 'notified'
    ? worthOfVerdict('person')
    : decision === 'recorded'
      ? worthOfVerdict('vehicle')
      : worthOfVerdict(decision === 'marked-safe' ? 'nothing' : 'undecided');

/** Hosts give the input back as the object or as its JSON text. */
function objectOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** The message as it was in the queue, as far as it can be told: the runtime has already parsed what looked like JSON. */
function textOf(entry: unknown): string {
  if (typeof entry === 'string') return entry;
  if (Buffer.isBuffer(entry)) return entry.toString('utf8');
  return jsonText(entry);
}
