import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestFrameBlobName, clipBlobName, parseClipBlobName, verdictBlobName } from '@dachawatch/contracts';

const place = {
  deviceId: 'dacha-1',
  cameraId: 'gate',
  clipId: '01KAPZ8Y4M3VQ7T0C2N5R8X1DB',
  triggeredMs: Date.UTC(2026, 10, 21, 23, 59, 59),
};
const name = 'dacha-1/gate/2026/11/21/01KAPZ8Y4M3VQ7T0C2N5R8X1DB.mp4';

test('a clip has one name, made from device, camera, UTC day and clip id', () => {
  assert.equal(clipBlobName(place), name);
  assert.deepEqual(parseClipBlobName(name), {
    deviceId: 'dacha-1',
    cameraId: 'gate',
    clipId: '01KAPZ8Y4M3VQ7T0C2N5R8X1DB',
  });
});

test('the verdict and the best frame lie beside the clip, and are not taken for clips', () => {
  assert.equal(verdictBlobName(name), 'dacha-1/gate/2026/11/21/01KAPZ8Y4M3VQ7T0C2N5R8X1DB.verdict.json');
  assert.equal(parseClipBlobName(verdictBlobName(name)), undefined);
  assert.equal(parseClipBlobName(bestFrameBlobName(name)), undefined);
});
