import type { QueueMessageError } from '@dachawatch/contracts';

/** A queue message holds 64 KiB; base64 takes a quarter of that. */
const MAX_BYTES = 48 * 1024;

/** What is put into the poison queue for a message nobody can read: base64 of `{reason, message, original, at}`.
 *  A message that fills its queue to the brim does not fit with its reason beside it: the original is then cut at
 *  the end, and `message` says so. */
export function poisonMessage(
  original: string,
  error: Pick<QueueMessageError, 'code' | 'message'>,
  nowMs: number,
): string {
  const write = (kept: string, message: string) =>
    Buffer.from(
      JSON.stringify({ reason: error.code, message, original: kept, at: new Date(nowMs).toISOString() }),
    );
  let bytes = write(original, error.message);
  // One character takes at most six bytes of JSON, so the cut fits at the latest when a sixth is left.
  for (let kept = original.length; bytes.length > MAX_BYTES; ) {
    kept = Math.floor(kept * 0.8);
    bytes = write(
      original.slice(0, kept),
      `${error.message.slice(0, 1000)} (the original has ${original.length} characters, ${kept} are kept)`,
    );
  }
  return bytes.toString('base64');
}
