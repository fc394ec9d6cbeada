import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { createPlatformEvents, startMetadataPeer } from '../../fakes/cloud/scheduled-events.ts';
import {
  eventually,
  footageOfPeople,
  makeClip,
  startWorker,
  startYoloCloud,
  type YoloCloud,
} from './yolo-harness.ts';

let cloud: YoloCloud;
let people: string;

before(async () => {
  cloud = await startYoloCloud();
  people = join(cloud.dir, 'people.mp4');
  await makeClip(['-i', await footageOfPeople()], 3, people);
});
afterEach(() => cloud.endWorkers());
after(() => cloud.stop());

async function stopWorker(worker: ReturnType<typeof startWorker>): Promise<void> {
  worker.kill('SIGTERM');
  assert.deepEqual(await worker.ended, { code: 0, signal: null }, worker.stderr());
}

test('a clip with people is answered with a person, boxes and an annotated frame under its name', async () => {
  const request = await cloud.putClip('dacha-1/gate/2026/11/21/PEOPLE.mp4', people);
  await cloud.ask(request);
  const worker = cloud.worker();
  const result = await cloud.nextResult();

  assert.equal(result.status, 'PROCESSED', JSON.stringify(result.details));
  assert.equal(result.instance_id, request.instance_id);
  assert.equal(result.blobUrl, request.blobUrl);
  assert.equal(result.blobName, request.blobName);
  const { details } = result;
  assert.ok('detections' in details);
  assert.equal(details.frames.decoded, 30);
  assert.equal(details.frames.analysed, 6);
  assert.equal(details.strategy, 'fixed-rate');
  assert.ok(details.cpu_ms > 0);
  const person = details.detections.find(({ label }) => label === 'person');
  assert.ok(person && person.count_max >= 2 && person.frames >= 5, JSON.stringify(details.detections));
  assert.ok(person.boxes.length > 0);
  for (const [left, top, right, bottom] of person.boxes)
    assert.ok(0 <= left && left < right && right <= 1 && 0 <= top && top < bottom && bottom <= 1);

  assert.equal(details.best_frame?.blobName, 'dacha-1/gate/2026/11/21/PEOPLE/best.jpg');
  const jpeg = await cloud.frames.getBlobClient(details.best_frame.blobName).downloadToBuffer();
  assert.equal(jpeg.subarray(0, 3).toString('hex'), 'ffd8ff');
  await worker.saw('request.answered');
  assert.equal(await cloud.openRequests(), 0);
  await stopWorker(worker);
});

test('a clip that is shorter than its metadata say is answered with how much of it was seen', async () => {
  await cloud.ask(await cloud.putClip('dacha-1/gate/2026/11/21/SHORT.mp4', people, { duration_ms: '35000' }));
  await cloud.ask(await cloud.putClip('dacha-1/gate/2026/11/21/WHOLE.mp4', people, { duration_ms: '3000' }));
  const worker = cloud.worker();
  for (const expected_ms of [35_000, 3_000]) {
    const { details } = await cloud.nextResult();
    assert.ok('detections' in details, JSON.stringify(details));
    assert.deepEqual(details.coverage, {
      expected_ms,
      seen_ms: 3_000,
      longest_gap_ms: expected_ms - 3_000,
      pictures: 30,
      pictures_seen: 30,
      blank_frames: 0,
    });
  }
  await stopWorker(worker);
});

test('messages nobody can read go to the poison queue with their reason, and disturb no other', async () => {
  const good = await cloud.putClip('dacha-1/gate/2026/11/21/GOOD.mp4', people);
  const { instance_id: _, ...incomplete } = good;
  const bad = [
    { text: '%%% neither JSON nor base64', reason: 'bad-base64' },
    { text: Buffer.from('{"instance_id": "half a mess').toString('base64'), reason: 'bad-json' },
    { text: Buffer.from(JSON.stringify(incomplete)).toString('base64'), reason: 'bad-contract' },
  ];
  const huge = `{"half a message": "${'"'.repeat(9000)}`;
  for (const { text } of bad) await cloud.requests.sendMessage(text);
  await cloud.requests.sendMessage(huge);
  await cloud.ask(good);
  const worker = cloud.worker();

  assert.equal((await cloud.nextResult()).instance_id, good.instance_id);
  for (const { text, reason } of bad) {
    const poisoned = await cloud.nextPoison();
    assert.equal(poisoned['reason'], reason);
    assert.equal(poisoned['original'], text);
    assert.ok(poisoned['message']);
    assert.match(poisoned['at'] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  }
  const place = (await cloud.nextPoison())['original_blob'] ?? '';
  const kept = await cloud.frames
    .getBlobClient(place.slice('detected-dacha-video/'.length))
    .downloadToBuffer();
  assert.equal(kept.toString('utf8'), huge);
  await worker.saw('request.answered');
  assert.equal(await cloud.openRequests(), 0);
  await stopWorker(worker);
});

test('what cannot be analysed is answered FAILED with a code at once, whatever it claims to be', async () => {
  const garbage = join(cloud.dir, 'garbage.mp4');
  await writeFile(garbage, Buffer.alloc(50_000, 7));
  // FFmpeg would follow a playlist to any file or address.
  const playlist = join(cloud.dir, 'playlist.mp4');
  await writeFile(
    playlist,
    `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://${people}\n#EXT-X-ENDLIST\n`,
  );
  const requests = [
    await cloud.putClip('dacha-1/gate/2026/11/21/GARBAGE.mp4', garbage),
    await cloud.putClip('dacha-1/gate/2026/11/21/PLAYLIST.mp4', playlist),
    {
      ...(await cloud.putClip('dacha-1/gate/2026/11/21/ELSEWHERE.mp4', people)),
      blobUrl: 'https://169.254.169.254/dachawatchlocal/dacha-video/x.mp4?sig=secret',
    },
  ];
  for (const request of requests) await cloud.ask(request);
  const worker = cloud.worker();
  const codes = new Map<string, string>();
  for (const _ of requests) {
    const result = await cloud.nextResult();
    assert.equal(result.status, 'FAILED');
    assert.ok('error' in result.details && result.details.error.message);
    assert.doesNotMatch(JSON.stringify(result), /secret/);
    codes.set(result.instance_id.slice(-13), result.details.error.code);
  }
  assert.deepEqual(
    [...codes.values()].toSorted(),
    ['clip.foreign-address', 'clip.undecodable', 'clip.undecodable'],
    worker.stderr(),
  );
  await stopWorker(worker);
});

test('a worker that is told to stop gives its clip back at once, and leaves no file behind', async () => {
  const long = join(cloud.dir, 'long.mp4');
  await makeClip(['-stream_loop', '-1', '-i', people], 120, long);
  await cloud.ask(await cloud.putClip('dacha-1/gate/2026/11/21/LONG.mp4', long));
  const first = cloud.worker({ DACHA_WORKER_LEASE_MS: '600000', ...cloud.thorough });
  await first.saw('request.taken');
  first.kill('SIGTERM');
  assert.deepEqual(await first.ended, { code: 0, signal: null }, first.stderr());
  assert.ok(
    first.log.some(({ event }) => event === 'request.returned'),
    first.stderr(),
  );
  assert.deepEqual(
    (await readdir(cloud.dir)).filter((name) => name.startsWith('dachawatch-yolo-')),
    [],
  );

  const second = cloud.worker({ DACHA_YOLO_FPS: '0.1' });
  const result = await cloud.nextResult();
  assert.equal(result.status, 'PROCESSED');
  assert.equal((await second.saw('request.taken'))['dequeueCount'], 2);
  await second.saw('request.answered');
  await stopWorker(second);
});

test('before its machine is taken away a worker gives its clip back, approves, and takes it again when that is cancelled', async (t) => {
  const platform = createPlatformEvents();
  const peer = await startMetadataPeer(platform);
  t.after(() => peer.stop());
  const minute = join(cloud.dir, 'minute.mp4');
  await makeClip(['-stream_loop', '-1', '-i', people], 60, minute);
  await cloud.ask(await cloud.putClip('dacha-1/gate/2026/11/21/PREEMPT.mp4', minute));
  const worker = cloud.worker({
    DACHA_WORKER_LEASE_MS: '600000',
    DACHA_SCHEDULED_EVENTS: peer.address,
    ...cloud.thorough,
  });
  await worker.saw('request.taken');
  platform.announce({ EventId: 'other', EventType: 'Preempt', Resources: ['yolo_1'] });
  platform.announce({ EventId: 'ours', EventType: 'Preempt' });
  await eventually('the approval', () => platform.approvals[0]);
  const events = worker.log.map(({ event }) => event);
  assert.ok(events.includes('request.returned'), worker.stderr());
  assert.ok(
    events.indexOf('request.returned') < events.indexOf('maintenance.approved') ||
      !events.includes('maintenance.approved'),
  );
  assert.deepEqual(
    platform.approvals.map(({ EventId }) => EventId),
    ['ours'],
  );
  platform.remove('ours');
  await eventually('the clip to be taken again', () =>
    worker.log.filter(({ event }) => event === 'request.taken').length === 2 ? true : undefined,
  );
  await stopWorker(worker);
  assert.equal(await cloud.openRequests(), 1);
  await cloud.requests.clearMessages();
});

test('a worker with nothing to do ends by itself with exit code 0', async () => {
  const worker = cloud.worker({ DACHA_WORKER_IDLE_MS: '300' });
  assert.deepEqual(await worker.ended, { code: 0, signal: null }, worker.stderr());
  assert.equal(worker.log.findLast(({ event }) => event === 'worker.ended')?.['why'], 'idle');
});

test('the runtime leaves no telemetry behind, also outside CI', async () => {
  const home = join(cloud.dir, 'home');
  await makeClip(['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10'], 1, join(cloud.dir, 'test.mp4'));
  await cloud.ask(await cloud.putClip('dacha-1/gate/2026/11/21/TEST.mp4', join(cloud.dir, 'test.mp4')));
  // The worker sees only this environment: no CI variable that would silence the collector.
  const worker = cloud.worker({
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    DACHA_WORKER_IDLE_MS: '300',
  });
  await cloud.nextResult();
  await worker.ended;
  const files = await readdir(home, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    assert.equal(error.code, 'ENOENT');
    return [];
  });
  assert.deepEqual(files, []);
});

test('without weights or storage it says in one sentence what to do', async () => {
  const empty = startWorker(cloud.environment({ DACHA_MODELS_DIR: join(cloud.dir, 'none') }));
  assert.equal((await empty.ended).code, 1);
  assert.match(empty.stderr(), /^worker: no weights in .* run scripts\/models$/);
  const lost = startWorker({ HOME: cloud.dir });
  assert.equal((await lost.ended).code, 1);
  assert.match(lost.stderr(), /^worker: set DACHA_STORAGE_CONNECTION/);
});
