import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { askBlobName } from '@dachawatch/contracts';
import { instanceIdOfClip } from '../../../../cloud-fn/functions/clip-of-blob.ts';
import { clipOfEvent } from '../../../../cloud-fn/functions/clip-of-event.ts';
import { clipOfRequest } from '../../../../cloud-fn/functions/clip-of-request.ts';
import { analysisInput, BLOB_NAME } from '../orchestrators/clip-samples.ts';

const { clip } = analysisInput();
const event = (more: object = {}, data: object = {}) => ({
  id: '1',
  topic: '/subscriptions/s',
  subject: `/blobServices/default/containers/dacha-video/blobs/${BLOB_NAME}`,
  eventType: 'Microsoft.Storage.BlobCreated',
  data: { api: 'PutBlockList', contentLength: 1000, url: `${clip.blobUrl}?sig=secret`, eTag: '0x1', ...data },
  ...more,
});

test('a committed clip is read out of its event, without any signature', () => {
  assert.deepEqual(clipOfEvent(event()), { clip, asked: false });
});

test('a clip of one byte is a clip', () => {
  assert.deepEqual(clipOfEvent(event({}, { contentLength: 1 })), { clip, asked: false });
});

test('a name and a body just as long as they may be are read; a character more is too long', () => {
  const body = (chars: number) => {
    const blobName = 'x'.repeat(chars);
    return JSON.stringify({ blobName, blobURL: `https://s.test/dacha-video/${blobName}` });
  };
  assert.equal(clipOfRequest(body(1_024)).blobName.length, 'dacha-video/'.length + 1_024);
  assert.throws(() => clipOfRequest(body(1_025)), { message: /at most 1024/ });
  const padded = (chars: number) => body(10).padEnd(chars, ' ');
  assert.equal(clipOfRequest(padded(16_384)).blobName, `dacha-video/${'x'.repeat(10)}`);
  assert.throws(() => clipOfRequest(padded(16_385)), { message: /longer than 16384/ });
});

test('an event whose parts are of other types than they should be is ignored, also what refuses to be a text or a number', () => {
  const stubborn = { constructor: 1, toString: 2, valueOf: 3 };
  assert.equal(clipOfEvent(event({ subject: stubborn })), undefined);
  assert.equal(clipOfEvent(event({ eventType: stubborn })), undefined);
  for (const part of ['contentLength', 'url'])
    assert.equal(clipOfEvent(event({}, { [part]: stubborn })), undefined);
  assert.equal(clipOfEvent(event({ data: stubborn })), undefined);
});

test('the id of a blob that somebody else put there is made of its name, and stays', () => {
  const name = '20250819-111832.avi';
  const made = clipOfRequest(
    JSON.stringify({ blobName: name, blobURL: `https://s.test/dacha-video/${name}` }),
  );
  const digest = createHash('sha256').update(`dacha-video/${name}`).digest('hex');
  const bits = BigInt(`0x${digest}`).toString(2).padStart(256, '0').slice(0, 130);
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const expected = Array.from(
    { length: 26 },
    (_, n) => alphabet[Number(`0b${bits.slice(5 * n, 5 * n + 5)}`)],
  );
  assert.equal(made.clip_id, expected.join(''));
});

test('everything else in the account is ignored', () => {
  const subject = (name: string) => ({ subject: `/blobServices/default/containers/${name}` });
  for (const noise of [
    event({ eventType: 'Microsoft.Storage.BlobDeleted' }),
    event(subject(`detected-dacha-video/blobs/${BLOB_NAME}`)),
    event(subject('dacha-video/blobs/readme.txt')),
    event(subject(`dacha-video/blobs/${BLOB_NAME.replace('.mp4', '.verdict.json')}`)),
    event(subject(`dacha-video/blobs/${BLOB_NAME.replace('.mp4', '.best.jpg')}`)),
    event({}, { api: 'PutBlob', contentLength: 0 }),
    event({}, { contentLength: undefined }),
    event({}, { url: 'nonsense' }),
    event({ data: undefined }),
    {},
    null,
    'text',
  ])
    assert.equal(clipOfEvent(noise), undefined);
});

test('the instance is made of the name alone: the same for every etag and for a start by hand', () => {
  const expected = createHash('sha256').update(`dacha-video/${BLOB_NAME}`).digest('hex').slice(0, 32);
  assert.equal(instanceIdOfClip(clip), `clip-${expected}`);
  const byHand = clipOfRequest(JSON.stringify({ blobURL: clip.blobUrl, blobName: clip.blobName }));
  assert.deepEqual(byHand, clip);
});

test('a start by hand reads every spelling of the original system, with or without the container', () => {
  const name = '20250819-111832.avi';
  const url = `https://storage.test/dacha-video/${name}?sv=1&sig=secret`;
  for (const spelling of ['blobURL', 'blobUrl', 'bloburl', 'Url'])
    for (const blobName of [name, `dacha-video/${name}`]) {
      const foreign = clipOfRequest(JSON.stringify({ [spelling]: url, blobName }));
      assert.equal(foreign.blobName, `dacha-video/${name}`);
      assert.equal(foreign.blobUrl, `https://storage.test/dacha-video/${name}`);
      assert.match(foreign.clip_id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
      assert.equal(foreign.device_id, undefined);
    }
});

test('a bad body is refused with one sentence that says what is wrong', () => {
  const url = 'https://storage.test/dacha-video/a.mp4';
  for (const [body, sentence] of [
    ['', /must be a JSON object/],
    ['[]', /must be a JSON object/],
    ['{"blobName":"a.mp4"}', /^blobURL is missing/],
    [`{"blobURL":"${url}"}`, /^blobName is missing/],
    [`{"blobURL":"${url}","blobName":7}`, /^blobName is missing or not a text/],
    ['{"blobURL":"ftp://x/dacha-video/a.mp4","blobName":"a.mp4"}', /http or https/],
    [`{"blobURL":"${url}","blobName":"b.mp4"}`, /must be the address of the blob/],
    [`{"blobURL":"https://storage.test/other/a.mp4","blobName":"a.mp4"}`, /must be the address of the blob/],
    ['{"blobURL":"https://s/dacha-video/%E0%A4","blobName":"x"}', /not encoded/],
    [JSON.stringify({ blobURL: url, blobName: 'x'.repeat(2000) }), /at most 1024/],
    ['x'.repeat(20_000), /longer than/],
  ] as const)
    assert.throws(() => clipOfRequest(body), { name: 'BadRequest', message: sentence });
});

test('a committed clip is read out of a CloudEvent as well', () => {
  const { eventType, topic, ...rest } = event();
  const cloud = { ...rest, specversion: '1.0', type: eventType, source: topic, time: '2026-11-30T00:00:00Z' };
  assert.deepEqual(clipOfEvent(cloud), { clip, asked: false });
  assert.equal(clipOfEvent({ ...cloud, type: 'Microsoft.Storage.BlobDeleted' }), undefined);
});

test('what a house puts beside a clip to ask again is about that clip', () => {
  const asks = (name: string) =>
    clipOfEvent(
      event(
        { subject: `/blobServices/default/containers/dacha-video/blobs/${name}` },
        { contentLength: 2, url: `https://storage.test/dacha-video/${name}` },
      ),
    );
  assert.deepEqual(asks(askBlobName(BLOB_NAME)), { clip, asked: true });
  assert.equal(asks('house-1/gate/anything.ask.json'), undefined);
});

test('signs that mean something in addresses are kept when they are part of a name', () => {
  for (const part of ['gate #2', 'gate?2', '100%25', 'gate#2?x=1', 'über', 'a+b&c']) {
    const name = `house-1/${part}/2026/11/21/${clip.clip_id}.mp4`;
    const encoded = `https://storage.test/dacha-video/${name.split('/').map(encodeURIComponent).join('/')}`;
    for (const url of [`https://storage.test/dacha-video/${name}`, encoded, `${encoded}?sig=secret`]) {
      const found = clipOfEvent(
        event({ subject: `/blobServices/default/containers/dacha-video/blobs/${name}` }, { url }),
      );
      assert.deepEqual([found?.clip.blobName, found?.clip.blobUrl], [`dacha-video/${name}`, encoded]);
      assert.equal(decodeURIComponent(new URL(encoded).pathname), `/dacha-video/${name}`);
    }
    for (const url of [encoded, `${encoded}?sv=1&sig=secret`]) {
      const byHand = clipOfRequest(JSON.stringify({ blobURL: url, blobName: name }));
      assert.equal(byHand.blobUrl, encoded, part);
    }
  }
});

test('a name that no address or no queue can carry is refused', () => {
  for (const part of ['a\uD800', 'a\uFFFF', 'a\u0000']) {
    const name = `house-1/${part}/2026/11/21/${clip.clip_id}.mp4`;
    const subject = `/blobServices/default/containers/dacha-video/blobs/${name}`;
    assert.equal(clipOfEvent(event({ subject }, { url: `https://s.test/dacha-video/${name}` })), undefined);
  }
  for (const name of ['a\uFFFE.mp4', 'a\u0001.mp4', 'a\uD83D.mp4', 'a/../b.mp4', './b.mp4'])
    assert.throws(
      () => clipOfRequest(JSON.stringify({ blobURL: `https://s.test/dacha-video/${name}`, blobName: name })),
      { name: 'BadRequest', message: /no address can carry/ },
    );
});
