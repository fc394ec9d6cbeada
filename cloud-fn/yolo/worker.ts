/** The YOLO worker: the program of the container. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ANALYSIS_DEADLINE_MS,
  POISON_SUFFIX,
  QUEUE_PROCESSED,
  QUEUE_TO_PROCESSING,
} from '@dachawatch/contracts';
import { writeLogLine } from '@dachawatch/contracts/standard-error';
import { analyseClip } from './analysis/analyse-clip.ts';
import { createAnswerer } from './answer-request.ts';
import { NoModel, openDetector, secondDetector } from './detectors/open-detector.ts';
import { createLog } from './log.ts';
import { createMetadataService } from './maintenance/metadata-service.ts';
import { watchEvents } from './maintenance/watch-events.ts';
import { WrongWeights } from './models/manifest.ts';
import { createIntake } from './queue/intake.ts';
import { serveRequests } from './queue/request-loop.ts';
import { BadSetting, readWorkerSettings } from './settings.ts';
import { makeIfAllowed, openAccount } from './storage/account.ts';
import { createClipStore } from './storage/clip-store.ts';

const HELP = `node cloud-fn/yolo/worker.ts
Takes requests from the queue ${QUEUE_TO_PROCESSING}, analyses their clips, answers on ${QUEUE_PROCESSED}.
Ends with exit code 0 when there is nothing to do for DACHA_WORKER_IDLE_MS, or when told to by SIGTERM.
Settings are environment variables; docs/yolo.md lists them.`;

const PREPARE_MS = 60_000;

const log = createLog(writeLogLine);
const stop = new AbortController();
const stopOn = (why: string) => () => stop.abort(new Error(why));
process.once('SIGTERM', stopOn('SIGTERM'));
process.once('SIGINT', stopOn('SIGINT'));
process.once('disconnect', stopOn('the parent process is gone'));

function refuse(sentence: string, code: number): void {
  process.stderr.write(`worker: ${sentence}\n`);
  process.exitCode = code;
}

async function main(): Promise<void> {
  const settings = readWorkerSettings();
  const detector = await openDetector(settings.modelsDir, {
    name: settings.model,
    warn: (message) => log.warn({ event: 'model.lesser' }, message),
  });
  const second = secondDetector(settings.modelsDir, detector.model.name);
  if (!second)
    log.warn(
      { event: 'model.no-second' },
      'there is no second detector: people that the first one is not sure of are believed; run scripts/models',
    );
  const { blobs, queues } = openAccount(settings.storage);
  const requests = queues.getQueueClient(QUEUE_TO_PROCESSING);
  const results = queues.getQueueClient(QUEUE_PROCESSED);
  const poison = queues.getQueueClient(QUEUE_TO_PROCESSING + POISON_SUFFIX);
  const clips = createClipStore(blobs);
  const { strategy, rateFps } = settings;
  const answerer = createAnswerer({
    clips,
    analyse: (file, signal, expectedMs) =>
      analyseClip(file, detector, {
        strategy,
        rateFps,
        signal,
        expectedMs,
        second,
        deadlineMs: ANALYSIS_DEADLINE_MS,
      }),
    tempDir: tmpdir(),
    nowMs: Date.now,
  });
  await answerer.tidy();
  const abortSignal = AbortSignal.any([stop.signal, AbortSignal.timeout(PREPARE_MS)]);
  for (const queue of [requests, results, poison])
    await makeIfAllowed(() => queue.createIfNotExists({ abortSignal }));
  await clips.prepare();

  const ready = {
    ready: true,
    worker: 'yolo',
    model: detector.model.name,
    runtime: detector.runtime,
    pid: process.pid,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);
  log.info({ event: 'worker.ready', ...ready, strategy }, 'waiting for requests');
  const intake = createIntake();
  const over = new AbortController();
  const monotonicMs = () => performance.now();
  const sleep = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined);
  const watching = settings.scheduledEvents
    ? watchEvents(
        {
          ...{ intake, log, monotonicMs, sleep },
          service: createMetadataService(settings.scheduledEvents.address),
          vmName: settings.scheduledEvents.vmName,
        },
        AbortSignal.any([stop.signal, over.signal]),
      )
    : Promise.resolve();
  const why = await serveRequests(
    {
      ...{ requests, results, poison, log, intake },
      answer: answerer.answer,
      refusal: answerer.refusal,
      keepText: (name, text) => clips.keepText(name, text),
      leaseMs: settings.leaseMs,
      idleMs: settings.idleMs,
      nowMs: Date.now,
      ...{ monotonicMs, sleep },
    },
    stop.signal,
  ).finally(() => over.abort());
  await watching;
  log.info({ event: 'worker.ended', why }, `worker ends: ${why}`);
  await detector.close();
  await second?.close();
}

try {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help) process.stdout.write(`${HELP}\n`);
  else await main();
} catch (error) {
  if (stop.signal.aborted)
    log.info({ event: 'worker.ended', why: 'stopped' }, 'worker stopped while starting');
  else if (error instanceof BadSetting || error instanceof NoModel || error instanceof WrongWeights)
    refuse(error.message, 1);
  else if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS'))
    refuse((error as Error).message, 2);
  else {
    log.error(
      { event: 'worker.failed', err: error instanceof Error ? error.stack : String(error) },
      'worker failed',
    );
    process.exitCode = 1;
  }
} finally {
  // An open channel to the parent would keep the process alive.
  if (process.connected) process.disconnect();
}
