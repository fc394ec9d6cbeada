import { createHash } from 'node:crypto';
import { isJson, POISON_SUFFIX, QUEUE_PROCESSED, QUEUE_TO_PROCESSING } from '@dachawatch/contracts';
import { poisonPlace } from '../ports/instance-places.ts';
import { json, MAX_DOCUMENT_BYTES, type ReceivedMessage, type StoragePort } from '../ports/storage.ts';

/** Queues in which messages lie that nobody could use, and the queue each of them was meant for. */
export const POISON_QUEUES = [QUEUE_PROCESSED, QUEUE_TO_PROCESSING].map((queue) => ({
  queue,
  poison: `${queue}${POISON_SUFFIX}`,
}));

/** What lies in a poison queue, as it is kept: `poison/<digest>.json`. */
export interface PoisonRecord {
  readonly digest: string;
  /** The queue it was meant for. */
  readonly queue: string;
  readonly reason: string;
  readonly message: string;
  /** ISO 8601, when it was recorded. */
  readonly at: string;
  /** The message, or the blob that it lies in, container in front. */
  readonly original?: string;
  readonly original_blob?: string;
  /** Under which ids it lay in the queue: the last fifty. */
  readonly message_ids: readonly string[];
  /** `driving`: somebody began to send it again; `driven`: it was sent again. */
  readonly state: 'aside' | 'driving' | 'driven';
  /** A person was told of it. */
  readonly told: boolean;
}

const IDS_KEPT = 50;
/** Of a message that the host put there after its last delivery nobody knows more. */
const BY_THE_HOST = {
  reason: 'not-processed',
  message: 'it was delivered as often as is allowed, and its function failed each time',
};
const BY_THE_WORKER = {
  reason: 'not-processed',
  message: 'the worker could not use it',
};

/** The message behind a note that we put beside it, or the message itself. */
export function readPoison(queue: string, text: string) {
  const note = noteOf(text);
  const original = note?.['original'];
  const blob = note?.['original_blob'];
  // A note without a reason explains nothing.
  const known =
    typeof note?.['reason'] === 'string' &&
    note['reason'].trim() !== '' &&
    (typeof original === 'string' || typeof blob === 'string');
  const about = known
    ? {
        reason: String(note['reason']),
        message: typeof note['message'] === 'string' ? note['message'] : '',
        ...(typeof original === 'string' ? { original } : { original_blob: String(blob) }),
      }
    : { ...(queue === QUEUE_PROCESSED ? BY_THE_HOST : BY_THE_WORKER), original: text };
  const content = 'original' in about ? about.original : about.original_blob;
  const digest = createHash('sha256').update(`${queue}\n${content}`).digest('hex').slice(0, 32);
  return { ...about, digest };
}

function noteOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what is no such record. */
export function readPoisonRecord(bytes: Buffer): PoisonRecord | undefined {
  const value = noteOf(bytes.toString('utf8'));
  return typeof value?.['digest'] === 'string' && Array.isArray(value['message_ids'])
    ? (value as unknown as PoisonRecord)
    : undefined;
}

/** Records a message of a poison queue. The same text again is the same record; when it had been driven again meanwhile,
 *  it lies aside once more, and is told once more.
 *  @returns the record as it is now */
export async function recordPoison(
  storage: Pick<StoragePort, 'createBlob' | 'readBlob' | 'replaceBlob'>,
  queue: string,
  { id, text }: Pick<ReceivedMessage, 'id' | 'text'>,
  at: string,
): Promise<PoisonRecord | undefined> {
  const about = readPoison(queue, text);
  const place = poisonPlace(about.digest);
  const fresh: PoisonRecord = { ...about, queue, at, message_ids: [id], state: 'aside', told: false };
  if (await storage.createBlob(place, json(fresh))) return fresh;
  const found = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
  const before = found && readPoisonRecord(found.bytes);
  if (!found || !before) return undefined;
  if (before.message_ids.includes(id)) return before;
  const cameBack = before.state !== 'aside';
  const next: PoisonRecord = {
    ...before,
    ...about,
    at,
    message_ids: [...before.message_ids, id].slice(-IDS_KEPT),
    state: 'aside',
    told: before.told && !cameBack,
  };
  return (await storage.replaceBlob(place, json(next), found.etag)) ? next : undefined;
}
