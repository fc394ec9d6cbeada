import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
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
  assert.deepEqual(clipOfEvent(event()), clip);
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
