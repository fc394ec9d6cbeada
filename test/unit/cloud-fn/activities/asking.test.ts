import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProcessingRequest } from '@dachawatch/contracts';
import { createFindResult } from '../../../../cloud-fn/activities/find-result.ts';
import { createSendProcessingRequest } from '../../../../cloud-fn/activities/send-processing-request.ts';
import { createStartContainer } from '../../../../cloud-fn/activities/start-container.ts';
import { worthOf } from '../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { createFakeCompute } from '../../../fakes/cloud/compute-port.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';
import { details, detection, result } from '../orchestrators/clip-samples.ts';

const request = {
  instance_id: 'clip-0123456789abcdef0123456789abcdef',
  blobUrl: 'https://storage.test/dacha-video/a.mp4',
  blobName: 'dacha-video/a.mp4',
  posted: '2026-11-21T12:00:00.000Z',
};

test('a request lies in the queue as base64 JSON; asked again it names the same instance', async () => {
  const storage = createFakeStorage();
  const send = createSendProcessingRequest({ storage: storage.port });
  await send(request);
  await send(request);
  const messages = storage.messages('video-to-processing');
  assert.deepEqual(messages.map(decodeProcessingRequest), [request, request]);
  assert.match(messages[0] ?? '', /^[A-Za-z0-9+/]+=*$/);
});

test('a request without an instance is refused before it is sent', async () => {
  const storage = createFakeStorage();
  const { instance_id: _, ...lost } = request;
  await assert.rejects(
    createSendProcessingRequest({ storage: storage.port })(lost as typeof request),
    /instance_id/,
  );
  assert.deepEqual(storage.messages('video-to-processing'), []);
});

test('a worker is asked for, and a second time it already runs', async () => {
  const compute = createFakeCompute();
  const start = createStartContainer({ compute: compute.port });
  assert.deepEqual([await start(), await start()], [{ worker: 'started' }, { worker: 'running' }]);
});

test('a stored answer is found; none is null', async () => {
  const storage = createFakeStorage();
  const find = createFindResult({ storage: storage.port, worthOf });
  const answer = result(details([detection('person')]));
  assert.equal(await find(answer), null);
  await storage.port.createBlob(
    { container: 'dacha-instances', name: `${answer.instance_id}/result.json` },
    { bytes: JSON.stringify(answer), contentType: 'application/json' },
  );
  assert.deepEqual(await find(answer), answer);
});

test('of several answers the one that says most is found, whichever analysis asked for it; one about another clip is none', async () => {
  const storage = createFakeStorage();
  const find = createFindResult({ storage: storage.port, worthOf });
  const failed = result({ error: { code: 'bad-video', message: 'broken' } }, { status: 'FAILED' });
  const { instance_id, blobName } = failed;
  const put = (name: string, answer: unknown) =>
    storage.port.writeBlob(
      { container: 'dacha-instances', name },
      { bytes: typeof answer === 'string' ? answer : JSON.stringify(answer), contentType: '' },
    );
  await put(`${instance_id}/result.json`, failed);
  await put(`${instance_id}/result-0123456789abcdef.json`, 'no answer');
  await put(`${instance_id}-r2/result.json`, result(details([detection('dog')])));
  await put(
    `${instance_id}-r3/result.json`,
    result(details([detection('person')]), { blobName: 'dacha-video/other.mp4' }),
  );
  const found = await find({ instance_id: `${instance_id}-r2`, blobName });
  assert.deepEqual(found, result(details([detection('dog')])));
  assert.deepEqual(await find({ instance_id, blobName }), found);
});
