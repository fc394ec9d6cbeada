import { DefaultAzureCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { patientCredential } from './patient-credential.ts';
import type { StorageSetting } from '../settings.ts';

export interface StorageAccount {
  readonly blobs: BlobServiceClient;
  readonly queues: QueueServiceClient;
}

/** One attempt is cut off and repeated; the caller's own deadline ends it all. */
const RETRY = {
  retryOptions: { maxTries: 3, tryTimeoutInMs: 30_000, retryDelayInMs: 500, maxRetryDelayInMs: 5000 },
};

/** The storage account, by connection string or by managed identity. Nothing is sent yet. */
export function openAccount(setting: StorageSetting): StorageAccount {
  if ('connectionString' in setting)
    return {
      blobs: BlobServiceClient.fromConnectionString(setting.connectionString, RETRY),
      queues: QueueServiceClient.fromConnectionString(setting.connectionString, RETRY),
    };
  const credential = patientCredential(new DefaultAzureCredential());
  return {
    blobs: new BlobServiceClient(setting.blobUrl, credential, RETRY),
    queues: new QueueServiceClient(setting.queueUrl, credential, RETRY),
  };
}

/** Makes a queue or a container that may be there. On Azure the deployment has made it, and our identity may make none:
 *  where storage refuses, it is taken to be there, and the first use says if it is not.
 *  @throws what storage says otherwise */
export async function makeIfAllowed(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 403) throw error;
  }
}
