import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { CONTAINER_CLIPS, type FileUploadTicket } from '@dachawatch/contracts';
import type { UploadTickets } from '../../../../agent/hub/hub.ts';
import type { StorageReady } from '../../../../cloud-fn/local/storage/storage.ts';

export const DEVICE = 'bench';
const LIFE_MS = 3_600_000;

/** Hands out what IoT Hub would: signed tickets for one blob each, without a hub in between, whose cost is not what
 *  is measured. */
export function createSignedTickets({ accountName, connectionString, blobEndpoint }: StorageReady) {
  const key = /AccountKey=([^;]+)/.exec(connectionString)?.[1] ?? '';
  const credential = new StorageSharedKeyCredential(accountName, key);
  let issued = 0;
  const sign = (blobName: string) =>
    `?${generateBlobSASQueryParameters(
      {
        containerName: CONTAINER_CLIPS,
        blobName,
        permissions: BlobSASPermissions.parse('rw'),
        expiresOn: new Date(Date.now() + LIFE_MS),
      },
      credential,
    ).toString()}`;
  const tickets: UploadTickets = {
    requestTicket: (name): Promise<FileUploadTicket> => {
      const blobName = `${DEVICE}/${name}`;
      return Promise.resolve({
        correlationId: `ticket-${++issued}`,
        hostName: blobEndpoint.replace('https://', ''),
        containerName: CONTAINER_CLIPS,
        blobName,
        sasToken: sign(blobName),
      });
    },
    returnTicket: () => Promise.resolve(),
  };
  return {
    tickets,
    /** Address at which one PUT makes the blob. */
    putUrl: (blobName: string) => `${blobEndpoint}/${CONTAINER_CLIPS}/${blobName}${sign(blobName)}`,
  };
}
