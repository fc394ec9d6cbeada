import { AnonymousCredential, BlockBlobClient, newPipeline, RestError } from '@azure/storage-blob';
import type { ClipMetadata, FileUploadTicket } from '@dachawatch/contracts';
import { classify } from '../kernel/classify.ts';
import { Failure } from '../kernel/failure.ts';

/** What a ticket lets us do with its one blob. */
export interface BlobDoor {
  /** Where the blob lies, without the ticket's signature. */
  readonly url: string;
  /** Size and SHA-256 metadata; undefined when there is no such blob. */
  head(signal: AbortSignal): Promise<{ readonly bytes: number; readonly sha256: string | null } | undefined>;
  /** Blocks staged and not committed: id to size. */
  stagedBlocks(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  stageBlock(id: string, body: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Makes the blob of the staged blocks, unless there is one already: nothing is ever overwritten. */
  commit(ids: readonly string[], metadata: ClipMetadata, signal: AbortSignal): Promise<'made' | 'was-there'>;
  /** The bytes; undefined when there is no such blob.
   *  @throws Failure `rejected` when it is larger than `maxBytes` */
  read(maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined>;
}

export interface BlobDeadlines {
  /** Longest that a request may take that carries no clip, milliseconds. */
  readonly requestMs: number;
  /** Longest that one block may take. 1 MiB in 3 minutes is 47 kbit/s. */
  readonly blockMs: number;
}

export type OpenBlob = (ticket: FileUploadTicket) => BlobDoor;

/** Opens the blob of a ticket. Every call has a deadline of its own beside the caller's signal. */
export function createOpenBlob({ requestMs, blockMs }: BlobDeadlines): OpenBlob {
  return (ticket) => {
    const url = blobUrl(ticket);
    const query = ticket.sasToken.replace(/^\??/, '?');
    const client = new BlockBlobClient(
      url + query,
      newPipeline(new AnonymousCredential(), {
        retryOptions: { maxTries: 2, retryDelayInMs: 500, maxRetryDelayInMs: 2_000 },
      }),
    );
    const within = (signal: AbortSignal, ms: number) => ({
      abortSignal: AbortSignal.any([signal, AbortSignal.timeout(ms)]),
    });

    return {
      url,
      head: (signal) =>
        orAbsent('upload.head', async () => {
          const found = await client.getProperties(within(signal, requestMs));
          return { bytes: found.contentLength ?? 0, sha256: found.metadata?.['sha256'] ?? null };
        }),
      async stagedBlocks(signal) {
        const list = await orAbsent('upload.block-list', () =>
          client.getBlockList('uncommitted', within(signal, requestMs)),
        );
        return new Map(list?.uncommittedBlocks?.map((block) => [block.name, block.size]));
      },
      stageBlock: (id, body, signal) =>
        throughDoor('upload.block', async () => {
          await client.stageBlock(id, body, body.byteLength, within(signal, blockMs));
        }),
      commit: (ids, metadata, signal) =>
        throughDoor('upload.commit', async () => {
          try {
            await client.commitBlockList([...ids], {
              ...within(signal, requestMs),
              metadata,
              blobHTTPHeaders: { blobContentType: 'video/mp4' },
              conditions: { ifNoneMatch: '*' },
            });
            return 'made';
          } catch (error) {
            if (storageCode(error) === 'BlobAlreadyExists' || storageCode(error) === 'ConditionNotMet')
              return 'was-there';
            throw error;
          }
        }),
      read: (maxBytes, signal) =>
        orAbsent('upload.read', async () => {
          const answer = await client.download(0, undefined, within(signal, requestMs));
          const parts: Buffer[] = [];
          let bytes = 0;
          for await (const part of answer.readableStreamBody ?? []) {
            parts.push(part as Buffer);
            bytes += (part as Buffer).length;
            if (bytes > maxBytes)
              throw new Failure(
                'rejected',
                'upload.read-size',
                `${ticket.blobName} is larger than ${maxBytes} bytes`,
              );
          }
          return Buffer.concat(parts);
        }),
    };
  };
}

/** Address of the ticket's blob. The host of the emulator carries the account as a path. */
function blobUrl({ hostName, containerName, blobName }: FileUploadTicket): string {
  const path = [containerName, ...blobName.split('/')].map(encodeURIComponent).join('/');
  return `https://${hostName.replace(/\/+$/, '')}/${path}`;
}

const storageCode = (error: unknown): string | undefined =>
  error instanceof RestError ? (error.response?.headers.get('x-ms-error-code') ?? error.code) : undefined;

/** Nothing is wrong with the clip when the container is missing, a lease is held, or staged blocks have expired. */
const PASSING_STATUS = new Set([404, 409, 412]);
const PASSING_CODES = new Set([
  'InvalidBlockList',
  'InvalidBlobOrBlock',
  'Md5Mismatch',
  'InvalidHeaderValue',
]);

async function throughDoor<T>(code: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = classify(error, code);
    const storage = storageCode(error);
    const passes =
      error instanceof RestError &&
      (PASSING_STATUS.has(error.statusCode ?? 0) || PASSING_CODES.has(storage ?? ''));
    if (failure.kind !== 'rejected' || !passes) throw failure;
    throw new Failure('transient', failure.code, `${failure.message} (${storage ?? 'no code'})`, {
      cause: error,
    });
  }
}

/** Undefined when storage says that this blob does not exist. A missing container is a failure: with it, everything
 *  would look as if it were gone. */
const orAbsent = <T>(code: string, work: () => Promise<T>): Promise<T | undefined> =>
  throughDoor<T | undefined>(code, async () => {
    try {
      return await work();
    } catch (error) {
      if (storageCode(error) === 'BlobNotFound') return undefined;
      throw error;
    }
  });
