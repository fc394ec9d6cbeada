/** A blob by container and name. */
export interface BlobPlace {
  readonly container: string;
  readonly name: string;
}

export interface StoredBlob {
  readonly bytes: Buffer;
  readonly etag: string;
  /** Age by the storage server's own clock; ours does not matter. */
  readonly ageMs: number;
}

export interface ListedBlob {
  readonly name: string;
  /** Since it was last written, by the storage server's own clock. */
  readonly ageMs: number;
}

export interface ReceivedMessage {
  /** The same each time it is received. */
  readonly id: string;
  readonly receipt: string;
  readonly text: string;
}

export interface BlobContent {
  readonly bytes: Buffer | string;
  readonly contentType: string;
}

/** Blobs and queues as far as we need them. Containers and queues that do not exist yet are made on writing. */
export interface StoragePort {
  /** Atomic: of many callers exactly one gets true; the others leave the blob as it is. */
  createBlob(place: BlobPlace, content: BlobContent): Promise<boolean>;
  /** Replaces a blob only while its etag is still `ifMatch`. False: somebody else was faster. */
  replaceBlob(place: BlobPlace, content: BlobContent, ifMatch: string): Promise<boolean>;
  /** Writes whatever was there before. */
  writeBlob(place: BlobPlace, content: BlobContent): Promise<void>;
  /** Undefined: no such blob. @throws PortFailure rejected when it is larger than `maxBytes` */
  readBlob(place: BlobPlace, maxBytes: number): Promise<StoredBlob | undefined>;
  /** Whether there is such a blob, without reading it. */
  hasBlob(place: BlobPlace): Promise<boolean>;
  /** Blobs whose names begin so, in the order of their names, at most `most`; none when the container does not exist. */
  listBlobs(container: string, prefix: string, most: number): Promise<readonly ListedBlob[]>;
  /** Deletes a blob only while its etag is still `ifMatch`. False: somebody wrote it meanwhile, or it is gone. */
  deleteBlob(place: BlobPlace, ifMatch: string): Promise<boolean>;
  /** Undefined: no such blob. */
  readTags(place: BlobPlace): Promise<Record<string, string> | undefined>;
  /** Sets all index tags of a blob. False: no such blob. */
  writeTags(place: BlobPlace, tags: Readonly<Record<string, string>>): Promise<boolean>;
  /** Puts the text into a queue as it is. @param keep for ever instead of the queue's seven days */
  sendMessage(queue: string, text: string, keep?: 'for-ever'): Promise<void>;
  /** Messages of a queue, at most 32; none when it does not exist. Nobody else gets them for `hiddenS` seconds. */
  receiveMessages(queue: string, hiddenS: number): Promise<readonly ReceivedMessage[]>;
  /** False: it is gone, or somebody else has it now. */
  deleteMessage(queue: string, message: ReceivedMessage): Promise<boolean>;
}

/** Our own book-keeping, apart from clips and frames, so that neither their lifetime rules nor their readers meet
 *  it. What lies there: instance-places.ts. */
export const CONTAINER_INSTANCES = 'dacha-instances';

/** Largest document we ever read back: verdicts and results are a few kilobytes. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

export const json = (value: unknown): BlobContent => ({
  bytes: JSON.stringify(value),
  contentType: 'application/json',
});
