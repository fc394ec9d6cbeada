import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ProcessingResult, Verdict } from '@dachawatch/contracts';
import { instanceIdOf } from '../../../cloud-fn/functions/clip-of-blob.ts';
import type { RunningIotHub } from '../../../cloud-fn/local/iot-hub/server.ts';
import { details, detection, result } from '../../unit/cloud-fn/orchestrators/clip-samples.ts';
import {
  found,
  startCloudApp,
  startCloudStorage,
  workerOf,
  type CloudApp,
  type CloudStorage,
} from './cloud-fn-fixture.ts';
import {
  addressOf,
  DEVICE,
  makeLink,
  makeWorld,
  online,
  startHub,
  type TestLink,
  type World,
} from '../hub/hub-fixture.ts';

const LONG_MS = 600_000;
const SHORT_MS = 1_000;

let world: World;
let storage: CloudStorage;
let hub: RunningIotHub;
let house: TestLink;
let app: CloudApp;
let log = '';
const worker = () => workerOf(storage);

const startApp = (waitMs: number, workerEntry?: string) =>
  startCloudApp(world, {
    storage,
    waitMs,
    ...(workerEntry === undefined ? {} : { workerEntry }),
    hubConnection: hub.serviceConnectionString,
    onLog: (line) => (log += line),
  });

before(async () => {
  world = await makeWorld();
  storage = await startCloudStorage(world);
  hub = await startHub(world);
  house = makeLink(world, addressOf(hub));
  await house.start();
  await online(house);
  app = await startApp(LONG_MS);
});
after(async () => {
  await app?.stop();
  await house?.stop();
  await hub?.stop();
  await storage?.stop();
  world?.remove();
});

let clips = 0;
/** Uploads a clip. Its number is the end of its id. */
async function clip(): Promise<{ name: string; url: string; id: string; clipId: string }> {
  clips += 1;
  const clipId = `01JD3V7Q8ZK4M6N8P0R2S4T${String(clips).padStart(3, '0')}`;
  const name = `${DEVICE}/gate/2026/11/21/${clipId}.mp4`;
  const id = instanceIdOf(name);
  blobNames.set(id, `dacha-video/${name}`);
  return { name, clipId, url: await storage.putClip(name, 'clip'), id };
}
const blobNames = new Map<string, string>();
const answerTo = (
  instance_id: string,
  about: ProcessingResult['details'],
  more: Partial<ProcessingResult> = {},
) => {
  const blobName = blobNames.get(instance_id);
  return result(about, { instance_id, ...(blobName === undefined ? {} : { blobName }), ...more });
};
const heardBy = (messageId: string) =>
  found(`the house hears ${messageId}`, async () => {
    const message = house.stored.find((one) => one.messageId === messageId);
    return message && (JSON.parse(Buffer.from(message.body).toString('utf8')) as Verdict);
  });
const tagsOf = async (name: string) =>
  (await storage.blobs.getContainerClient('dacha-video').getBlobClient(name).getTags()).tags;

test('a person in a clip: verdict and picture beside it, a tag, a notification, and the house knows', async () => {
  const { name, url, id, clipId } = await clip();
  await storage.putFrame(`${name}/best.jpg`, 'picture');
  assert.equal(await app.announce(name, url), 202);
  const request = await worker().nextRequest();
  assert.equal(request.instance_id, id);
  assert.equal(request.blobName, `dacha-video/${name}`);
  assert.equal(request.blobUrl, url);
  const seen = details([detection('person')], { best_frame: { blobName: `${name}/best.jpg`, at_ms: 6000 } });
  await worker().answer(answerTo(id, seen));

  const output = await app.finished(id);
  assert.deepEqual([output.ok, output.decision, output.problems], [true, 'notified', []]);
  const verdict = await storage.verdictOf(name);
  assert.deepEqual(verdict, output.document);
  assert.deepEqual(await heardBy(`${clipId}.1`), verdict);
  assert.equal(verdict?.best_frame?.blobName, name.replace('.mp4', '.best.jpg'));
  const clipsContainer = storage.blobs.getContainerClient('dacha-video');
  assert.equal(
    (await clipsContainer.getBlobClient(name.replace('.mp4', '.best.jpg')).downloadToBuffer()).toString(),
    'picture',
  );
  assert.deepEqual(await tagsOf(name), { verdict: 'person', device_id: DEVICE, reviewed: 'false' });
  const told = await found('a notification', () => storage.take('notifications'));
  assert.match(Buffer.from(told, 'base64').toString('utf8'), /Помічено людину/);
});

test('a clip announced again and again, at once and after its end, is analysed once', async () => {
  const { name, url, id } = await clip();
  const announced = await Promise.all([1, 2, 3].map(() => app.announce(name, url)));
  assert.ok(announced.includes(202), announced.join());
  await worker().nextRequest();
  await worker().answer(answerTo(id, details([])));
  const output = await app.finished(id);
  assert.equal(output.decision, 'marked-safe');
  assert.equal(await app.announce(name, url), 202);
  const again = await fetch(`${app.base}/api/orchestrators/video_orchestrator?code=${app.functionKey}`, {
    method: 'POST',
    body: JSON.stringify({ blobURL: url, blobName: `dacha-video/${name}` }),
  });
  assert.equal(again.status, 202);
  assert.equal(((await again.json()) as { id: string }).id, id);
  assert.deepEqual(await app.finished(id), output);
  await worker().noRequest();
  assert.equal((await tagsOf(name))['verdict'], 'safe');
});

test('what is not a clip starts nothing', async () => {
  const { name, url } = await clip();
  assert.equal(await app.announce(name, url, { contentLength: 0 }), 202);
  assert.equal(await app.announce(name.replace('.mp4', '.verdict.json'), url), 202);
  assert.equal(await app.instance(instanceIdOf(name)), undefined);
});

test('a start by hand answers with the management payload; a bad body is refused in one sentence', async () => {
  const url = await storage.putClip('20250819-111832.avi', 'clip');
  const address = `${app.base}/api/orchestrators/video_orchestrator`;
  const post = (body: unknown, key = `?code=${app.functionKey}`) =>
    fetch(address + key, { method: 'POST', body: JSON.stringify(body) });
  assert.equal((await post({ blobURL: url, blobName: 'dacha-video/20250819-111832.avi' }, '')).status, 401);
  const refused = await post({ blobURL: url });
  assert.equal(refused.status, 400);
  assert.deepEqual(await refused.json(), {
    error: { code: 'bad-request', message: 'blobName is missing or not a text.' },
  });
  const started = await post({ blobURL: url, blobName: 'dacha-video/20250819-111832.avi' });
  assert.equal(started.status, 202);
  const links = (await started.json()) as Record<string, string>;
  for (const link of [
    'id',
    'statusQueryGetUri',
    'sendEventPostUri',
    'terminatePostUri',
    'purgeHistoryDeleteUri',
  ])
    assert.ok(links[link], link);
  const { instance_id, blobName } = await worker().nextRequest();
  await worker().answer(answerTo(instance_id, details([detection('dog')]), { blobName }));
  const output = await app.finished(links['id'] ?? '');
  assert.deepEqual([output.verdict, output.decision, output.device_told], ['animal', 'recorded', false]);
  assert.equal((await storage.verdictOf('20250819-111832.avi'))?.verdict, 'animal');
});

test('an answer is read whatever way the original worker wrote it, also while unreadable ones arrive', async () => {
  const { name, url, id } = await clip();
  await app.announce(name, url);
  const { instance_id } = await worker().nextRequest();
  await storage.send('video-processed', 'garbage!!');
  await storage.send('video-processed', '{"status":"PROCESSED"}');
  const { blobUrl, ...old } = answerTo(instance_id, details([detection('truck')]));
  await storage.send('video-processed', JSON.stringify({ ...old, blobURL: blobUrl }));
  assert.equal((await app.finished(id)).verdict, 'vehicle');
  const reasons = new Set<string>();
  await found('both unreadable messages are put aside', async () => {
    const text = await storage.take('video-processed-poison');
    if (text !== undefined) reasons.add((JSON.parse(text) as { reason: string }).reason);
    return reasons.has('bad-base64') && reasons.has('bad-contract');
  });
});

test('an answer for nobody is put aside after five deliveries, with the reason', async () => {
  await worker().answer(answerTo('nobody', details([])));
  const note = JSON.parse(await found('a note', () => storage.take('video-processed-poison'))) as {
    reason: string;
  };
  assert.equal(note.reason, 'unknown-instance');
});

test('a failed analysis is told, stored as undecided, and the house hears why', async () => {
  const { name, url, id, clipId } = await clip();
  await app.announce(name, url);
  await worker().nextRequest();
  const why = { error: { code: 'bad-video', message: 'the file cannot be decoded' } };
  await worker().answer(answerTo(id, why, { status: 'FAILED' }));
  const output = await app.finished(id);
  assert.deepEqual([output.ok, output.verdict, output.decision], [false, 'undecided', 'failed']);
  assert.match((await heardBy(`${clipId}.1`)).reason, /cannot be decoded/);
  const told = await found('a notification', () => storage.take('notifications'));
  assert.match(Buffer.from(told, 'base64').toString('utf8'), /analysis-failed/);
});

test('a host killed while it waits goes on where it was', async () => {
  const { name, url, id } = await clip();
  await app.announce(name, url);
  await worker().nextRequest();
  await app.at(id, 'waiting');
  await app.kill();
  await worker().answer(answerTo(id, details([detection('cat')])));
  app = await startApp(LONG_MS);
  assert.deepEqual((await app.finished(id)).verdict, 'animal');
  await worker().noRequest();
});

test('no answer in time is escalated; an answer that comes late becomes the second revision', async () => {
  await app.stop();
  app = await startApp(SHORT_MS);
  const { name, url, id, clipId } = await clip();
  await app.announce(name, url);
  await worker().nextRequest();
  const output = await app.finished(id);
  assert.deepEqual([output.ok, output.verdict, output.decision], [false, 'undecided', 'escalated']);
  assert.deepEqual(await heardBy(`${clipId}.1`), output.document);
  const told = await found('a notification', () => storage.take('notifications'));
  assert.match(Buffer.from(told, 'base64').toString('utf8'), /no-answer/);

  await worker().answer(answerTo(id, details([detection('dog')])));
  const second = await app.finished(`${id}-r2`);
  assert.deepEqual([second.ok, second.verdict, second.decision], [true, 'animal', 'recorded']);
  assert.equal((await heardBy(`${clipId}.2`)).verdict, 'animal');
  assert.deepEqual(
    [(await storage.verdictOf(name))?.revision, (await tagsOf(name))['verdict']],
    [2, 'animal'],
  );

  const unneeded = () => log.split('video-processed: not-needed').length - 1;
  const before = unneeded();
  await worker().answer(answerTo(id, details([detection('dog')])));
  await found('the same answer once more is read', async () => unneeded() > before);
  assert.equal(await app.instance(`${id}-r3`), undefined);
});

test('a clip whose orchestration was terminated ends in a verdict all the same, and its late answer counts', async () => {
  await app.stop();
  app = await startApp(LONG_MS);
  const { name, url, id, clipId } = await clip();
  await app.announce(name, url);
  await worker().nextRequest();
  await app.at(id, 'waiting');
  await app.terminate(id, 'by mistake');
  const first = await found('the keeper makes a verdict', () => storage.verdictOf(name));
  assert.deepEqual([first.verdict, first.decision, first.revision], ['undecided', 'failed', 1]);
  assert.match(first.reason, /terminated \(by mistake\)/);
  assert.deepEqual(await heardBy(`${clipId}.1`), first);
  const told = await found('a notification', () => storage.take('notifications'));
  assert.match(Buffer.from(told, 'base64').toString('utf8'), /analysis-failed/);

  await worker().answer(answerTo(id, details([detection('person')])));
  const second = await found('the late answer is judged', async () => {
    const verdict = await storage.verdictOf(name);
    return verdict?.revision === 2 && verdict;
  });
  assert.deepEqual([second.verdict, second.decision], ['person', 'notified']);
});

test('a worker that cannot be started is told with its own words, and nothing is asked of it', async () => {
  await app.stop();
  const entry = join(world.dir, 'worker.mjs');
  writeFileSync(entry, "process.stderr.write('worker: no weights\\n', () => process.exit(2));");
  app = await startApp(LONG_MS, entry);
  const { name, url, id } = await clip();
  await app.announce(name, url);
  const output = await app.finished(id);
  assert.deepEqual([output.ok, output.decision, output.stored], [false, 'failed', true]);
  assert.match(output.document?.reason ?? '', /start_container.*\(2\).*worker: no weights$/);
  assert.doesNotMatch(JSON.stringify(output), /\.ts:\d+/);
  await worker().noRequest();
});

test('a worker is started for a clip and ends with its host, also when the host is killed', async () => {
  await app.stop();
  const pidFile = join(world.dir, 'worker.pid');
  const entry = join(world.dir, 'worker.mjs');
  writeFileSync(
    entry,
    `import { writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
     process.on('disconnect', () => process.exit(0));
     process.send({ ready: true });`,
  );
  app = await startApp(LONG_MS, entry);
  const { name, url } = await clip();
  await app.announce(name, url);
  await worker().nextRequest();
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const lives = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  assert.equal(lives(), true);
  await app.kill();
  await found('the end of the worker', async () => !lives());
});

test('no secret of the storage account or the hub is in the log', () => {
  const key = /AccountKey=([^;]+)/.exec(storage.connectionString)?.[1] ?? 'none';
  const hubKey = /SharedAccessKey=([^;]+)/.exec(hub.serviceConnectionString)?.[1] ?? 'none';
  assert.ok(log.length > 0);
  assert.ok(!log.includes(key));
  assert.ok(!log.includes(hubKey));
});
