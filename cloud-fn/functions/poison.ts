import { createHash } from 'node:crypto';
import { cleanText, POISON_SUFFIX, QUEUE_PROCESSED } from '@dachawatch/contracts';
import type { Clock } from '../ports/clock.ts';
import { unreadableMessagePlace } from '../ports/instance-places.ts';
import type { StoragePort } from '../ports/storage.ts';

export interface PoisonDeps {
  readonly storage: Pick<StoragePort, 'sendMessage' | 'createBlob'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** A queue message takes 64 KiB once written as XML; quotes grow to six bytes there. */
const MAX_QUOTED_BYTES = 8_192;

/** Puts a message nobody can use aside for a person, with the reason. Never dropped: it is kept for ever, and one
 *  that is too large to be quoted, or that no queue can carry, lies in a blob. */
export async function putAside(
  { storage, clock }: PoisonDeps,
  original: string,
  reason: string,
  message: string,
): Promise<void> {
  const note: Record<string, string> = {
    reason,
    message: cleanText(message),
    at: new Date(clock.nowMs()).toISOString(),
  };
  const fits = Buffer.byteLength(JSON.stringify(original)) <= MAX_QUOTED_BYTES;
  if (fits && cleanText(original) === original) {
    note['original'] = original;
  } else {
    const place = unreadableMessagePlace(createHash('sha256').update(original).digest('hex'));
    await storage.createBlob(place, { bytes: original, contentType: 'text/plain; charset=utf-8' });
    note['original_blob'] = `${place.container}/${place.name}`;
  }
  await storage.sendMessage(QUEUE_PROCESSED + POISON_SUFFIX, JSON.stringify(note), 'for-ever');
}
