import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeQueueMessage, type ProcessingResult } from '@dachawatch/contracts';
import { LAST_DELIVERY, receiveResult } from '../../../../cloud-fn/functions/receive-result.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';
import { analysisInput, details, detection, result } from '../orchestrators/clip-samples.ts';
import { createFakeClient } from './fake-client.ts';

const answer = result(details([detection('person')]));
const ID = answer.instance_id;
const failed = result({ error: { code: 'bad-video', message: 'broken' } }, { status: 'FAILED' });

function scene() {
  const storage = createFakeStorage();
  const client = createFakeClient();
  client.set(ID, 'Running', { customStatus: { step: 'waiting' }, input: analysisInput() });
  const clock = { nowMs: () => Date.UTC(2026, 10, 21) };
  const receive = (entry: unknown, delivery = 1) =>
    receiveResult({ storage: storage.port, clock }, client, entry, delivery);
  const aside = () => storage.messages('video-processed-poison').map((text) => JSON.parse(text));
  return { storage, client, receive, aside };
}

const spelledOld = ({ blobUrl, ...rest }: ProcessingResult) => ({ ...rest, blobURL: blobUrl });
const readable: Readonly<Record<string, unknown>> = {
  'base64, as it should be': encodeQueueMessage(answer),
  'plain text': JSON.stringify(answer),
  'an object the runtime has parsed': answer,
  'JSON text inside JSON, old spelling': JSON.stringify(spelledOld(answer)),
  'base64 of JSON text inside JSON': Buffer.from(JSON.stringify(JSON.stringify(answer))).toString('base64'),
  'fields of a newer worker': { ...answer, mood: 'good', details: { ...answer.details, extra: 1 } },
  'raw bytes': Buffer.from(encodeQueueMessage(answer)),
};
for (const [title, entry] of Object.entries(readable))
  test(`read: ${title}`, async () => {
    const { storage, client, receive } = scene();
    assert.equal(await receive(entry), 'raised');
    assert.deepEqual(client.raised, [
      { instanceId: ID, event: 'PROCESSING_VIDEO_COMPLITED', payload: answer },
    ]);
    assert.deepEqual(storage.document(`dacha-instances/${ID}/result.json`), answer);
  });

test('read: a failure is an answer like any other', async () => {
  const { client, receive } = scene();
  assert.equal(await receive(encodeQueueMessage(failed)), 'raised');
  assert.deepEqual(client.raised[0]?.payload, failed);
});

const { instance_id: _, ...withoutInstance } = answer;
const unreadable: readonly (readonly [title: string, entry: unknown, reason: string])[] = [
  ['no instance_id', withoutInstance, 'bad-contract'],
  ['broken base64', 'eyJpbnN0YW5jZV9pZCI6!!', 'bad-base64'],
  ['base64 of something else', Buffer.from('hello').toString('base64'), 'bad-json'],
  ['a number', 7, 'bad-base64'],
  ['nothing', '', 'bad-base64'],
  ['half a message', '{"instance_id":', 'bad-json'],
  ['a status nobody knows', { ...answer, status: 'MAYBE' }, 'bad-contract'],
  [
    'an instance id that is an address',
    { ...answer, instance_id: '../orchestrators/x?y=' },
    'bad-instance-id',
  ],
];
for (const [title, entry, reason] of unreadable)
  test(`put aside with the reason, and completed: ${title}`, async () => {
    const { client, receive, aside } = scene();
    assert.equal(await receive(entry), 'put-aside');
    const [note] = aside();
    assert.equal(note.reason, reason);
    assert.equal(note.at, '2026-11-21T00:00:00.000Z');
    assert.equal(note.original, typeof entry === 'string' ? entry : JSON.stringify(entry));
    assert.ok(note.message.length > 10);
    assert.deepEqual([client.raised, client.started], [[], []]);
  });

test('a message nested deeper than any stack is put aside whole, with its reason', async () => {
  const { storage, receive, aside } = scene();
  const deep = `${'['.repeat(20_000)}1,"a"${']'.repeat(20_000)}`;
  for (const entry of [JSON.parse(deep) as unknown, deep, Buffer.from(deep).toString('base64')]) {
    const before = aside().length;
    assert.equal(await receive(entry), 'put-aside');
    const note = aside()[before];
    assert.equal(note.reason, 'bad-contract');
    const [container = '', ...name] = String(note.original_blob).split('/');
    const kept = await storage.port.readBlob({ container, name: name.join('/') }, 1_000_000);
    assert.ok(kept?.bytes.equals(Buffer.from(typeof entry === 'string' ? entry : deep)));
  }
  const object = `${'{"a":['.repeat(10_000)}${']}'.repeat(10_000)}`;
  assert.equal(await receive(JSON.parse(object)), 'put-aside');
});

test('a message that no queue can carry is kept whole in a blob', async () => {
  const { storage, receive, aside } = scene();
  const text = 'broken \uFFFE text';
  assert.equal(await receive(text), 'put-aside');
  const [container = '', ...name] = String(aside()[0].original_blob).split('/');
  const kept = await storage.port.readBlob({ container, name: name.join('/') }, 1_000);
  assert.equal(kept?.bytes.toString('utf8'), text);
});

test('a message too large to be quoted is kept whole in a blob', async () => {
  const { storage, receive, aside } = scene();
  await receive('x'.repeat(48_000));
  const [note] = aside();
  assert.ok(storage.names().includes(note.original_blob));
});

test('a message is quoted as long as it fits, and not with one byte more', async () => {
  const { receive, aside } = scene();
  // Its quotes count as bytes, too.
  for (const chars of [8_190, 8_191]) await receive('x'.repeat(chars));
  const [fits, doesNot] = aside();
  assert.equal(fits.original, 'x'.repeat(8_190));
  assert.deepEqual([fits.original_blob, doesNot.original], [undefined, undefined]);
});

test('an answer for nobody comes again until the last delivery, then it is put aside', async () => {
  const { client, receive, aside } = scene();
  const stray = { ...answer, instance_id: 'somebody-else' };
  for (let delivery = 1; delivery < LAST_DELIVERY; delivery += 1)
    await assert.rejects(receive(stray, delivery), /no orchestration somebody-else/);
  assert.deepEqual(aside(), []);
  assert.equal(await receive(stray, LAST_DELIVERY), 'put-aside');
  assert.equal(aside()[0].reason, 'unknown-instance');
  assert.deepEqual(client.raised, []);
});

test('the last delivery is the last one of host.json', () => {
  const host = JSON.parse(readFileSync(new URL('../../../../cloud-fn/host.json', import.meta.url), 'utf8'));
  assert.equal(host.extensions.queues.maxDequeueCount, LAST_DELIVERY);
  assert.equal(host.extensions.queues.messageEncoding, 'none');
});

test('an instance that has just stopped waiting gets the answer again, when it has finished', async () => {
  const { client, receive } = scene();
  client.set(ID, 'Running', { customStatus: { step: 'storing' } });
  await assert.rejects(receive(answer), /about to finish/);
  assert.deepEqual(client.raised, []);
});

test('to an instance that has not begun an event could be lost: the answer comes again, and is kept for it at last', async () => {
  const { storage, client, receive, aside } = scene();
  client.set(ID, 'Pending', { customStatus: null, input: analysisInput() });
  for (let delivery = 1; delivery < LAST_DELIVERY; delivery += 1)
    await assert.rejects(receive(answer, delivery), /has not begun/);
  assert.equal(await receive(answer, LAST_DELIVERY), 'kept');
  assert.deepEqual([client.raised, aside()], [[], []]);
  assert.deepEqual(storage.document(`dacha-instances/${ID}/result.json`), answer);
  assert.ok(storage.names().includes(`dacha-instances/open/${ID}.json`), 'the keeper looks after it');
  client.set(ID, 'Running', { customStatus: null, input: analysisInput() });
  assert.equal(await receive(answer), 'raised', 'one that runs and has not said its step has begun');
});

test('what the last delivery finds closing, or cannot raise, is kept for the keeper and not put aside', async () => {
  const { storage, client, receive, aside } = scene();
  client.set(ID, 'Running', { customStatus: { step: 'notifying' }, input: analysisInput() });
  assert.equal(await receive(answer, LAST_DELIVERY), 'kept');
  client.set(ID, 'Running', { customStatus: { step: 'waiting' }, input: analysisInput() });
  client.raiseEvent = () => Promise.reject(new Error('the runtime answered 500'));
  await assert.rejects(receive(answer), /500/);
  assert.equal(await receive(answer, LAST_DELIVERY), 'kept');
  assert.deepEqual(aside(), []);
  assert.ok(storage.names().includes(`dacha-instances/open/${ID}.json`));
});

test('an answer about another clip is put aside, and neither stored nor raised', async () => {
  const { storage, client, receive, aside } = scene();
  const other = { ...answer, blobName: 'dacha-video/house-2/gate/2026/11/21/01JD3V7Q8ZK4M6N8P0R2S4T6V9.mp4' };
  assert.equal(await receive(other), 'put-aside');
  assert.equal(aside()[0].reason, 'other-clip');
  assert.deepEqual(client.raised, []);
  assert.ok(!storage.names().some((name) => name.includes('/result')));
  const { blobName } = answer;
  assert.equal(await receive({ ...answer, blobName: blobName.replace('dacha-video/', '') }), 'raised');
});

test('texts that a queue cannot carry are cleaned before anything is stored or raised', async () => {
  const { storage, client, receive } = scene();
  const error = { code: 'bad\uFFFE', message: 'broken \uFFFF \u0001 \uD83D here, \u{1F600} fine' };
  assert.equal(await receive({ ...failed, details: { error } }), 'raised');
  const clean = { code: 'bad\uFFFD', message: 'broken \uFFFD \uFFFD \uFFFD here, \u{1F600} fine' };
  assert.deepEqual((client.raised[0]?.payload as ProcessingResult | undefined)?.details, { error: clean });
  const stored = storage.document(`dacha-instances/${ID}/result.json`) as ProcessingResult;
  assert.deepEqual(stored.details, { error: clean });
});

for (const [ended, output] of [
  ['Completed', { ok: false, decision: 'escalated', document: { revision: 1 } }],
  ['Completed', { ok: false, decision: 'failed', document: { revision: 1 } }],
  ['Failed', null],
  ['Terminated', 'an operator ended it'],
  ['Completed', { ok: true, decision: 'marked-safe', document: { revision: 1, verdict: 'nothing' } }],
] as const)
  test(`a late answer becomes a verdict, once: ${ended} ${(output as { decision?: string } | null)?.decision ?? ''}`, async () => {
    const { client, receive } = scene();
    client.set(ID, ended, { output, input: JSON.stringify(analysisInput()) });
    assert.equal(await receive(answer), 'judged-again');
    assert.equal(await receive(answer), 'judged-again');
    assert.deepEqual(client.started, [
      { instanceId: `${ID}-r2`, input: { ...analysisInput(), revision: 2, result: answer } },
    ]);
  });

test('a late answer changes nothing when a verdict was made, or when it says nothing itself', async () => {
  const { client, receive } = scene();
  client.set(ID, 'Completed', { output: { decision: 'notified' }, input: analysisInput() });
  assert.equal(await receive(answer), 'not-needed');
  client.set(ID, 'Completed', { output: { decision: 'escalated' }, input: analysisInput() });
  for (const empty of [failed, result({})]) assert.equal(await receive(empty), 'not-needed');
  assert.deepEqual(client.started, []);
});

test('a second answer that differs is kept beside the first', async () => {
  const { storage, receive } = scene();
  await receive(failed);
  await receive(answer);
  await receive(answer);
  assert.deepEqual(storage.document(`dacha-instances/${ID}/result.json`), failed);
  assert.equal(storage.names().filter((name) => name.startsWith(`dacha-instances/${ID}/result`)).length, 2);
});

test('an answer that cannot be stored raises nothing and comes again', async () => {
  const { storage, client, receive } = scene();
  storage.fail = () => {
    throw new Error('storage is down');
  };
  await assert.rejects(receive(answer), /storage is down/);
  assert.deepEqual(client.raised, []);
});
