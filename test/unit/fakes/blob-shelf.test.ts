import { ticketBlobClientContract } from '../../fakes/ticket-blob-client-contract.ts';
import { createBlobShelf } from '../../fakes/blob-shelf.ts';

const { openBlob } = createBlobShelf();
let blobs = 0;

ticketBlobClientContract('shelf', async () =>
  openBlob({
    correlationId: 'c',
    hostName: 'storage.invalid',
    containerName: 'dacha-video',
    blobName: `dacha-1/gate/${++blobs}.mp4`,
    sasToken: '?sig=fake',
  }),
);
