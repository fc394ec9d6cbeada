/** Odd messages in each queue, and what became of each. */
import { createHash } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { setTimeout as delay } from 'node:timers/promises';
import { POISON_SUFFIX, QUEUE_PROCESSED, QUEUE_TO_PROCESSING } from '@dachawatch/contracts';
import { readPoison } from '../../../../cloud-fn/keeper/poison-records.ts';
import { recordPoisonQueues } from '../../../../cloud-fn/keeper/record-poison.ts';
import { createAzureStorage } from '../../../../cloud-fn/ports/azure-storage.ts';
import { POISON_PREFIX, poisonPlace, UNREADABLE_PREFIX } from '../../../../cloud-fn/ports/instance-places.ts';
import { CONTAINER_INSTANCES } from '../../../../cloud-fn/ports/storage.ts';
import { systemClock } from '../../../../cloud-fn/ports/clock.ts';
import { serveRequests } from '../../../../cloud-fn/yolo/queue/request-loop.ts';
import type { Random } from '../faults/random.ts';
import { oddDocument } from './odd.ts';

/** What storage takes: 64 KiB of the message as XML, and no character that XML cannot hold. */
const MESSAGE_MAX_BYTES = 60_000;
const AT_ONCE = 16;
/** Inputs in a queue at a time: Azurite takes the longer for each message and each blob the more of them there are. */
const TOGETHER = 200;
const DRAINED_WITHIN_MS = 20 * 60_000;
const RECEIVED_MAX = 32;
const LEASE_S = 300;
/** Longer than a message is hidden while somebody records it. */
const RECORDED_WITHIN_MS = 2 * 60_000;

export interface QueueFuzz {
  readonly storage: string;
  readonly inputs: number;
  readonly random: Random;
  readonly complain: (input: string, what: string) => void;
  readonly isAlive: () => boolean;
  readonly signal: AbortSignal;
}

export const QUEUES = ['answers', 'requests', 'unusable answers', 'unusable requests'] as const;
type QueueName = (typeof QUEUES)[number];
/** Puts odd texts into a queue and looks what became of each. */
type Put = (fuzz: QueueFuzz, texts: readonly string[]) => Promise<void>;

/** @param name of `QUEUES`
 *  @returns how many inputs there were */
export async function fuzzQueue(name: QueueName, fuzz: QueueFuzz): Promise<Record<string, number>> {
  const { put, valid } = TARGETS[name];
  const texts = draw(fuzz, valid);
  for (let from = 0; from < texts.length; from += TOGETHER) {
    fuzz.signal.throwIfAborted();
    if (!fuzz.isAlive()) {
      fuzz.complain(texts[from] ?? '', 'its process had ended before this input');
      break;
    }
    await put(fuzz, texts.slice(from, from + TOGETHER));
    await forgetAside(fuzz.storage);
  }
  return { inputs: fuzz.inputs };
}

/** Removes the records and texts of what was put aside, once they have been looked at. */
async function forgetAside(storage: string): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(storage).getContainerClient(CONTAINER_INSTANCES);
  for (const prefix of [POISON_PREFIX, UNREADABLE_PREFIX]) {
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat({ prefix })) names.push(name);
    await inLanes(names, (name) => container.deleteBlob(name));
  }
}

const answer = (clip: string) => ({
  instance_id: 'clip-00000000000000000000000000000000',
  blobUrl: `https://nowhere.invalid/${clip}`,
  blobName: clip,
  status: 'PROCESSED',
  start_timestamp: '2026-11-30T00:00:00Z',
  stop_timestamp: '2026-11-30T00:00:01Z',
  details: {
    schema_version: 1,
    model: { name: 'fuzz', sha256: '0'.repeat(64), licence: 'Apache-2.0' },
    frames: { decoded: 70, analysed: 14 },
    detections: [],
    cpu_ms: 1,
    strategy: 'fixed-rate',
  },
});
const request = (clip: string) => ({
  instance_id: 'clip-00000000000000000000000000000000',
  blobUrl: `https://nowhere.invalid/${clip}`,
  blobName: clip,
  posted: '2026-11-30T00:00:00Z',
});

/** Texts as a peer would put them into a queue: base64, plain, or JSON in JSON. */
function draw({ inputs, random }: QueueFuzz, valid: unknown): string[] {
  const texts: string[] = [];
  while (texts.length < inputs) {
    const odd = oddDocument(random, valid);
    const wrapped = random.chance(0.1) ? JSON.stringify(odd) : odd;
    const text = random.chance(0.6) ? Buffer.from(wrapped).toString('base64') : wrapped;
    if (text !== '' && Buffer.byteLength(text) <= MESSAGE_MAX_BYTES && isCarried(text)) texts.push(text);
  }
  return texts;
}

/** XML 1.0 knows no other characters, and Azurite trims what stands around a text. */
const isCarried = (text: string) =>
  text.trim() === text &&
  text.isWellFormed() &&
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  !/[\u0000-\u0008\u000b-\u001f\ufffe\uffff\r]/.test(text);

async function inLanes<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of left) await work(one);
    }),
  );
}

/** Takes everything out of a queue. What somebody else is looking at just now is waited for. */
async function emptied(queue: QueueClient): Promise<string[]> {
  const texts: string[] = [];
  for (const endMs = performance.now() + DRAINED_WITHIN_MS; performance.now() < endMs; ) {
    const options = { numberOfMessages: RECEIVED_MAX, visibilityTimeout: LEASE_S };
    const { receivedMessageItems } = await queue.receiveMessages(options);
    if (receivedMessageItems.length === 0) {
      const { approximateMessagesCount } = await queue.getProperties();
      if (approximateMessagesCount === 0) return texts;
      await delay(500);
    }
    await inLanes(receivedMessageItems, async (one) => {
      texts.push(one.messageText);
      await queue.deleteMessage(one.messageId, one.popReceipt);
    });
  }
  throw new Error(`${queue.name} cannot be emptied`);
}

/** Takes the requests of clips that wait, so that nobody else answers them.
 *  @returns puts them back */
export async function holdRequests(
  storage: string,
  count: number,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const queue = QueueServiceClient.fromConnectionString(storage).getQueueClient(QUEUE_TO_PROCESSING);
  const held: string[] = [];
  while (held.length < count) {
    signal.throwIfAborted();
    held.push(...(await emptied(queue)));
    await delay(200);
  }
  return async () => inLanes(held, (text) => queue.sendMessage(text));
}

/** By what was put aside, the reason. */
async function reasonsIn(storage: string, queue: string): Promise<ReadonlyMap<string, string>> {
  const queues = QueueServiceClient.fromConnectionString(storage);
  const reasons = new Map<string, string>();
  for (const text of await emptied(queues.getQueueClient(`${queue}${POISON_SUFFIX}`))) {
    const { reason, original, original_blob } = JSON.parse(text) as Record<string, string | undefined>;
    const digest =
      original === undefined ? /([0-9a-f]{64})\.txt$/.exec(original_blob ?? '')?.[1] : sha256(original);
    reasons.set(digest ?? '', reason ?? '');
  }
  return reasons;
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Odd answers of a worker, to the functions app. */
async function putAnswers(fuzz: QueueFuzz, texts: readonly string[]): Promise<void> {
  const queue = QueueServiceClient.fromConnectionString(fuzz.storage).getQueueClient(QUEUE_PROCESSED);
  await inLanes(texts, (text) => queue.sendMessage(text));
  for (
    const endMs = performance.now() + DRAINED_WITHIN_MS;
    performance.now() < endMs && fuzz.isAlive();
    await delay(200)
  ) {
    const { approximateMessagesCount } = await queue.getProperties();
    if (approximateMessagesCount === 0) break;
  }
  const reasons = await reasonsIn(fuzz.storage, QUEUE_PROCESSED);
  for (const text of texts)
    if (!reasons.get(sha256(text))) fuzz.complain(text, 'not put aside with a reason');
}

/** Odd requests, to the loop of the worker. One that can be read is answered. */
async function putRequests(fuzz: QueueFuzz, texts: readonly string[]): Promise<void> {
  const queues = QueueServiceClient.fromConnectionString(fuzz.storage);
  const [requests, poison] = [QUEUE_TO_PROCESSING, `${QUEUE_TO_PROCESSING}${POISON_SUFFIX}`].map((name) =>
    queues.getQueueClient(name),
  );
  const results = queues.getQueueClient('fuzz-results');
  await results.createIfNotExists();
  if (!requests || !poison) throw new Error('there are two queues');
  await inLanes(texts, (text) => requests.sendMessage(text));
  const kept = BlobServiceClient.fromConnectionString(fuzz.storage).getContainerClient(CONTAINER_INSTANCES);
  await serveRequests(
    {
      requests,
      results,
      poison,
      answer: async (one) => {
        return { ...one, status: 'PROCESSED', start_timestamp: '', stop_timestamp: '' } as never;
      },
      refusal: (one) => one as never,
      keepText: async (name, text) => {
        await kept.getBlockBlobClient(`${UNREADABLE_PREFIX}${name}`).upload(text, Buffer.byteLength(text));
        return `${CONTAINER_INSTANCES}/${UNREADABLE_PREFIX}${name}`;
      },
      leaseMs: LEASE_S * 1_000,
      idleMs: 1_000,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
      sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
    },
    AbortSignal.any([fuzz.signal, AbortSignal.timeout(DRAINED_WITHIN_MS)]),
  );
  const reasons = await reasonsIn(fuzz.storage, QUEUE_TO_PROCESSING);
  const answers = (await emptied(results)).length;
  const unexplained = texts.filter((text) => !reasons.get(sha256(text)));
  if (unexplained.length > answers)
    fuzz.complain(
      unexplained[0] ?? '',
      `${unexplained.length - answers} requests neither answered nor put aside`,
    );
}

/** Odd messages in the queues of those that nobody could use: each has a record with a reason. */
const putUnusable =
  (queue: string): Put =>
  async (fuzz, texts) => {
    const poison = QueueServiceClient.fromConnectionString(fuzz.storage).getQueueClient(
      `${queue}${POISON_SUFFIX}`,
    );
    await poison.clearMessages();
    await inLanes(texts, (text) => poison.sendMessage(text));
    const storage = createAzureStorage({ connectionString: fuzz.storage });
    const deps = {
      storage,
      notification: { notify: async () => undefined },
      clock: systemClock,
      known: new Set<string>(),
    };
    const untoldOf = async (text: string) => {
      const place = poisonPlace(readPoison(queue, text).digest);
      const found = await storage.readBlob(place, 1_000_000);
      const record =
        found && (JSON.parse(found.bytes.toString('utf8')) as { reason?: string; told?: boolean });
      if (!record?.reason) return 'no record with a reason';
      return record.told === true ? undefined : 'nobody was told of it';
    };
    // The app's own keeper looks into the queue, too: what it looks at is hidden here, and recorded by it.
    let left = [...texts];
    for (const endMs = performance.now() + RECORDED_WITHIN_MS; left.length > 0; ) {
      const isLast = performance.now() >= endMs;
      // A round that storage does not answer in time is repeated by the next one, as by the timer of the app.
      await recordPoisonQueues(deps).catch((error: unknown) => {
        if (isLast || fuzz.signal.aborted) throw error;
      });
      const still: string[] = [];
      await inLanes(left, async (text) => {
        const what = await untoldOf(text).catch(
          (error: unknown) => `no answer of storage: ${(error as Error).message}`,
        );
        if (what !== undefined) still.push(text);
        if (what !== undefined && isLast) fuzz.complain(text, what);
      });
      left = still;
      if (isLast) break;
      if (left.length > 0) await delay(500, undefined, { signal: fuzz.signal });
    }
    await poison.clearMessages();
  };

const CLIP = 'dacha-video/house-1/gate/2026/11/30/01JD3V7Q8ZK4M6N8P0R2S4T9ZZ.mp4';
const POISON = { reason: 'bad-json', message: 'm', at: '2026-11-30T00:00:00Z', original: 'x' };
/** How each queue is tried, and the document its odd ones are made of. */
const TARGETS: Readonly<Record<QueueName, { readonly put: Put; readonly valid: unknown }>> = {
  answers: { put: putAnswers, valid: answer(CLIP) },
  requests: { put: putRequests, valid: request(CLIP) },
  'unusable answers': { put: putUnusable(QUEUE_PROCESSED), valid: POISON },
  'unusable requests': { put: putUnusable(QUEUE_TO_PROCESSING), valid: POISON },
};
