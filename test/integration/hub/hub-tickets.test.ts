import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import tls from 'node:tls';
import { CONTAINER_CLIPS, type FileUploadTicket } from '@dachawatch/contracts';
import { AnonymousCredential, BlockBlobClient, newPipeline } from '@azure/storage-blob';
import { Failure } from '../../../agent/kernel/failure.ts';
import { startStorage } from '../../../cloud-fn/local/storage/storage.ts';
import {
  addressOf,
  DEVICE,
  makeLink,
  makeWorld,
  QUICK,
  startHub,
  type TestHub,
  type TestLink,
  type World,
} from './hub-fixture.ts';

const DONE = { isSuccess: true, statusCode: 201, statusDescription: 'uploaded' };

let world: World;
let storage: Awaited<ReturnType<typeof startStorage>>;
let hub: TestHub;
const links: TestLink[] = [];

before(async () => {
  world = await makeWorld();
  storage = await startStorage({ dataDir: join(world.dir, 'storage') });
  const { caFile } = storage.ready;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(caFile, 'utf8')]);
});
after(async () => {
  await storage.stop();
  world.remove();
});
beforeEach(async () => {
  hub = await startHub(world, {
    storageConnection: storage.ready.connectionString,
    container: CONTAINER_CLIPS,
    devices: [DEVICE, 'other'],
  });
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop();
  await hub.stop();
});

/** A link that is never started: tickets need no MQTT connection. */
function openTickets(
  ...[deps]: Parameters<typeof makeLink> extends [unknown, unknown, ...infer R] ? R : never
): TestLink {
  const made = makeLink(world, addressOf(hub), deps);
  links.push(made);
  return made;
}

const urlOf = ({ hostName, containerName, blobName, sasToken }: FileUploadTicket) =>
  `https://${hostName}/${containerName}/${blobName}${sasToken}`;

const blobAt = (url: string) =>
  new BlockBlobClient(url, newPipeline(new AnonymousCredential(), { retryOptions: { maxTries: 2 } }));

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Failure, `a Failure, not ${String(error)}`);
  return error;
}

test('a ticket opens one blob for reading and writing, and no other', async () => {
  const tickets = openTickets();
  const ticket = await tickets.requestTicket('yard/2026/11/21/clip.mp4');
  assert.equal(ticket.containerName, CONTAINER_CLIPS);
  assert.equal(ticket.blobName, `${DEVICE}/yard/2026/11/21/clip.mp4`);
  const blob = blobAt(urlOf(ticket));
  const id = Buffer.from('block-000000').toString('base64');
  await blob.stageBlock(id, 'clip', 4);
  assert.equal((await blob.getBlockList('uncommitted')).uncommittedBlocks?.length, 1);
  await blob.commitBlockList([id], { metadata: { sha256: 'abc' } });
  assert.equal((await blob.getProperties()).metadata?.['sha256'], 'abc');
  const elsewhere = blobAt(urlOf({ ...ticket, blobName: `${DEVICE}/yard/2026/11/21/another.mp4` }));
  await assert.rejects(elsewhere.upload('x', 1), { statusCode: 403 });
  await assert.rejects(blob.delete(), { statusCode: 403 });
  await tickets.returnTicket(ticket.correlationId, DONE);
});

test('a ticket that was given back is unknown, and that is final', async () => {
  const tickets = openTickets();
  const { correlationId } = await tickets.requestTicket('a.mp4');
  await tickets.returnTicket(correlationId, { ...DONE, statusDescription: 'hochgeladen, größer' });
  const failure = await failureOf(tickets.returnTicket(correlationId, DONE));
  assert.deepEqual([failure.kind, failure.code], ['rejected', 'hub.ticket.http-400']);
});

test('a device holds at most ten tickets; ours stop at eight, and a return makes room', async () => {
  const tickets = openTickets();
  const open = [];
  for (let n = 0; n < 8; n += 1) open.push(await tickets.requestTicket(`${n}.mp4`));
  const busy = await failureOf(tickets.requestTicket('8.mp4'));
  assert.deepEqual([busy.kind, busy.code], ['transient', 'hub.ticket.busy']);
  const restarted = openTickets();
  await restarted.requestTicket('8.mp4');
  await restarted.requestTicket('9.mp4');
  const full = await failureOf(restarted.requestTicket('10.mp4'));
  assert.deepEqual([full.kind, full.code], ['transient', 'hub.ticket.http-403']);
  await tickets.returnTicket(open[0]?.correlationId ?? '', DONE);
  await tickets.requestTicket('10.mp4');
});

test('tickets that a killed process left open are given back by the next one, before it asks for its own', async () => {
  const ticketsFile = join(world.dir, 'left-open.json');
  const left: string[] = [];
  // Each of them ends without giving anything back, five times as many as the device may hold.
  for (let process = 0; process < 7; process += 1) {
    const killed = openTickets({ ticketsFile });
    for (let n = 0; n < 7; n += 1)
      left.push((await killed.requestTicket(`${process}-${n}.mp4`)).correlationId);
    await killed.stop();
    links.splice(links.indexOf(killed), 1);
  }
  const tickets = openTickets({ ticketsFile });
  const mine = await tickets.requestTicket('mine.mp4');
  for (const id of left) assert.equal((await failureOf(tickets.returnTicket(id, DONE))).kind, 'rejected');
  await tickets.returnTicket(mine.correlationId, DONE);
  assert.deepEqual(JSON.parse(readFileSync(ticketsFile, 'utf8')), []);
});

test('tickets that cannot be given back at once are given back later; what the hub has forgotten is forgotten', async () => {
  const ticketsFile = join(world.dir, 'left-longer.json');
  const killed = openTickets({ ticketsFile });
  const { correlationId } = await killed.requestTicket('a.mp4');
  writeFileSync(ticketsFile, JSON.stringify(['never-heard-of', correlationId]));
  const tickets = openTickets({ ticketsFile });
  hub.faults.httpAnswer = { status: 503, body: '' };
  await failureOf(tickets.requestTicket('b.mp4'));
  assert.deepEqual(JSON.parse(readFileSync(ticketsFile, 'utf8')), ['never-heard-of', correlationId]);
  hub.faults.httpAnswer = null;
  const mine = await tickets.requestTicket('b.mp4');
  assert.deepEqual(JSON.parse(readFileSync(ticketsFile, 'utf8')), [mine.correlationId]);
  assert.equal((await failureOf(killed.returnTicket(correlationId, DONE))).kind, 'rejected');
});

test('a note of open tickets that is damaged or cannot be written keeps nobody from uploading', async () => {
  const garbage = join(world.dir, 'garbage.json');
  const folder = join(world.dir, 'folder.json');
  mkdirSync(folder);
  for (const ticketsFile of [garbage, folder])
    for (const text of ['', '{"a":1}', '[1, null, ""]', 'null', '["x"']) {
      if (ticketsFile === garbage) writeFileSync(ticketsFile, text);
      const tickets = openTickets({ ticketsFile });
      await tickets.returnTicket((await tickets.requestTicket('a.mp4')).correlationId, DONE);
    }
});

test('throttling and a failing hub are worth another try; the words of the hub are passed on', async () => {
  const tickets = openTickets();
  for (const status of [429, 500, 503]) {
    hub.faults.httpAnswer = { status, body: '{"Message":"ErrorCode:Busy;later"}' };
    const failure = await failureOf(tickets.requestTicket('a.mp4'));
    assert.deepEqual([failure.kind, failure.code], ['transient', `hub.ticket.http-${status}`]);
    assert.match(failure.message, /later/);
    const late = await failureOf(tickets.returnTicket('some-id', DONE));
    assert.deepEqual([late.kind, late.code], ['transient', `hub.ticket.http-${status}`]);
  }
  hub.faults.httpAnswer = null;
  await tickets.requestTicket('a.mp4');
});

test('a hub that asks to wait is heard, and what an earlier process left open is not asked for either', async () => {
  const ticketsFile = join(world.dir, 'left-while-busy.json');
  const killed = openTickets({ ticketsFile });
  const { correlationId } = await killed.requestTicket('a.mp4');
  for (const [headers, waitMs] of [
    [{ 'retry-after': '20' }, 20_000],
    [{ 'x-ms-retry-after-ms': '2500' }, 2_500],
  ] as const) {
    writeFileSync(ticketsFile, JSON.stringify([correlationId, 'another']));
    const tickets = openTickets({ ticketsFile });
    hub.faults.httpAnswer = { status: 429, body: '{"Message":"ErrorCode:ThrottlingException;"}', headers };
    // Both are awaited at once: either may fail first.
    const asked = [tickets.requestTicket('b.mp4'), tickets.returnTicket('some-id', DONE)];
    for (const failure of await Promise.all(asked.map(failureOf)))
      assert.deepEqual([failure.code, failure.retryAfterMs], ['hub.ticket.http-429', waitMs]);
    hub.faults.httpAnswer = null;
  }
});

test('an answer that is not what was asked for is an error, not a crash', async () => {
  const tickets = openTickets();
  for (const body of [
    '',
    '<html>log in first</html>',
    '{"correlationId":',
    '{"correlationId":"x"}',
    'null',
  ]) {
    hub.faults.httpAnswer = { status: 200, body };
    const { kind, code } = await failureOf(tickets.requestTicket('a.mp4'));
    assert.deepEqual([kind, code], ['transient', 'hub.ticket.answer']);
  }
});

test('what something on the way says condemns neither a clip nor a ticket', async () => {
  const tickets = openTickets();
  for (const status of [302, 307, 400, 405, 407, 413, 418, 451]) {
    hub.faults.httpAnswer = { status, body: '<html>log in first</html>' };
    assert.equal((await failureOf(tickets.requestTicket('a.mp4'))).kind, 'transient', String(status));
    assert.equal((await failureOf(tickets.returnTicket('some-id', DONE))).kind, 'transient', String(status));
  }
  hub.faults.httpAnswer = { status: 200, body: '<html>log in first</html>' };
  assert.equal((await failureOf(tickets.returnTicket('some-id', DONE))).kind, 'transient');
  hub.faults.httpAnswer = { status: 400, body: '{"Message":"ErrorCode:ArgumentInvalid;"}' };
  assert.equal((await failureOf(tickets.requestTicket('a.mp4'))).kind, 'rejected');
  hub.faults.httpAnswer = null;
});

test('a hub that does not answer is given up at the deadline, or when nobody waits any more', async () => {
  hub.faults.httpSilent = true;
  const tickets = openTickets({ timings: { ...QUICK, callMs: 300 } });
  assert.equal((await failureOf(tickets.requestTicket('a.mp4'))).code, 'hub.ticket.deadline');
  assert.equal((await failureOf(tickets.returnTicket('id', DONE))).code, 'hub.ticket.deadline');
  const patient = openTickets({ timings: { ...QUICK, callMs: 60_000 } });
  const given = new AbortController();
  const asked = failureOf(patient.requestTicket('a.mp4', given.signal));
  setImmediate(() => given.abort());
  assert.equal((await asked).code, 'hub.ticket.aborted');
});

test('an identity that is unknown or disabled does not condemn the clip', async () => {
  const tickets = openTickets();
  hub.devices.put({ deviceId: DEVICE, status: 'disabled' });
  assert.equal((await failureOf(tickets.requestTicket('a.mp4'))).kind, 'transient');
  hub.devices.remove(DEVICE);
  assert.equal((await failureOf(tickets.requestTicket('a.mp4'))).kind, 'transient');
});

test('a blob name that is not plain is refused before anybody is asked', async () => {
  const tickets = openTickets();
  for (const name of ['', 'дача/clip.mp4', 'a b.mp4', 'x'.repeat(901)]) {
    const failure = await failureOf(tickets.requestTicket(name));
    assert.deepEqual([failure.kind, failure.code], ['rejected', 'hub.ticket.blob-name']);
  }
});

test('a device cannot give back the ticket of another', async () => {
  const mine = await openTickets().requestTicket('a.mp4');
  const other = makeLink(world, addressOf(hub, 'other'));
  links.push(other);
  assert.equal((await failureOf(other.returnTicket(mine.correlationId, DONE))).kind, 'rejected');
  await openTickets().returnTicket(mine.correlationId, DONE);
});

test('no failure shows a token or a key', async () => {
  const tickets = openTickets();
  const { sasToken } = await tickets.requestTicket('a.mp4');
  assert.match(sasToken, /sp=rw/);
  hub.faults.httpAnswer = { status: 500, body: `{"Message":"ErrorCode:X;${sasToken}"}` };
  const { message } = await failureOf(tickets.requestTicket('b.mp4'));
  assert.doesNotMatch(message, /sig=[A-Za-z0-9%]/);
});
