/** Storage on this machine, YOLO workers and clips for tests. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  CONTAINER_CLIPS,
  CONTAINER_FRAMES,
  decodeProcessingResult,
  encodeQueueMessage,
  POISON_SUFFIX,
  QUEUE_PROCESSED,
  QUEUE_TO_PROCESSING,
  type ProcessingRequest,
  type ProcessingResult,
} from '@dachawatch/contracts';
import { startStorage } from '../../../cloud-fn/local/storage/storage.ts';
import { defaultFootage } from '../../../hardware/simulators/camera/default-footage.ts';
import { cacheDir, repoRoot } from '../../../scripts/lib/places.ts';
import { COMPILED_CODE } from '../compiled-code.ts';

const run = promisify(execFile);
/** A busy machine analyses every picture of a long clip in minutes. */
const WAIT_MS = 300_000;

/** Weights the worker can use: the fallback of scripts/models when there is nothing better. */
export async function bringModels(): Promise<{ dir: string; chosen: string }> {
  const { stdout } = await run(join(repoRoot, 'scripts/models'), ['--json'], { timeout: 600_000 });
  return JSON.parse(stdout) as { dir: string; chosen: string };
}

/** Real footage of people walking. */
export async function footageOfPeople(): Promise<string> {
  const shared = resolve(repoRoot, '../shared/data/clips/a02-vtest-pets2009.avi');
  return existsSync(shared) ? shared : defaultFootage(cacheDir());
}

/** A clip as the recorder writes it: fragmented MP4. */
export async function makeClip(input: readonly string[], seconds: number, file: string): Promise<void> {
  await run('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', ...input, '-t', String(seconds), '-an'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '20'],
    ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', file],
  ]);
}

/** What a condition gives once it gives something. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await delay(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${WAIT_MS / 1000} s for ${what}`);
}

export interface WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** JSON lines of its log so far. */
  readonly log: readonly { readonly event?: string; readonly [field: string]: unknown }[];
  stderr(): string;
  /** The first log line with this event. */
  saw(event: string): Promise<{ readonly [field: string]: unknown }>;
  kill(signal: NodeJS.Signals): void;
}

/** @param env all it sees beside PATH and where temporary files go */
export function startWorker(env: Record<string, string>): WorkerProcess {
  const child = spawn(process.execPath, [join(repoRoot, 'cloud-fn/yolo/worker.ts')], {
    env: { PATH: process.env['PATH'], ...COMPILED_CODE, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const log: { event?: string; [field: string]: unknown }[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('{')) log.push(JSON.parse(line) as { event?: string });
  });
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  return {
    pid: child.pid ?? 0,
    ended,
    log,
    stderr: () => lines.join('\n'),
    saw: (event) =>
      eventually(`the worker's ${event}; it said:\n${lines.join('\n')}`, () =>
        log.find((entry) => entry.event === event),
      ),
    kill: (signal) => child.kill(signal),
  };
}

export type YoloCloud = Awaited<ReturnType<typeof startYoloCloud>>;

export async function startYoloCloud() {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-yolo-test-'));
  const storage = await startStorage({ dataDir: join(dir, 'storage') });
  const { connectionString, caFile } = storage.ready;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(caFile, 'utf8')]);
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const clips = blobs.getContainerClient(CONTAINER_CLIPS);
  const frames = blobs.getContainerClient(CONTAINER_FRAMES);
  const requests = queues.getQueueClient(QUEUE_TO_PROCESSING);
  const results = queues.getQueueClient(QUEUE_PROCESSED);
  const poison = queues.getQueueClient(QUEUE_TO_PROCESSING + POISON_SUFFIX);
  const workers: WorkerProcess[] = [];
  const models = await bringModels();

  const environment = (more: Record<string, string> = {}) => ({
    DACHA_STORAGE_CONNECTION: connectionString,
    DACHA_MODELS_DIR: models.dir,
    NODE_EXTRA_CA_CERTS: caFile,
    TMPDIR: dir,
    HOME: dir,
    ...more,
  });

  async function endWorkers(): Promise<void> {
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all(workers.splice(0).map(({ ended }) => ended));
  }

  return {
    dir,
    frames,
    requests,
    environment,
    /** Settings with which a clip of two minutes takes many seconds, whichever detector there is. */
    thorough: (models.chosen === 'yolox-nano'
      ? { DACHA_YOLO_STRATEGY: 'every-frame' }
      : { DACHA_YOLO_FPS: '0.5' }) as Record<string, string>,
    worker(more: Record<string, string> = {}): WorkerProcess {
      const worker = startWorker(environment(more));
      workers.push(worker);
      return worker;
    },
    async putClip(
      path: string,
      file: string,
      metadata: Record<string, string> = {},
    ): Promise<ProcessingRequest> {
      const blob = clips.getBlockBlobClient(path);
      await blob.uploadFile(file, { metadata });
      return {
        instance_id: `clip-${path.replaceAll('/', '-')}`,
        blobUrl: blob.url,
        blobName: `${CONTAINER_CLIPS}/${path}`,
        posted: new Date().toISOString(),
      };
    },
    ask: (request: ProcessingRequest) => requests.sendMessage(encodeQueueMessage(request)),
    /** Takes the next answer. */
    nextResult: (): Promise<ProcessingResult> =>
      eventually('an answer', async () => {
        const { receivedMessageItems } = await results.receiveMessages();
        const [message] = receivedMessageItems;
        if (!message) return undefined;
        await results.deleteMessage(message.messageId, message.popReceipt);
        return decodeProcessingResult(message.messageText);
      }),
    waitingResults: async () => (await results.getProperties()).approximateMessagesCount ?? 0,
    /** Takes the next message of the poison queue. */
    nextPoison: (): Promise<Record<string, string>> =>
      eventually('a message in the poison queue', async () => {
        const { receivedMessageItems } = await poison.receiveMessages();
        const [message] = receivedMessageItems;
        if (!message) return undefined;
        await poison.deleteMessage(message.messageId, message.popReceipt);
        return JSON.parse(message.messageText) as Record<string, string>;
      }),
    /** Messages in the queue of the requests, hidden ones too. */
    openRequests: async () => (await requests.getProperties()).approximateMessagesCount ?? 0,
    /** So that the worker of a test that failed does not take the requests of the next. */
    endWorkers,
    async stop(): Promise<void> {
      await endWorkers();
      await storage.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
