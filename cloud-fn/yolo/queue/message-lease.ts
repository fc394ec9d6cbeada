import type { QueueClient } from '@azure/storage-queue';
import type { Log } from '../log.ts';

/** A message taken from the queue, kept hidden from other workers for as long as its worker lives.
 *  Invariants
 *  1. Renewed at a third of its time; a worker that is killed loses it after `leaseMs`.
 *  2. `lost` is aborted as soon as it may be with somebody else: whoever works on it stops and answers nothing.
 *  3. The receipt changes with every renewal; `settle` and `giveBack` wait for the one under way and use the last. */
export interface MessageLease {
  readonly lost: AbortSignal;
  /** Deletes the message. */
  settle(): Promise<void>;
  /** Lets others have it after the delay. */
  giveBack(delayMs: number): Promise<void>;
}

export interface TakenMessage {
  readonly messageId: string;
  readonly popReceipt: string;
}

type Queue = Pick<QueueClient, 'updateMessage' | 'deleteMessage'>;

export function holdMessage(
  queue: Queue,
  message: TakenMessage,
  { leaseMs, log, monotonicMs }: { leaseMs: number; log: Log; monotonicMs: () => number },
): MessageLease {
  const lost = new AbortController();
  let receipt = message.popReceipt;
  let heldUntil = monotonicMs() + leaseMs;
  let renewing: Promise<void> = Promise.resolve();
  let closed = false;
  const timer = setInterval(() => {
    renewing = renewing.then(renew);
  }, leaseMs / 3);

  async function renew(): Promise<void> {
    if (closed || lost.signal.aborted) return;
    const asked = monotonicMs();
    try {
      const answer = await queue.updateMessage(message.messageId, receipt, undefined, seconds(leaseMs), {
        abortSignal: AbortSignal.timeout(Math.max(1, Math.ceil(heldUntil - asked))),
      });
      if (answer.popReceipt === undefined) throw new Error('the queue gave no new receipt');
      receipt = answer.popReceipt;
      heldUntil = asked + leaseMs;
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      // 404: deleted or taken by somebody else. 400: the receipt is no longer good.
      if (statusCode === 404 || statusCode === 400 || monotonicMs() >= heldUntil) {
        lost.abort(new Error('the message is no longer ours', { cause: error }));
        clearInterval(timer);
      }
      log.warn(
        {
          event: 'lease.renewal-failed',
          messageId: message.messageId,
          lost: lost.signal.aborted,
          err: text(error),
        },
        'the message could not be kept hidden',
      );
    }
  }

  async function close(): Promise<string> {
    closed = true;
    clearInterval(timer);
    await renewing;
    return receipt;
  }

  return {
    lost: lost.signal,
    settle: async () => {
      await queue.deleteMessage(message.messageId, await close(), {
        abortSignal: AbortSignal.timeout(leaseMs),
      });
    },
    giveBack: async (delayMs) => {
      await queue.updateMessage(message.messageId, await close(), undefined, seconds(delayMs), {
        abortSignal: AbortSignal.timeout(leaseMs),
      });
    },
  };
}

const seconds = (ms: number) => Math.ceil(ms / 1000);
const text = (error: unknown) => (error instanceof Error ? error.message : String(error));
