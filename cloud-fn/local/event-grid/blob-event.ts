import { randomUUID } from 'node:crypto';

/** A blob as a listing shows it. */
export interface SeenBlob {
  readonly name: string;
  readonly etag: string;
  readonly contentLength: number;
  readonly contentType: string;
  readonly lastModifiedMs: number;
}

/** `Microsoft.Storage.BlobCreated` in the Event Grid schema. */
export interface BlobCreatedEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: 'Microsoft.Storage.BlobCreated';
  /** ISO 8601. */
  readonly eventTime: string;
  readonly data: {
    readonly api: 'PutBlob' | 'PutBlockList';
    readonly clientRequestId: string;
    readonly requestId: string;
    readonly eTag: string;
    readonly contentType: string;
    readonly contentLength: number;
    readonly blobType: 'BlockBlob';
    readonly url: string;
    /** Orders the events of one blob: compare as text. */
    readonly sequencer: string;
    readonly storageDiagnostics: { readonly batchId: string };
  };
  readonly dataVersion: string;
  readonly metadataVersion: '1';
}

/** @param url address of the blob
 *  @param sequence grows with every event */
export function blobCreatedEvent(
  blob: SeenBlob,
  from: { readonly account: string; readonly container: string; readonly url: string },
  api: BlobCreatedEvent['data']['api'],
  sequence: number,
): BlobCreatedEvent {
  return {
    id: randomUUID(),
    topic: `/subscriptions/local/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/${from.account}`,
    subject: `/blobServices/default/containers/${from.container}/blobs/${blob.name}`,
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: new Date(blob.lastModifiedMs).toISOString(),
    data: {
      api,
      clientRequestId: randomUUID(),
      requestId: randomUUID(),
      eTag: blob.etag.replaceAll('"', ''),
      contentType: blob.contentType,
      contentLength: blob.contentLength,
      blobType: 'BlockBlob',
      url: from.url,
      sequencer: sequence.toString(16).padStart(32, '0'),
      storageDiagnostics: { batchId: randomUUID() },
    },
    dataVersion: '',
    metadataVersion: '1',
  };
}
