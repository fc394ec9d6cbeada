import { createHash } from 'node:crypto';
import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';
import {
  decodeProcessingResult,
  EVENT_VIDEO_PROCESSED,
  QueueMessageError,
  type ProcessingResult,
} from '@dachawatch/contracts';
import { STEPS_BEFORE_ANSWER, type ClipAnalysisOutput } from '../orchestrators/clip-analysis-steps.ts';
import { decideVerdict } from '../orchestrators/decide-verdict.ts';
import { isClipAnalysisInput } from '../orchestrators/read-payload.ts';
import { otherResultPlace, resultPlace } from '../ports/instance-places.ts';
import { json, MAX_DOCUMENT_BYTES } from '../ports/storage.ts';
import { isFinished, readStatus } from './instance-status.ts';
import { putAside, type PoisonDeps } from './poison.ts';
import { startOnce, type StartOnceDeps } from './start-once.ts';

export interface ReceiveResultDeps {
  readonly storage: PoisonDeps['storage'] & StartOnceDeps['storage'];
  readonly clock: PoisonDeps['clock'];
}
export type ResultClient = Pick<DurableClient, 'getStatus' | 'raiseEvent' | 'startNew'>;

export type Received = 'raised' | 'judged-again' | 'not-needed' | 'put-aside';

/** The host gives up after this many deliveries: `maxDequeueCount` in host.json. On the last one we put the message
 *  aside ourselves, because we know the reason. */
export const LAST_DELIVERY = 5;

/** What an instance id may look like. It becomes part of addresses and blob names. */
const INSTANCE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** Receives one message of `video-processed`.
 *  Invariants
 *  1. The answer is stored before its instance is looked at. So an instance that stops waiting either sees the
 *     event, or finds what is stored, or has finished when we look: an answer is never lost in between.
 *  2. A message nobody can use is put aside with the reason and completed; it holds nobody up.
 *  3. An answer that comes after the instance gave up is judged by a second orchestration, once.
 *  @param delivery how often this message has been delivered, this time included
 *  @throws when it should be delivered again */
export async function receiveResult(
  deps: ReceiveResultDeps,
  client: ResultClient,
  entry: unknown,
  delivery: number,
): Promise<Received> {
  const original = textOf(entry);
  const again = async (reason: string, message: string): Promise<Received> => {
    if (delivery < LAST_DELIVERY) throw new Error(message);
    await putAside(deps, original, reason, message);
    return 'put-aside';
  };

  const read = readAnswer(original);
  if ('reason' in read) {
    await putAside(deps, original, read.reason, read.message);
    return 'put-aside';
  }
  const { result } = read;
  const { instance_id: instanceId } = result;
  await storeResult(deps, result);

  const status = await readStatus(client, instanceId);
  if (!status) return again('unknown-instance', `there is no orchestration ${instanceId}`);
  if (isFinished(status)) return judgeAgain(deps, client, status, result);
  if (!stillWaits(status)) return again('instance-closing', `${instanceId} is about to finish`);
  await client.raiseEvent(instanceId, EVENT_VIDEO_PROCESSED, result);
  return 'raised';
}

function readAnswer(text: string): { result: ProcessingResult } | { reason: string; message: string } {
  try {
    const result = decodeProcessingResult(text);
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

/** An instance that has not come to its first step yet has no status: the runtime keeps events for it. */
function stillWaits({ customStatus }: DurableOrchestrationStatus): boolean {
  const step = (customStatus as { step?: unknown } | null | undefined)?.step;
  return step === undefined || (STEPS_BEFORE_ANSWER as readonly unknown[]).includes(step);
}

/** A finished instance that had to give up is judged again when the answer says more than it knew. */
async function judgeAgain(
  deps: ReceiveResultDeps,
  client: ResultClient,
  status: DurableOrchestrationStatus,
  result: ProcessingResult,
): Promise<Received> {
  const output = status.output as Partial<ClipAnalysisOutput> | null;
  const ended: string = status.runtimeStatus;
  const gaveUp =
    ended === 'Failed' ||
    (ended === 'Completed' && (output?.decision === 'escalated' || output?.decision === 'failed'));
  if (!gaveUp || decideVerdict(result).verdict === 'undecided') return 'not-needed';
  const input = objectOf(status.input);
  if (!isClipAnalysisInput(input)) return 'not-needed';
  const revision = (output?.document?.revision ?? input.revision) + 1;
  await startOnce(deps, client, `${status.instanceId}-r2`, { ...input, revision, result });
  return 'judged-again';
}

/** Hosts give the input back as the object or as its JSON text. */
function objectOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** The message as it was in the queue: the runtime has already parsed what looked like JSON. */
function textOf(entry: unknown): string {
  if (typeof entry === 'string') return entry;
  if (Buffer.isBuffer(entry)) return entry.toString('utf8');
  return JSON.stringify(entry) ?? '';
}
