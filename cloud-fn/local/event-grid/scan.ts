import type { ContainerClient } from '@azure/storage-blob';
import { blobCreatedEvent, type SeenBlob } from './blob-event.ts';
import type { EventStore } from './event-store.ts';

const PAGE = 1000;

export interface ScanDeps {
  readonly container: ContainerClient;
  readonly store: EventStore;
  readonly nowMs: () => number;
}

/** Lists the container once and stores an event for every blob whose etag is new.
 *  @returns how many are new */
export async function scanContainer(
  { container, store, nowMs }: ScanDeps,
  signal: AbortSignal,
): Promise<number> {
  const scan = store.nextScan();
  let found = 0;
  for await (const page of container.listBlobsFlat({ abortSignal: signal }).byPage({ maxPageSize: PAGE })) {
    const blobs = page.segment.blobItems.map(
      ({ name, properties }): SeenBlob => ({
        name,
        etag: properties.etag.replaceAll('"', ''),
        contentLength: properties.contentLength ?? 0,
        contentType: properties.contentType ?? 'application/octet-stream',
        lastModifiedMs: properties.lastModified.getTime(),
      }),
    );
    let sequence = store.nextSequence();
    const seen = [];
    for (const blob of blobs) {
      if (!store.isNew(blob)) {
        seen.push({ blob });
        continue;
      }
      const api = await apiOf(container, blob.name, signal);
      const { accountName: account, containerName, url } = container;
      const from = { account, container: containerName, url: `${url}/${encodeURI(blob.name)}` };
      seen.push({ blob, event: blobCreatedEvent(blob, from, api, sequence) });
      sequence += 1;
      found += 1;
    }
    store.store(scan, seen, nowMs());
  }
  store.endScan(scan);
  return found;
}

/** How the blob was written: one that has committed blocks was not put in one piece. */
async function apiOf(container: ContainerClient, name: string, signal: AbortSignal) {
  try {
    const { committedBlocks } = await container
      .getBlockBlobClient(name)
      .getBlockList('committed', { abortSignal: signal });
    return (committedBlocks?.length ?? 0) > 0 ? 'PutBlockList' : 'PutBlob';
  } catch (error) {
    // Deleted since it was listed: that it was created is still true.
    if ((error as { statusCode?: number }).statusCode === 404) return 'PutBlob';
    throw error;
  }
}
