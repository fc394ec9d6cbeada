/** The YOLO worker without YOLO, to be killed and to have its disk and network calls fail: the real queue loop and the
 *  real answers, with a detector that only looks at the clip's checksum. Environment: that of the worker. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { POISON_SUFFIX, QUEUE_PROCESSED, QUEUE_TO_PROCESSING } from '@dachawatch/contracts';
import type { Analysis } from '../../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { createAnswerer } from '../../../../../cloud-fn/yolo/answer-request.ts';
import { createLog } from '../../../../../cloud-fn/yolo/log.ts';
import { serveRequests } from '../../../../../cloud-fn/yolo/queue/request-loop.ts';
import { readWorkerSettings } from '../../../../../cloud-fn/yolo/settings.ts';
import { openAccount } from '../../../../../cloud-fn/yolo/storage/account.ts';
import { createClipStore } from '../../../../../cloud-fn/yolo/storage/clip-store.ts';
import { verdictOfSha256 } from '../settings.ts';

const LEASE_MS = 4_000;
const IDLE_MS = 24 * 3_600_000;

const settings = readWorkerSettings();
const stop = new AbortController();
process.once('disconnect', () => stop.abort(new Error('the parent process is gone')));

async function analyse(file: string): Promise<Pick<Analysis, 'details' | 'bestFrame'>> {
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  const person = verdictOfSha256(sha256) === 'person';
  const box: [number, number, number, number] = [0.4, 0.4, 0.6, 0.8];
  return {
    details: {
      schema_version: 1,
      model: { name: 'checksum', sha256, licence: 'Apache-2.0' },
      frames: { decoded: 70, analysed: 14 },
      detections: person
        ? [
            {
              label: 'person',
              count_max: 1,
              confidence_max: 0.9,
              first_ms: 500,
              last_ms: 4_000,
              frames: 8,
              boxes: [box],
            },
          ]
        : [],
      cpu_ms: 1,
      strategy: 'fixed-rate',
    },
    bestFrame: person ? { atMs: 500, jpeg: Buffer.from(`picture of ${sha256}`) } : undefined,
  };
}

const { blobs, queues } = openAccount(settings.storage);
const queue = (name: string) => queues.getQueueClient(name);
const clips = createClipStore(blobs);
const answerer = createAnswerer({ clips, analyse, tempDir: tmpdir(), nowMs: Date.now });
await answerer.tidy();
process.send?.({ ready: true });
await serveRequests(
  {
    requests: queue(QUEUE_TO_PROCESSING),
    results: queue(QUEUE_PROCESSED),
    poison: queue(QUEUE_TO_PROCESSING + POISON_SUFFIX),
    log: createLog((line) => process.stderr.write(line)),
    answer: answerer.answer,
    refusal: answerer.refusal,
    keepText: (name, text) => clips.keepText(name, text),
    leaseMs: LEASE_MS,
    idleMs: IDLE_MS,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  },
  stop.signal,
);
process.exit(0);
