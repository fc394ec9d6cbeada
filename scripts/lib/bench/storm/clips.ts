/** Clips of a storm, and the worker that answers for them: every other shows a person. */
import { setTimeout as delay } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  CONTAINER_CLIPS,
  decodeProcessingRequest,
  encodeQueueMessage,
  type ProcessingResult,
  QUEUE_PROCESSED,
  QUEUE_TO_PROCESSING,
} from '@dachawatch/contracts';
import type { Engine as AnyEngine } from '../../../../test/engine/engines.ts';
import type { Random } from '../faults/random.ts';
import { lookedAt, madeClipName } from '../made-clips.ts';

/** Where clips are announced. */
type Engine = Pick<AnyEngine, 'base' | 'eventGridKey' | 'functionKey'>;

export interface StormClip {
  /** In the container of the clips. */
  readonly name: string;
  readonly url: string;
  readonly person: boolean;
}

const ANNOUNCE_TRIES = 600;
const IDLE_MS = 200;
/** Of the clips that are announced once more, by hand too, or answered twice. */
const SHARE = 0.2;

export async function uploadClips(storage: string, count: number): Promise<StormClip[]> {
  const container = BlobServiceClient.fromConnectionString(storage).getContainerClient(CONTAINER_CLIPS);
  const clips: StormClip[] = [];
  for (let number = 0; number < count; number += 1) {
    const name = madeClipName(number);
    const blob = container.getBlockBlobClient(name);
    await blob.upload('clip', 4);
    clips.push({ name, url: blob.url, person: isPerson(name) });
  }
  return clips;
}

const isPerson = (name: string) => Number(/(\d)\.mp4$/.exec(name)?.[1]) % 2 === 1;

/** All at once, each until it is taken, as Event Grid does; one in five twice, and one in five by hand besides. */
export async function announce(
  engine: Engine,
  clips: readonly StormClip[],
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    clips.flatMap((clip) => [
      untilTaken(engine, clip, eventRequest, signal),
      ...(random.chance(SHARE) ? [untilTaken(engine, clip, eventRequest, signal)] : []),
      ...(random.chance(SHARE) ? [untilTaken(engine, clip, manualRequest, signal)] : []),
    ]),
  );
}

interface Announcement {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const eventRequest = (engine: Engine, { name, url }: StormClip): Announcement => ({
  address: `${engine.base}/runtime/webhooks/eventgrid?functionName=OnVideoBlobCreated&code=${engine.eventGridKey}`,
  headers: { 'aeg-event-type': 'Notification' },
  body: [
    {
      id: name,
      topic: '/storm',
      subject: `/blobServices/default/containers/${CONTAINER_CLIPS}/blobs/${name}`,
      eventType: 'Microsoft.Storage.BlobCreated',
      eventTime: new Date().toISOString(),
      data: { api: 'PutBlockList', contentLength: 4, url },
      dataVersion: '',
      metadataVersion: '1',
    },
  ],
});

const manualRequest = (engine: Engine, { name, url }: StormClip): Announcement => ({
  address: `${engine.base}/api/orchestrators/video_orchestrator`,
  headers: { 'x-functions-key': engine.functionKey },
  body: { blobURL: url, blobName: `${CONTAINER_CLIPS}/${name}` },
});

async function untilTaken(
  engine: Engine,
  clip: StormClip,
  requestOf: (engine: Engine, clip: StormClip) => Announcement,
  signal: AbortSignal,
): Promise<void> {
  const { address, headers, body } = requestOf(engine, clip);
  for (let tries = 0; tries < ANNOUNCE_TRIES; tries += 1) {
    signal.throwIfAborted();
    const answer = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await delay(500);
  }
  throw new Error(`${clip.name} could not be announced`);
}

/** The worker: takes requests and answers them in any order, one in five twice. */
export function startAnswering(storage: string, random: Random) {
  const queues = QueueServiceClient.fromConnectionString(storage);
  const requests = queues.getQueueClient(QUEUE_TO_PROCESSING);
  const answers = queues.getQueueClient(QUEUE_PROCESSED);
  let asked = 0;
  const stopping = new AbortController();
  const working = (async () => {
    while (!stopping.signal.aborted) {
      const options = { numberOfMessages: 16, abortSignal: stopping.signal };
      const { receivedMessageItems } = await requests.receiveMessages(options);
      for (const message of random.shuffled(receivedMessageItems)) {
        asked += 1;
        const answer = encodeQueueMessage(answerTo(message.messageText));
        await answers.sendMessage(answer);
        if (random.chance(SHARE)) await answers.sendMessage(answer);
        await requests.deleteMessage(message.messageId, message.popReceipt);
      }
      if (receivedMessageItems.length === 0) await delay(IDLE_MS);
    }
  })();
  return {
    asked: () => asked,
    async stop() {
      stopping.abort();
      // A Ctrl-C ends storage too: what it was about to take or answer fails then.
      await working.catch(() => undefined);
    },
  };
}

function answerTo(text: string): ProcessingResult {
  const request = decodeProcessingRequest(text);
  const labels = isPerson(request.blobName) ? ['person'] : [];
  return lookedAt(request, { by: 'storm', labels, atUtc: new Date().toISOString(), cpuMs: 1 });
}
