import { ticketBlobClientContract } from '../../fakes/ticket-blob-client-contract.ts';
import { createMemoryBlobStore } from '../../fakes/memory-blob-store.ts';

const { openBlob } = createMemoryBlobStore();
let blobs = 0;

ticketBlobClientContract('store', async () =>
  openBlob({
    correlationId: 'c',
    hostName: 'storage.invalid',
    containerName: 'dacha-video',
    blobName: `dacha-1/gate/${++blobs}.mp4`,
    sasToken: '?sig=fake',
  }),
);
