import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  encodeQueueMessage,
  verdictBlobName,
  type AnalysisDetails,
  type ProcessingResult,
} from '@dachawatch/contracts';
import { instanceIdOf } from '../../../cloud-fn/functions/clip-of-blob.ts';
import type { Stage } from '../stage.ts';

const CONTAINER = 'dacha-video';

type Detection = AnalysisDetails['detections'][number];
export const seen = (label: string): Detection => ({
  label,
  count_max: 1,
  confidence_max: 0.9,
  first_ms: 5_000,
  last_ms: 9_000,
  frames: 20,
  boxes: [[0.1, 0.2, 0.3, 0.4]],
});
export const FAILED = {
  status: 'FAILED' as const,
  details: { error: { code: 'clip.unreadable', message: 'The clip cannot be read.' } },
};

/** A clip of the product, in the storage of the stage's engine, and what becomes of it. */
export async function uploadClip(stage: Stage, name: string, number: number) {
  const { engine } = stage;
  const connection = engine.storage ?? '';
  const blobs = BlobServiceClient.fromConnectionString(connection);
  const queues = QueueServiceClient.fromConnectionString(connection);
  const clipId = `01JD3V7Q8ZK4M6N8P0R2S4T${String(number).padStart(3, '0')}`;
  const path = `house-1/${name}/2026/11/21/${clipId}.mp4`;
  const blob = blobs.getContainerClient(CONTAINER).getBlockBlobClient(path);
  await blob.upload('clip', 4);
  const id = instanceIdOf(path);
  const blobName = `${CONTAINER}/${path}`;

  const result = (detections: readonly Detection[]): ProcessingResult => ({
    instance_id: id,
    blobUrl: blob.url,
    blobName,
    status: 'PROCESSED',
    start_timestamp: '2026-11-21T12:00:00Z',
    stop_timestamp: '2026-11-21T12:00:05Z',
    details: {
      schema_version: 1,
      model: { name: 'test', sha256: '0'.repeat(64), licence: 'Apache-2.0' },
      frames: { decoded: 450, analysed: 150 },
      detections: [...detections],
      cpu_ms: 1000,
      strategy: 'fixed-rate',
    },
  });
  const peek = async (queue: string, encoding: BufferEncoding) => {
    const { peekedMessageItems } = await queues.getQueueClient(queue).peekMessages({ numberOfMessages: 32 });
    return peekedMessageItems.map(({ messageText }) =>
      encoding === 'base64' ? Buffer.from(messageText, encoding).toString('utf8') : messageText,
    );
  };
  const stepOf = async (instance: string) =>
    ((await stage.instance(instance))?.customStatus as { step?: string } | null | undefined)?.step;

  const clip = {
    id,
    blobName,
    url: blob.url,
    /** As Event Grid tells it. */
    announce: async (): Promise<number> => {
      const event = {
        id: crypto.randomUUID(),
        topic: '/subscriptions/test',
        subject: `/blobServices/default/containers/${CONTAINER}/blobs/${path}`,
        eventType: 'Microsoft.Storage.BlobCreated',
        eventTime: new Date().toISOString(),
        dataVersion: '',
        metadataVersion: '1',
        data: { api: 'PutBlockList', contentLength: 4, url: blob.url, eTag: crypto.randomUUID() },
      };
      const query = `functionName=OnVideoBlobCreated&code=${engine.eventGridKey}`;
      const answer = await stage.request('POST', `/runtime/webhooks/eventgrid?${query}`, {
        body: [event],
        headers: { 'aeg-event-type': 'Notification' },
      });
      return answer.status;
    },
    /** Starts its analysis with a wait of its own, as nothing but a test would. */
    startWith: (waitMs: number) =>
      stage.start('clip-analysis', id, {
        version: 2,
        clip: { clip_id: clipId, device_id: 'house-1', camera_id: name, blobName, blobUrl: blob.url },
        waitMs,
        revision: 1,
      }),
    waits: () => stage.until('the worker is waited for', async () => (await stepOf(id)) === 'waiting'),
    answer: (detections: readonly Detection[], more: Partial<ProcessingResult> = {}) =>
      queues
        .getQueueClient('video-processed')
        .sendMessage(encodeQueueMessage({ ...result(detections), ...more })),
    requests: async (): Promise<number> =>
      (await peek('video-to-processing', 'base64')).filter((text) => text.includes(id)).length,
    poison: () => peek('video-processed-poison', 'utf8'),
    send: (text: string) => queues.getQueueClient('video-processed').sendMessage(text),
    /** Notes everything that the clip has left behind. */
    noteOutcome: async (label: string, instance = id) => {
      const { runtimeStatus, output, customStatus } = await stage.finished(instance);
      const document = await blobs
        .getContainerClient(CONTAINER)
        .getBlobClient(verdictBlobName(path))
        .downloadToBuffer()
        .catch(() => undefined);
      const { tags } = await blob.getTags();
      stage.note(label, {
        runtimeStatus,
        step: (customStatus as { step?: string } | null)?.step,
        output,
        verdict: document === undefined ? 'none' : JSON.parse(document.toString('utf8')),
        tags,
        requests: await clip.requests(),
        webhook: engine.webhook?.heardAbout(blobName),
        queue: (await peek('notifications', 'base64'))
          .filter((text) => text.includes(clipId))
          .map((text) => (JSON.parse(text) as { kind: string }).kind),
      });
    },
  };
  return clip;
}
