import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { CONTAINER_CLIPS, QUEUE_TO_PROCESSING } from '@dachawatch/contracts';
import { startStorage } from '../../cloud-fn/local/storage/storage.ts';

const ROUNDS = 2;
let dataDir = '';

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dacha-storage-'));
});
after(() => rm(dataDir, { recursive: true, force: true }));

test('a kill right after the answer loses no blob, block list, tag, message or deletion', async () => {
  let storage = await startStorage({ dataDir });
  const trusted = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trusted, await readFile(storage.ready.caFile, 'utf8')]);
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const container = () =>
        BlobServiceClient.fromConnectionString(storage.ready.connectionString).getContainerClient(
          CONTAINER_CLIPS,
        );
      const queue = () =>
        QueueServiceClient.fromConnectionString(storage.ready.connectionString).getQueueClient(
          QUEUE_TO_PROCESSING,
        );
      const restart = async () => {
        await storage.kill();
        const { connectionString } = storage.ready;
        storage = await startStorage({ dataDir });
        assert.equal(storage.ready.connectionString, connectionString, 'the same ports and key');
      };
      const name = `house/yard/${round}.mp4`;
      const bytes = randomBytes(200_000);

      const block = container().getBlockBlobClient(name);
      const id = Buffer.from('block-0').toString('base64');
      await block.stageBlock(id, bytes, bytes.length);
      await restart();
      await container()
        .getBlockBlobClient(name)
        .commitBlockList([id], { metadata: { clip_id: `c${round}` } });
      await restart();
      const blob = container().getBlockBlobClient(name);
      assert.ok((await blob.downloadToBuffer()).equals(bytes));
      assert.equal((await blob.getProperties()).metadata?.['clip_id'], `c${round}`);

      await blob.setTags({ verdict: 'nothing' });
      await container()
        .getBlockBlobClient(`${name}.txt`)
        .upload('seen', 4, { conditions: { ifNoneMatch: '*' } });
      await restart();
      assert.deepEqual((await container().getBlockBlobClient(name).getTags()).tags, { verdict: 'nothing' });
      await assert.rejects(
        container()
          .getBlockBlobClient(`${name}.txt`)
          .upload('seen', 4, { conditions: { ifNoneMatch: '*' } }),
        { code: 'BlobAlreadyExists' },
      );

      await queue().sendMessage(`message ${round}`);
      await restart();
      const received = (await queue().receiveMessages({ visibilityTimeout: 600 })).receivedMessageItems[0];
      assert.equal(received?.messageText, `message ${round}`);
      await restart();
      assert.equal((await queue().receiveMessages()).receivedMessageItems.length, 0, 'still invisible');
      await queue().deleteMessage(received.messageId, received.popReceipt);
      await restart();
      assert.equal((await queue().getProperties()).approximateMessagesCount, 0);
      await container().deleteBlob(name);
      await restart();
      assert.equal(await container().getBlockBlobClient(name).exists(), false);
    }
  } finally {
    tls.setDefaultCACertificates(trusted);
    await storage.stop();
  }
});
