import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeProcessingResult,
  encodeQueueMessage,
  type ProcessingRequest,
  type ProcessingResult,
} from '@dachawatch/contracts';
import { ClipProblem } from '../../../../../cloud-fn/yolo/clip-problem.ts';
import { createLog } from '../../../../../cloud-fn/yolo/log.ts';
import {
  MAX_DEQUEUE_COUNT,
  serveRequests,
  type RequestLoopDeps,
} from '../../../../../cloud-fn/yolo/queue/request-loop.ts';
import { createFakeQueue } from '../fake-queue.ts';

const REQUEST: ProcessingRequest = {
  instance_id: 'clip-1',
  blobUrl: 'https://account/dacha-video/a.mp4',
  blobName: 'dacha-video/a.mp4',
  posted: '2026-11-21T10:00:00Z',
};
const result = (request: ProcessingRequest, error?: { code: string; message: string }): ProcessingResult => ({
  instance_id: request.instance_id,
  blobUrl: request.blobUrl,
  blobName: request.blobName,
  status: error ? 'FAILED' : 'PROCESSED',
  start_timestamp: '2026-11-21T10:00:01Z',
  stop_timestamp: '2026-11-21T10:00:02Z',
  details: error ? { error } : {},
});

/** A loop over queues in memory whose time passes only when a test says so, or when the loop sleeps. Without
 *  `idleMs` a round ends as soon as there is nothing to do. */
function bench(answer: RequestLoopDeps['answer'], leaseMs = 30_000, idleMs = 0) {
  const time = { nowMs: 0 };
  const [requests, results, poison] = [createFakeQueue(time), createFakeQueue(time), createFakeQueue(time)];
  const log: string[] = [];
  const slept: number[] = [];
  const deps: RequestLoopDeps = {
    requests: requests.client,
    results: results.client,
    poison: poison.client,
    answer,
    refusal: (request, { code, message }) => result(request, { code, message }),
    keepText: async (name) => name,
    leaseMs,
    idleMs,
    log: createLog((line) => log.push(line)),
    nowMs: () => time.nowMs,
    monotonicMs: () => time.nowMs,
    sleep: async (ms) => {
      slept.push(ms);
      time.nowMs += ms;
    },
  };
  const answers = () => results.messages().map(({ text }) => decodeProcessingResult(text));
  const round = (stop = new AbortController().signal) => serveRequests(deps, stop);
  return { time, requests, results, poison, log, slept, round, answers };
}

test('a request is answered and then deleted', async () => {
  const { requests, round, answers } = bench(async (request) => result(request));
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  assert.equal(await round(), 'idle');
  assert.deepEqual(
    answers().map(({ instance_id, status }) => [instance_id, status]),
    [['clip-1', 'PROCESSED']],
  );
  assert.deepEqual(requests.messages(), []);
});

test('an answer that could not be stored keeps the request; it is answered later', async () => {
  const { time, requests, results, round, answers } = bench(async (request) => result(request));
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  results.failures.send = new Error('storage is away');
  await round();
  assert.equal(requests.messages().length, 1);
  assert.deepEqual(answers(), []);
  time.nowMs += 60_000;
  await round();
  assert.equal(answers().length, 1);
  assert.deepEqual(requests.messages(), []);
});

test('between answer and deletion only a second, equal answer can come of it', async () => {
  const { time, requests, round, answers } = bench(async (request) => result(request));
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  requests.failures.delete = new Error('cut');
  await round();
  time.nowMs += 60_000;
  await round();
  const [first, second, ...more] = answers();
  assert.deepEqual(first, second);
  assert.deepEqual(more, []);
  assert.deepEqual(requests.messages(), []);
});

test('a clip that cannot be had is tried five times, ever later, and then answered FAILED with the reason', async () => {
  let tries = 0;
  const { time, requests, round, answers } = bench(async () => {
    tries++;
    throw new ClipProblem('clip.missing', 'the clip is not in storage', { final: false });
  });
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  const delays: number[] = [];
  for (let left = 20; left > 0; left--) {
    await round();
    const [message] = requests.messages();
    if (!message) break;
    delays.push(message.visibleAtMs - time.nowMs);
    time.nowMs = message.visibleAtMs;
  }
  assert.equal(tries, MAX_DEQUEUE_COUNT);
  assert.deepEqual(delays, [2000, 4000, 8000, 16_000]);
  assert.deepEqual(answers()[0]?.details, {
    error: { code: 'clip.missing', message: 'the clip is not in storage' },
  });
  assert.deepEqual(requests.messages(), []);
});

test('a problem that stays is answered FAILED at once', async () => {
  const { requests, round, answers } = bench(async () => {
    throw new ClipProblem('clip.undecodable', 'no video in the clip', { final: true });
  });
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  await round();
  assert.equal(answers()[0]?.status, 'FAILED');
  assert.deepEqual(requests.messages(), []);
});

test('a clip whose worker is told to stop again and again is not given up for it', async () => {
  let stop = new AbortController();
  let stops = 0;
  const { requests, round, answers } = bench(async (request) => {
    if (stops === 2 * MAX_DEQUEUE_COUNT) return result(request);
    stops++;
    stop.abort(new Error('told to stop'));
    throw new Error('interrupted');
  });
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  for (let n = 0; n <= 2 * MAX_DEQUEUE_COUNT; n++) {
    stop = new AbortController();
    await round(stop.signal);
  }
  assert.equal(stops, 2 * MAX_DEQUEUE_COUNT);
  assert.deepEqual(
    answers().map(({ status }) => status),
    ['PROCESSED'],
  );
  assert.deepEqual(requests.messages(), []);
});

test('a clip that kills every worker is given up', async () => {
  const { time, requests, round, answers } = bench(async () => assert.fail('it must not be tried again'));
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  for (let death = 0; death < MAX_DEQUEUE_COUNT; death++) {
    await requests.client.receiveMessages({ visibilityTimeout: 30 });
    time.nowMs += 31_000;
  }
  await round();
  const details = answers()[0]?.details;
  assert.ok(details && 'error' in details && details.error.code === 'worker.gave-up');
});

test('a request that somebody else has taken over meanwhile is not answered by us', async () => {
  const { requests, round, answers, log } = bench(async (request, signal) => {
    requests.stealAll();
    // Renewals happen in real time; they find out.
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    return result(request);
  }, 60);
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  await round();
  assert.deepEqual(answers(), []);
  assert.equal(requests.messages().length, 1);
  assert.ok(log.some((line) => line.includes('request.lost')));
});

test('stopping gives the request back at once and takes no other', async () => {
  const stop = new AbortController();
  const { time, requests, round, answers } = bench(async (_, signal) => {
    stop.abort(new Error('SIGTERM'));
    signal.throwIfAborted();
    return assert.fail('it went on');
  });
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  assert.equal(await round(stop.signal), 'stopped');
  assert.deepEqual(
    requests.messages().map(({ dequeueCount, visibleAtMs }) => [dequeueCount, visibleAtMs <= time.nowMs]),
    [
      [1, true],
      [0, true],
    ],
  );
  assert.deepEqual(answers(), []);
});

test('with nothing to do it asks ever more seldom, and ends when that has lasted', async () => {
  const { requests, time, slept, round, answers } = bench(async (request) => result(request), 30_000, 10_000);
  const waits = [200, 400, 800, 1600, 2000, 2000, 2000, 2000];
  assert.equal(await round(), 'idle');
  assert.deepEqual(slept.splice(0), waits);
  // Work begins both anew.
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  time.nowMs += 1_000_000;
  assert.equal(await round(), 'idle');
  assert.equal(answers().length, 1);
  assert.deepEqual(slept, waits);
});

test('a queue that cannot be read is asked again; the twentieth failure in a row ends the worker', async () => {
  const away = new Error('storage is away');
  for (const [failures, ends] of [
    [19, 'idle'],
    [20, away],
  ] as const) {
    const { requests, log, round } = bench(async (request) => result(request), 30_000, 60_000);
    const receive = requests.client.receiveMessages.bind(requests.client);
    let left: number = failures;
    Object.assign(requests.client, {
      receiveMessages: (options: object) => (left-- > 0 ? Promise.reject(away) : receive(options)),
    });
    assert.equal(await round().catch((error: unknown) => error), ends);
    assert.equal(log.filter((line) => line.includes('queue.unreachable')).length, 19);
  }
});

test('failures that are not in a row end nothing', async () => {
  const { requests, round } = bench(async (request) => result(request), 30_000, 200_000);
  const receive = requests.client.receiveMessages.bind(requests.client);
  let asked = 0;
  Object.assign(requests.client, {
    receiveMessages: (options: object) =>
      (asked += 1) % 3 === 0 ? receive(options) : Promise.reject(new Error('storage is away')),
  });
  assert.equal(await round(), 'idle');
  assert.ok(asked > 60);
});

test('a message nobody can read is aside before it is gone, and holds up no other', async () => {
  const { requests, poison, log, round, answers } = bench(async (request) => result(request));
  await requests.client.sendMessage('%%% nonsense');
  await requests.client.sendMessage(encodeQueueMessage(REQUEST));
  await round();
  assert.equal(answers().length, 1);
  assert.deepEqual(requests.messages(), []);
  const [note] = poison.messages().map(({ text }) => JSON.parse(text) as Record<string, string>);
  assert.deepEqual([note?.['reason'], note?.['original']], ['bad-base64', '%%% nonsense']);
  assert.ok(log.some((line) => line.includes('request.unreadable')));
});

test('a message that cannot be put aside stays, and is tried again', async () => {
  const { time, requests, poison, log, round } = bench(async (request) => result(request));
  await requests.client.sendMessage('%%% nonsense');
  poison.failures.send = new Error('storage is full');
  await round();
  assert.deepEqual(
    requests.messages().map(({ visibleAtMs }) => visibleAtMs - time.nowMs),
    [2000],
  );
  assert.ok(log.some((line) => line.includes('request.unsettled')));
  time.nowMs += 2000;
  await round();
  assert.deepEqual([requests.messages().length, poison.messages().length], [0, 1]);
});
