import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  decodeProcessingRequest,
  encodeQueueMessage,
  verdictBlobName,
  type ProcessingRequest,
  type ProcessingResult,
  type Verdict,
} from '@dachawatch/contracts';
import type { ClipAnalysisOutput } from '../../../cloud-fn/orchestrators/clip-analysis-steps.ts';
import { startChildService, type ChildService } from '../../../cloud-fn/local/child-service.ts';
import { startStorage } from '../../../cloud-fn/local/storage/storage.ts';
import type { World } from '../hub/hub-fixture.ts';

const file = (path: string) => fileURLToPath(new URL(`../../../cloud-fn/${path}`, import.meta.url));
const DEADLINE_MS = 180_000;

/** Resolves with what `look` finds, asking again until it finds something; fails after three minutes. */
export async function found<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = performance.now() + DEADLINE_MS; ; ) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) assert.fail(`it did not happen in three minutes: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface CloudStorage {
  readonly connectionString: string;
  readonly caFile: string;
  readonly blobs: BlobServiceClient;
  putClip(name: string, bytes: string): Promise<string>;
  putFrame(name: string, bytes: string): Promise<void>;
  verdictOf(clipName: string): Promise<Verdict | undefined>;
  send(queue: string, text: string): Promise<void>;
  /** Takes one message out of a queue; undefined when it is empty. */
  take(queue: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Real Azurite, trusted by this process. */
export async function startCloudStorage({ dir }: World): Promise<CloudStorage> {
  const storage = await startStorage({ dataDir: join(dir, 'storage') });
  const { connectionString, caFile } = storage.ready;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(caFile, 'utf8')]);
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const put = async (container: string, name: string, bytes: string) => {
    const client = blobs.getContainerClient(container);
    await client.createIfNotExists();
    const blob = client.getBlockBlobClient(name);
    await blob.upload(bytes, Buffer.byteLength(bytes));
    return blob.url;
  };
  return {
    connectionString,
    caFile,
    blobs,
    putClip: (name, bytes) => put('dacha-video', name, bytes),
    putFrame: async (name, bytes) => void (await put('detected-dacha-video', name, bytes)),
    async verdictOf(clipName) {
      const blob = blobs.getContainerClient('dacha-video').getBlobClient(verdictBlobName(clipName));
      try {
        // One request: between two it may be replaced.
        const { readableStreamBody } = await blob.download();
        return JSON.parse(await textOf(readableStreamBody as Readable)) as Verdict;
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404) return undefined;
        throw error;
      }
    },
    async send(queue, text) {
      await queues.getQueueClient(queue).sendMessage(text);
    },
    async take(name) {
      const queue = queues.getQueueClient(name);
      const [message] = (await queue.receiveMessages({ numberOfMessages: 1 })).receivedMessageItems;
      if (!message) return undefined;
      await queue.deleteMessage(message.messageId, message.popReceipt);
      return message.messageText;
    },
    stop: () => storage.stop(),
  };
}

/** The worker's end of the queues, in the hands of the test. */
export const workerOf = (storage: CloudStorage) => ({
  nextRequest: (): Promise<ProcessingRequest> =>
    found('a processing request', async () => {
      const text = await storage.take('video-to-processing');
      return text === undefined ? undefined : decodeProcessingRequest(text);
    }),
  noRequest: async () => assert.equal(await storage.take('video-to-processing'), undefined),
  answer: (result: ProcessingResult) => storage.send('video-processed', encodeQueueMessage(result)),
});

interface Instance {
  readonly runtimeStatus: string;
  readonly customStatus: { readonly step?: string } | null;
  readonly output: ClipAnalysisOutput | null;
}

export interface CloudApp {
  readonly base: string;
  readonly functionKey: string;
  announce(clipName: string, url: string, more?: object): Promise<number>;
  instance(id: string): Promise<Instance | undefined>;
  finished(id: string): Promise<ClipAnalysisOutput>;
  at(id: string, step: string): Promise<void>;
  terminate(id: string, reason: string): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface CloudAppOptions {
  readonly storage: CloudStorage;
  readonly waitMs: number;
  readonly hubConnection?: string;
  /** Program of the worker; without it the test is the worker. */
  readonly workerEntry?: string;
  readonly onLog?: (line: string) => void;
}

/** The unmodified app in the embedded host, as a process of its own. State stays in the world between starts. */
export async function startCloudApp(world: World, options: CloudAppOptions): Promise<CloudApp> {
  const { storage } = options;
  const caFile = join(world.dir, 'all-ca.pem');
  writeFileSync(caFile, `${world.ca}\n${readFileSync(storage.caFile, 'utf8')}`);
  const host = JSON.parse(readFileSync(file('host.json'), 'utf8'));
  host.extensions.queues.visibilityTimeout = '00:00:01';
  host.extensions.queues.maxPollingInterval = '00:00:00.2';
  const hostJson = join(world.dir, 'host.json');
  writeFileSync(hostJson, JSON.stringify(host));
  const service: ChildService<{ port: number; keysFile: string; functions: string[] }> =
    await startChildService({
      main: file('local/functions-host/main.ts'),
      args: [
        ...['--app', file('functions/app.ts'), '--data', join(world.dir, 'functions')],
        ...['--port', '0', '--host-json', hostJson],
      ],
      env: {
        PATH: process.env['PATH'],
        NODE_EXTRA_CA_CERTS: caFile,
        DACHA_STORAGE_CONNECTION: storage.connectionString,
        DACHA_ANALYSIS_WAIT_MS: String(options.waitMs),
        ...(options.workerEntry === undefined
          ? { DACHA_COMPUTE: 'none' }
          : { DACHA_COMPUTE: 'local-process', DACHA_WORKER_ENTRY: options.workerEntry }),
        ...(options.hubConnection === undefined ? {} : { DACHA_IOTHUB_CONNECTION: options.hubConnection }),
      },
      ...(options.onLog ? { onLog: options.onLog } : {}),
    });
  const { port, keysFile, functions } = service.ready;
  assert.equal(functions.length, 16);
  const keys = JSON.parse(readFileSync(keysFile, 'utf8')) as Record<string, string>;
  const base = `http://127.0.0.1:${port}`;

  const app: CloudApp = {
    base,
    functionKey: keys['function'] ?? '',
    async announce(clipName, url, more = {}) {
      const response = await fetch(
        `${base}/runtime/webhooks/eventgrid?functionName=OnVideoBlobCreated&code=${keys['eventGrid']}`,
        {
          method: 'POST',
          headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
          body: JSON.stringify([
            {
              id: crypto.randomUUID(),
              topic: '/subscriptions/test',
              subject: `/blobServices/default/containers/dacha-video/blobs/${clipName}`,
              eventType: 'Microsoft.Storage.BlobCreated',
              eventTime: new Date().toISOString(),
              dataVersion: '',
              metadataVersion: '1',
              data: { api: 'PutBlockList', contentLength: 4, url, eTag: crypto.randomUUID(), ...more },
            },
          ]),
        },
      );
      return response.status;
    },
    async instance(id) {
      const response = await fetch(
        `${base}/runtime/webhooks/durabletask/instances/${id}?code=${keys['durableTask']}`,
      );
      if (response.status === 404) return undefined;
      assert.ok(response.ok, `${response.status}`);
      return (await response.json()) as Instance;
    },
    async finished(id) {
      return found(`${id} finishes`, async () => {
        const instance = await app.instance(id);
        assert.notEqual(instance?.runtimeStatus, 'Failed', JSON.stringify(instance));
        return instance?.runtimeStatus === 'Completed' ? (instance.output ?? undefined) : undefined;
      });
    },
    async at(id, step) {
      await found(`${id} is ${step}`, async () => (await app.instance(id))?.customStatus?.step === step);
    },
    async terminate(id, reason) {
      const query = `code=${keys['durableTask']}&reason=${encodeURIComponent(reason)}`;
      const at = `${base}/runtime/webhooks/durabletask/instances/${id}/terminate?${query}`;
      assert.equal((await fetch(at, { method: 'POST' })).status, 202);
    },
    stop: () => service.stop(),
    kill: () => service.kill(),
  };
  return app;
}
