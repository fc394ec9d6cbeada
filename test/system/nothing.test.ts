import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { startStorage } from '../../cloud-fn/local/storage/storage.ts';
import { makeVideo } from '../fakes/media.ts';
import { createPlace, type Place } from './product.ts';

let place: Place;
before(() => {
  place = createPlace();
});
after(() => place?.close());

test('a video of any kind without a person ends in nothing, and its blob is marked safe', async () => {
  // Not H.264, not MP4, another size and rate: the camera makes a stream of it as of any video.
  const video = join(place.data, 'box.mkv');
  await makeVideo(video, { seconds: 20, fps: 12, width: 480, height: 272, fromS: 2, toS: 14 });
  const product = place.start([
    '--video',
    video,
    '--post-roll',
    '6',
    '--until-verdict',
    '--json',
    '--timeout',
    '600',
  ]);
  const { code, stdout, stderr } = await product.ended;
  assert.equal(code, 0, stderr);
  const clip = JSON.parse(stdout) as { verdict: string; decision: string; labels: string[]; blobUrl: string };
  assert.equal(clip.verdict, 'nothing');
  assert.equal(clip.decision, 'marked-safe');
  assert.ok(!clip.labels.includes('person'));

  const storage = await startStorage({
    dataDir: join(place.data, 'cloud/storage'),
    certificatesDir: join(place.data, 'cloud/certificates'),
  });
  try {
    tls.setDefaultCACertificates([
      ...tls.getCACertificates('default'),
      readFileSync(storage.ready.caFile, 'utf8'),
    ]);
    const container = BlobServiceClient.fromConnectionString(
      storage.ready.connectionString,
    ).getContainerClient('dacha-video');
    const blob = container.getBlobClient(new URL(clip.blobUrl).pathname.split('/dacha-video/')[1] ?? '');
    const { tags } = await blob.getTags();
    assert.deepEqual(tags, { verdict: 'safe', device_id: 'dacha-1', reviewed: 'false' });
    const { metadata } = await blob.getProperties();
    assert.equal(metadata?.['camera_id'], 'demo');
    assert.equal(metadata?.['schema'], 'dachawatch/clip-metadata/1');
  } finally {
    await storage.stop();
  }
});
