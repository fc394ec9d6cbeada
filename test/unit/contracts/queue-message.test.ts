import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  decodeProcessingRequest,
  decodeProcessingResult,
  encodeQueueMessage,
  type ProcessingRequest,
  QueueMessageError,
} from '@dachawatch/contracts';

const golden = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../contracts/examples', name), 'utf8'));
const request: ProcessingRequest = golden('processing-request.1.json');
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error instanceof QueueMessageError ? error.code : String(error);
  }
  return 'accepted';
};

test('what we write is base64, and reads back the same', () => {
  const text = encodeQueueMessage(request);
  assert.match(text, /^[A-Za-z0-9+/]+=*$/);
  assert.deepEqual(decodeProcessingRequest(text), request);
});

test('plain text and JSON inside a JSON string, as the original system sent them, are read', () => {
  assert.deepEqual(decodeProcessingRequest(JSON.stringify(request)), request);
  assert.deepEqual(decodeProcessingRequest(JSON.stringify(JSON.stringify(request))), request);
});

test('old spellings of blobUrl are read and never kept', () => {
  const { blobUrl, ...rest } = request;
  for (const spelling of ['blobURL', 'bloburl', 'Url'])
    assert.deepEqual(decodeProcessingRequest(base64({ ...rest, [spelling]: blobUrl })), request);
});

test('unknown fields of a newer writer are ignored, in the analysis too', () => {
  const result = golden('processing-result.1.json');
  const newer = {
    ...result,
    trace: 'abc',
    details: {
      ...result.details,
      schema_version: 2,
      tracks: [],
      frames: { ...result.details.frames, skipped: 3 },
    },
  };
  const read = decodeProcessingResult(base64(newer));
  assert.deepEqual(read, { ...result, details: { ...result.details, schema_version: 2 } });
});

test('the empty details of the original worker and an error are both results', () => {
  const result = golden('processing-result.1.json');
  assert.deepEqual(decodeProcessingResult(base64({ ...result, details: {} })).details, {});
  const error = { error: { code: 'decode.no-video', message: 'the file holds no video' } };
  assert.deepEqual(
    decodeProcessingResult(base64({ ...result, status: 'FAILED', details: error })).details,
    error,
  );
});

test('what cannot be read is refused with a code that names why', () => {
  const { instance_id: _gone, ...withoutInstance } = request;
  assert.equal(
    codeOf(() => decodeProcessingRequest(base64(withoutInstance))),
    'bad-contract',
  );
  assert.throws(() => decodeProcessingRequest(base64(withoutInstance)), /processing-request\/1.*instance_id/);
  assert.equal(
    codeOf(() => decodeProcessingRequest('%%% not base64 %%%')),
    'bad-base64',
  );
  assert.equal(
    codeOf(() => decodeProcessingRequest('')),
    'bad-base64',
  );
  assert.equal(
    codeOf(() => decodeProcessingRequest(Buffer.from('hello').toString('base64'))),
    'bad-json',
  );
  assert.equal(
    codeOf(() => decodeProcessingRequest(base64([1, 2]))),
    'bad-contract',
  );
  assert.equal(
    codeOf(() => decodeProcessingRequest(base64({ ...request, instance_id: '' }))),
    'bad-contract',
  );
});
