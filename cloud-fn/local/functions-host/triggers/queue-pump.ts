import { setTimeout as delay } from 'node:timers/promises';
import type { DequeuedMessageItem, QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { HostedFunction } from './bindings.ts';
import type { RpcData } from '../core-api.ts';
import type { QueueSettings } from '../host-json.ts';
import type { Invoke, Log } from './invoke.ts';

const POISON_SUFFIX = '-poison';
/** Invisible while it is worked on; renewed three times within that. A killed host gives it back after so long. */
const LEASE_S = 30;
const FIRST_POLL_MS = 100;
const STOP_WITHIN_MS = 10_000;

export interface QueuePumpDeps {
  readonly target: HostedFunction;
  readonly service: QueueServiceClient;
  readonly queueName: string;
  readonly settings: QueueSettings;
  readonly invoke: Invoke;
  readonly log: Log;
}

/** Feeds a queue trigger from a Storage queue, as the real host does.
 *
 *  Invariants
 *  1. A message is deleted only after its function has succeeded, or after a copy is in the poison queue.
 *  2. A failed message becomes visible again after `visibilityTimeout`; after `maxDequeueCount` tries it goes to
 *     `<queue>-poison`. One that is not in the configured encoding goes there at once.
 *  3. While a function works on it, its message stays invisible to others. */
export function createQueuePump(deps: QueuePumpDeps) {
  const { settings, queueName, log } = deps;
  const queue = deps.service.getQueueClient(queueName);
  const poison = deps.service.getQueueClient(`${queueName}${POISON_SUFFIX}`);
  const stopping = new AbortController();
  const working = new Set<Promise<void>>();
  let loop: Promise<void> | undefined;

  const toPoison = async (message: DequeuedMessageItem, receipt: string, because: string) => {
    await poison.createIfNotExists();
    await poison.sendMessage(message.messageText);
    await queue.deleteMessage(message.messageId, receipt);
    log({ event: 'queue.poisoned', queue: queueName, messageId: message.messageId, because });
  };

  const work = async (message: DequeuedMessageItem) => {
    const lease = keepInvisible(queue, message, log);
    try {
      const text = decode(message.messageText, settings.messageEncoding);
      if (text === undefined)
        return await toPoison(message, await lease.end(), 'the message is not base64 text');
      const outcome = await tried(deps, message, text);
      const receipt = await lease.end();
      if (outcome === undefined) await queue.deleteMessage(message.messageId, receipt);
      else if (message.dequeueCount >= settings.maxDequeueCount) await toPoison(message, receipt, outcome);
      else
        await queue.updateMessage(
          message.messageId,
          receipt,
          undefined,
          Math.round(settings.visibilityTimeoutMs / 1000),
        );
    } catch (error) {
      // Its lease runs out and it comes again: at least once.
      log({ event: 'queue.trouble', queue: queueName, message: (error as Error).message });
    }
    return undefined;
  };

  const receive = async (): Promise<readonly DequeuedMessageItem[]> => {
    const free = settings.batchSize + settings.newBatchThreshold - working.size;
    const numberOfMessages = Math.min(settings.batchSize, free, 32);
    try {
      const found = await queue.receiveMessages({
        numberOfMessages,
        visibilityTimeout: LEASE_S,
        abortSignal: stopping.signal,
      });
      return found.receivedMessageItems;
    } catch (error) {
      if (!stopping.signal.aborted && (error as { statusCode?: number }).statusCode !== 404)
        log({ event: 'queue.unreachable', queue: queueName, message: (error as Error).message });
      return [];
    }
  };

  const pump = async () => {
    let waitMs = FIRST_POLL_MS;
    while (!stopping.signal.aborted) {
      if (working.size > settings.newBatchThreshold) {
        await Promise.race(working);
        continue;
      }
      const messages = await receive();
      for (const message of messages) {
        const one = work(message).finally(() => working.delete(one));
        working.add(one);
      }
      if (messages.length > 0) waitMs = FIRST_POLL_MS;
      else {
        await pause(waitMs, stopping.signal);
        waitMs = Math.min(waitMs * 2, Math.max(FIRST_POLL_MS, settings.maxPollingIntervalMs));
      }
    }
  };

  return {
    start: () => {
      loop = pump();
    },
    /** Takes no more messages and waits for those in work, at most 10 s; the rest comes again by itself. */
    stop: async () => {
      stopping.abort();
      await loop;
      const giveUp = new AbortController();
      await Promise.race([Promise.all(working), pause(STOP_WITHIN_MS, giveUp.signal)]);
      giveUp.abort();
    },
  };
}

export type QueuePump = ReturnType<typeof createQueuePump>;

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined);

/** Calls the function; its error as one line, or undefined when it succeeded. */
async function tried(deps: QueuePumpDeps, message: DequeuedMessageItem, text: string) {
  const time = (value: Date | undefined): RpcData => ({ json: JSON.stringify(value ?? null) });
  const metadata: Record<string, RpcData> = {
    QueueTrigger: { json: JSON.stringify(text) },
    Id: { json: JSON.stringify(message.messageId) },
    DequeueCount: { int: message.dequeueCount },
    InsertionTime: time(message.insertedOn),
    ExpirationTime: time(message.expiresOn),
    NextVisibleTime: time(message.nextVisibleOn),
    PopReceipt: { json: JSON.stringify(message.popReceipt) },
  };
  try {
    await deps.invoke(deps.target, { data: { string: text }, metadata });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function decode(text: string, encoding: QueueSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') return text;
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.trim().replace(/=+$/, '');
  return isBase64 ? bytes.toString('utf8') : undefined;
}

/** Renews a message's invisibility until `end()`, which gives the receipt that is valid then. */
function keepInvisible(queue: QueueClient, message: DequeuedMessageItem, log: Log) {
  let receipt = message.popReceipt;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    try {
      receipt =
        (await queue.updateMessage(message.messageId, receipt, undefined, LEASE_S)).popReceipt ?? receipt;
    } catch (error) {
      log({ event: 'queue.lease-lost', messageId: message.messageId, message: (error as Error).message });
    }
  };
  const timer = setInterval(
    () => {
      renewing = renewing.then(renew);
    },
    (LEASE_S * 1000) / 3,
  );
  return {
    end: async () => {
      clearInterval(timer);
      await renewing;
      return receipt;
    },
  };
}
