import { createHash } from 'node:crypto';
import type { QueueMessageError } from '@dachawatch/contracts';

/** A queue message takes 64 KiB once written as XML; quotes grow to six bytes there. */
const MAX_QUOTED_BYTES = 8192;

export interface PoisonDeps {
  readonly send: (text: string) => Promise<unknown>;
  /** Keeps a text that is too large for a queue message. @returns container and path */
  readonly keepText: (name: string, text: string) => Promise<string>;
  readonly nowMs: () => number;
}

/** Puts a message nobody can read aside for a person, as JSON with the reason. Nothing of it is lost: one that is
 *  too large to be quoted lies in a blob, and `original_blob` names it. */
export async function putAside(
  { send, keepText, nowMs }: PoisonDeps,
  original: string,
  error: Pick<QueueMessageError, 'code' | 'message'>,
): Promise<void> {
  const note = {
    reason: error.code,
    message: error.message.slice(0, 2000),
    at: new Date(nowMs()).toISOString(),
  };
  if (Buffer.byteLength(JSON.stringify(original)) <= MAX_QUOTED_BYTES) {
    await send(JSON.stringify({ ...note, original }));
    return;
  }
  const name = `${createHash('sha256').update(original).digest('hex')}.txt`;
  await send(JSON.stringify({ ...note, original_blob: await keepText(name, original) }));
}
