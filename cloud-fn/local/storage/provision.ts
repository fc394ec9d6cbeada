import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  CONTAINER_CLIPS,
  CONTAINER_FRAMES,
  POISON_SUFFIX,
  QUEUE_PROCESSED,
  QUEUE_TO_PROCESSING,
} from '@dachawatch/contracts';

const QUEUES = [
  QUEUE_TO_PROCESSING,
  QUEUE_PROCESSED,
  `${QUEUE_TO_PROCESSING}${POISON_SUFFIX}`,
  `${QUEUE_PROCESSED}${POISON_SUFFIX}`,
  'notifications',
];

/** The containers and queues the product expects of its storage account. Those that exist are left alone. */
export async function provision(connectionString: string): Promise<void> {
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  for (const name of [CONTAINER_CLIPS, CONTAINER_FRAMES])
    await blobs.getContainerClient(name).createIfNotExists();
  for (const name of QUEUES) await queues.getQueueClient(name).createIfNotExists();
}
