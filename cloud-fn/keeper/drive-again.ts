import { poisonPlace } from '../ports/instance-places.ts';
import { json, MAX_DOCUMENT_BYTES, type StoragePort } from '../ports/storage.ts';
import { POISON_QUEUES, readPoison, type PoisonRecord, readPoisonRecord } from './poison-records.ts';

export type Driven = 'driven' | 'already-driven' | 'in-progress' | 'no-such-message' | 'text-is-gone';

/** Longer than sending takes: who began longer ago than this was killed. */
const DRIVING_MS = 120_000;
const HIDDEN_S = 20;
const BATCHES_MAX = 100;

/** Sends a recorded message into its queue again and takes it out of the poison queue.
 *  Invariants
 *  1. A message that was sent again is not sent another time, unless it came back.
 *  2. A kill in between leaves it `driving`: then it may be sent twice, which changes nothing, because answers are stored by
 *     what they say and requests name their instance. */
export async function driveAgain(storage: StoragePort, digest: string): Promise<Driven> {
  const place = poisonPlace(digest);
  const found = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
  const record = found && readPoisonRecord(found.bytes);
  if (!found || !record) return 'no-such-message';
  if (record.state === 'driven') return 'already-driven';
  if (record.state === 'driving' && found.ageMs < DRIVING_MS) return 'in-progress';
  const text = await textOf(storage, record);
  if (text === undefined) return 'text-is-gone';
  if (!(await storage.replaceBlob(place, json({ ...record, state: 'driving' }), found.etag)))
    return 'in-progress';
  await takeOut(storage, record);
  await storage.sendMessage(record.queue, text);
  const mine = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
  const now = mine && readPoisonRecord(mine.bytes);
  // It may have come back already.
  if (mine && now?.state === 'driving')
    await storage.replaceBlob(place, json({ ...now, state: 'driven' }), mine.etag);
  return 'driven';
}

async function textOf(storage: StoragePort, record: PoisonRecord): Promise<string | undefined> {
  if (record.original !== undefined) return record.original;
  const [container = '', ...name] = (record.original_blob ?? '').split('/');
  const blob = await storage.readBlob({ container, name: name.join('/') }, MAX_DOCUMENT_BYTES);
  return blob?.bytes.toString('utf8');
}

async function takeOut(storage: StoragePort, { queue, digest }: PoisonRecord): Promise<void> {
  const poison = POISON_QUEUES.find((one) => one.queue === queue)?.poison;
  if (poison === undefined) return;
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const messages = await storage.receiveMessages(poison, HIDDEN_S);
    if (messages.length === 0) return;
    for (const message of messages)
      if (readPoison(queue, message.text).digest === digest) await storage.deleteMessage(poison, message);
  }
}
