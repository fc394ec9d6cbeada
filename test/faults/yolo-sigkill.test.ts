import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import {
  eventually,
  footageOfPeople,
  makeClip,
  startYoloCloud,
  type YoloCloud,
} from '../integration/cloud-fn/yolo-harness.ts';

let cloud: YoloCloud;
let clip: string;

before(async () => {
  cloud = await startYoloCloud();
  clip = join(cloud.dir, 'clip.mp4');
  const people = join(cloud.dir, 'people.mp4');
  await makeClip(['-i', await footageOfPeople()], 3, people);
  await makeClip(['-stream_loop', '-1', '-i', people], 120, clip);
});
afterEach(() => cloud.endWorkers());
after(() => cloud.stop());

test('the clip of a worker killed in the middle is answered by the next one, exactly once', async () => {
  const request = await cloud.putClip('dacha-1/gate/2026/11/21/KILLED.mp4', clip);
  await cloud.ask(request);
  const first = cloud.worker({ DACHA_WORKER_LEASE_MS: '4000', ...cloud.thorough });
  await first.saw('request.taken');
  first.kill('SIGKILL');
  assert.equal((await first.ended).signal, 'SIGKILL');
  assert.ok(!first.log.some(({ event }) => event === 'request.answered'), 'killed before its answer');

  // Its lease outlasts a machine that is busy with other work; the promise is one answer, not one taking.
  const second = cloud.worker({ DACHA_WORKER_LEASE_MS: '30000', DACHA_YOLO_FPS: '0.2' });
  const result = await cloud.nextResult();
  assert.equal(result.instance_id, request.instance_id);
  assert.equal(result.status, 'PROCESSED');
  await second.saw('request.answered');
  assert.equal(second.log.filter(({ event }) => event === 'request.answered').length, 1);
  assert.equal(await cloud.openRequests(), 0);
  assert.equal(await cloud.waitingResults(), 0);
  second.kill('SIGTERM');
  await second.ended;
});

/** Long enough that a busy machine renews it in time, shorter than the clip takes. */
const LEASE_MS = 15_000;

test('a clip that takes longer than the lease is not taken by a second worker', async () => {
  await cloud.ask(await cloud.putClip('dacha-1/gate/2026/11/21/SLOW.mp4', clip));
  const env = { DACHA_WORKER_LEASE_MS: String(LEASE_MS), ...cloud.thorough };
  const both = [cloud.worker(env), cloud.worker(env)];
  const result = await cloud.nextResult();
  assert.equal(result.status, 'PROCESSED', JSON.stringify(result.details));
  const busy = await eventually('the answer to be logged', () =>
    both.find(({ log }) => log.some(({ event }) => event === 'request.answered')),
  );
  const idle = both.find((worker) => worker !== busy);
  const took = Date.parse(result.stop_timestamp) - Date.parse(result.start_timestamp);
  assert.ok(took > LEASE_MS, `the clip took ${took} ms, too short to prove anything`);
  assert.ok(!idle?.log.some(({ event }) => event === 'request.taken'), 'only one worker took it');
  // Hidden messages are counted, too: there is none that could come back to anybody.
  assert.equal(await cloud.openRequests(), 0);
  assert.equal(await cloud.waitingResults(), 0);
  for (const worker of both) worker.kill('SIGTERM');
  await Promise.all(both.map(({ ended }) => ended));
});
