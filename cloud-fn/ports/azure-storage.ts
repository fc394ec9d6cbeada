import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { BlobServiceClient, RestError, type BlockBlobClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { PortFailure } from './port-failure.ts';
import type { BlobContent, BlobPlace, ListedBlob, StoragePort } from './storage.ts';
import type { StorageAccess } from '../settings.ts';

interface Clients {
  readonly blobs: BlobServiceClient;
  readonly queues: QueueServiceClient;
}

/** No call may outlive the function that makes it. */
const DEADLINE_MS = 60_000;
/** Storage gives at most so many names at once. */
const LARGEST_PAGE = 5_000;
const RETRIES = { retryOptions: { maxTries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 5_000 } } as const;

/** Azure Storage, or Azurite. Clients are made at the first call and kept. */
// oxlint-disable-next-line max-lines-per-function -- one method for each call of the port, and what storage's answer to it means; they share nothing but the clients
export function createAzureStorage(access: StorageAccess): StoragePort {
  let opening: Promise<Clients> | undefined;
  const clients = () => (opening ??= open(access));
  const abortSignal = () => AbortSignal.timeout(DEADLINE_MS);
  const blobAt = async ({ container, name }: BlobPlace): Promise<BlockBlobClient> =>
    (await clients()).blobs.getContainerClient(container).getBlockBlobClient(name);

  async function upload(
    place: BlobPlace,
    { bytes, contentType }: BlobContent,
    conditions: { ifNoneMatch?: string; ifMatch?: string },
  ): Promise<void> {
    const blob = await blobAt(place);
    const put = () =>
      blob.upload(bytes, Buffer.byteLength(bytes), {
        conditions,
        blobHTTPHeaders: { blobContentType: contentType },
        abortSignal: abortSignal(),
      });
    try {
      await put();
    } catch (error) {
      if (codeOf(error) !== 'ContainerNotFound') throw error;
      await (await clients()).blobs.getContainerClient(place.container).createIfNotExists();
      await put();
    }
  }

  return {
    createBlob: (place, content) => unless([409, 412], upload(place, content, { ifNoneMatch: '*' })),
    replaceBlob: (place, content, ifMatch) => unless([404, 412], upload(place, content, { ifMatch })),
    writeBlob: (place, content) => upload(place, content, {}),

    async readBlob(place, maxBytes) {
      const blob = await blobAt(place);
      try {
        // One request: between two, somebody may replace it.
        const answer = await blob.download(0, undefined, { abortSignal: abortSignal(), maxRetryRequests: 3 });
        const body = answer.readableStreamBody as Readable;
        const size = answer.contentLength ?? 0;
        if (size > maxBytes) {
          body.destroy();
          throw new PortFailure(
            'rejected',
            'storage.too-large',
            `${place.name} has ${size} bytes; at most ${maxBytes} are read`,
          );
        }
        const bytes = await buffer(body);
        const now = answer.date?.getTime() ?? 0;
        const ageMs = Math.max(0, now - (answer.lastModified?.getTime() ?? now));
        return { bytes, etag: answer.etag ?? '', ageMs };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },

    async hasBlob(place) {
      const blob = await blobAt(place);
      // 400: a name that storage does not allow, so nothing can be there.
      return unless([400, 404], blob.getProperties({ abortSignal: abortSignal() }));
    },

    async listBlobs(container, prefix, most) {
      const found: ListedBlob[] = [];
      const pages = (await clients()).blobs
        .getContainerClient(container)
        .listBlobsFlat({ prefix, abortSignal: abortSignal() })
        .byPage({ maxPageSize: Math.min(most, LARGEST_PAGE) });
      try {
        for await (const page of pages) {
          const now = page.date?.getTime() ?? 0;
          for (const { name, properties } of page.segment.blobItems)
            found.push({ name, ageMs: Math.max(0, now - properties.lastModified.getTime()) });
          if (found.length >= most) break;
        }
      } catch (error) {
        if (codeOf(error) !== 'ContainerNotFound') throw error;
      }
      return found.slice(0, most);
    },

    async deleteBlob(place, ifMatch) {
      const blob = await blobAt(place);
      return unless(
        [404, 412],
        blob.delete({ conditions: { ifMatch }, deleteSnapshots: 'include', abortSignal: abortSignal() }),
      );
    },

    async readTags(place) {
      try {
        return (await (await blobAt(place)).getTags({ abortSignal: abortSignal() })).tags;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },

    async writeTags(place, tags) {
      const blob = await blobAt(place);
      return unless([404], blob.setTags({ ...tags }, { abortSignal: abortSignal() }));
    },

    async sendMessage(name, text, keep) {
      const queue = (await clients()).queues.getQueueClient(name);
      const send = () =>
        queue.sendMessage(text, {
          ...(keep === 'for-ever' ? { messageTimeToLive: -1 } : {}),
          abortSignal: abortSignal(),
        });
      try {
        await send();
      } catch (error) {
        if (codeOf(error) !== 'QueueNotFound') throw error;
        await queue.createIfNotExists();
        await send();
      }
    },

    async receiveMessages(name, hiddenS) {
      try {
        const { receivedMessageItems } = await (await clients()).queues.getQueueClient(name).receiveMessages({
          numberOfMessages: 32,
          visibilityTimeout: hiddenS,
          abortSignal: abortSignal(),
        });
        return receivedMessageItems.map(({ messageId, popReceipt, messageText }) => ({
          id: messageId,
          receipt: popReceipt,
          text: messageText,
        }));
      } catch (error) {
        if (codeOf(error) === 'QueueNotFound') return [];
        throw error;
      }
    },

    async deleteMessage(name, { id, receipt }) {
      const queue = (await clients()).queues.getQueueClient(name);
      return unless([400, 404], queue.deleteMessage(id, receipt, { abortSignal: abortSignal() }));
    },
  };
}

async function open(access: StorageAccess): Promise<Clients> {
  if ('connectionString' in access)
    return {
      blobs: BlobServiceClient.fromConnectionString(access.connectionString, RETRIES),
      queues: QueueServiceClient.fromConnectionString(access.connectionString, RETRIES),
    };
  // Loaded only where an identity is used: it is the heaviest package of the app.
  const { DefaultAzureCredential } = await import('@azure/identity');
  const credential = new DefaultAzureCredential();
  return {
    blobs: new BlobServiceClient(access.blobEndpoint, credential, RETRIES),
    queues: new QueueServiceClient(access.queueEndpoint, credential, RETRIES),
  };
}

/** True when the call did it; false when it was answered with one of these statuses. */
async function unless(statuses: readonly number[], call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return false;
    throw error;
  }
}

const statusOf = (error: unknown) => (error instanceof RestError ? error.statusCode : undefined);
const codeOf = (error: unknown) => (error instanceof RestError ? error.code : undefined);
