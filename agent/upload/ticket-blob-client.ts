import { createHash } from 'node:crypto';
import { AnonymousCredential, BlockBlobClient, newPipeline, RestError } from '@azure/storage-blob';
import type { ClipMetadata, FileUploadTicket } from '@dachawatch/contracts';
import { classify } from '../kernel/classify.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { retryAfterMs } from '../kernel/waiting/retry-after.ts';

/** What storage says about a blob without sending its bytes. */
export interface BlobProperties {
  readonly bytes: number;
  /** As its writer said, in the metadata. */
  readonly sha256: string | null;
  /** Kept beside the blob, in hexadecimal. Who commits blocks gives it; storage does not compute it. */
  readonly md5: string | null;
  /** It lies in the archive tier, or is on its way back from there: its bytes cannot be read. */
  readonly archived: boolean;
}

/** What a ticket lets us do with its one blob. What does not come from storage (a portal that wants a login, a proxy,
 *  a redirect) is a passing failure, whatever it says. */
export interface TicketBlobClient {
  /** Where the blob lies, without the ticket's signature. */
  readonly url: string;
  /** Undefined when storage says that there is no such blob. */
  head(signal: AbortSignal): Promise<BlobProperties | undefined>;
  /** Blocks staged and not committed: id to size. */
  stagedBlocks(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  /** Storage keeps the block only when its MD5 is the one we send with it. */
  stageBlock(id: string, body: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Makes the blob of the staged blocks, unless there is one already: nothing is ever overwritten.
   *  @param md5 of the whole content, to be kept beside it */
  commit(
    ids: readonly string[],
    metadata: ClipMetadata,
    md5: Uint8Array,
    signal: AbortSignal,
  ): Promise<'made' | 'was-there'>;
  /** Writes a small blob of our own, whatever was there before. Never a clip: those are committed. */
  write(body: Uint8Array, signal: AbortSignal): Promise<void>;
  /** SHA-256 of the bytes that storage really holds: reads all of them. Undefined when there is no such blob.
   *  @throws Failure `rejected` `upload.archived` when they cannot be read */
  contentSha256(signal: AbortSignal): Promise<string | undefined>;
  /** The bytes; undefined when there is no such blob.
   *  @throws Failure `rejected` when it is larger than `maxBytes`, or `upload.archived` */
  read(maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined>;
}

export interface BlobDeadlines {
  /** Longest that a request may take that carries no clip, milliseconds. */
  readonly requestMs: number;
  /** Longest that one block may take. 1 MiB in 3 minutes is 47 kbit/s. */
  readonly blockMs: number;
}

export type OpenBlob = (ticket: FileUploadTicket) => TicketBlobClient;

/** Read back in pieces of this size, each with a deadline of its own. */
const PIECE_BYTES = 1024 * 1024;

/** Storage never redirects: whoever does is something on the way, and gets neither clip nor ticket. The library's own
 *  retries are off: they come at once, whatever the answer asked for. */
const PIPELINE = { retryOptions: { maxTries: 1 }, redirectOptions: { maxRetries: 0 } };

/** Opens the blob of a ticket. Every call has a deadline of its own beside the caller's signal. A request that gets no
 *  answer is sent once more, because idle connections end; any answer counts, and a failure says how long it asked to
 *  wait.
 *  @param clock for answers that ask to wait until a date, and do not say what date it is */
// oxlint-disable-next-line max-lines-per-function -- one method for each request to storage, and what its answer means
export function createOpenBlob(
  { requestMs, blockMs }: BlobDeadlines,
  clock: Pick<Clock, 'nowMs'> = systemClock,
): OpenBlob {
  const { orAbsent, guarded } = createGuardedCalls(clock);
  return (ticket) => {
    const url = blobUrl(ticket);
    const query = ticket.sasToken.replace(/^\??/, '?');
    const client = new BlockBlobClient(url + query, newPipeline(new AnonymousCredential(), PIPELINE));
    const within = (signal: AbortSignal, ms: number) => ({
      abortSignal: AbortSignal.any([signal, AbortSignal.timeout(ms)]),
    });

    return {
      url,
      head: (signal) =>
        orAbsent('upload.head', async () => {
          const found = fromStorage(await client.getProperties(within(signal, requestMs)));
          return {
            bytes: sizeIn(found),
            sha256: found.metadata?.['sha256'] ?? null,
            md5: found.contentMD5 ? Buffer.from(found.contentMD5).toString('hex') : null,
            archived: found.accessTier === 'Archive',
          };
        }),
      async stagedBlocks(signal) {
        const list = await orAbsent('upload.block-list', async () =>
          fromStorage(await client.getBlockList('uncommitted', within(signal, requestMs))),
        );
        return new Map(list?.uncommittedBlocks?.map((block) => [block.name, block.size]));
      },
      stageBlock: (id, body, signal) =>
        guarded('upload.block', async () => {
          const md5 = createHash('md5').update(body).digest();
          const { contentMD5 } = fromStorage(
            await client.stageBlock(id, body, body.byteLength, {
              ...within(signal, blockMs),
              transactionalContentMD5: md5,
            }),
          );
          if (contentMD5 && !md5.equals(contentMD5))
            throw new Failure('transient', 'upload.block.echo', 'storage says that it got other bytes');
        }),
      commit: (ids, metadata, md5, signal) =>
        guarded('upload.commit', async () => {
          try {
            fromStorage(
              await client.commitBlockList([...ids], {
                ...within(signal, requestMs),
                metadata,
                blobHTTPHeaders: { blobContentType: 'video/mp4', blobContentMD5: md5 },
                conditions: { ifNoneMatch: '*' },
              }),
            );
            return 'made';
          } catch (error) {
            if (IS_THERE.has(storageCode(error) ?? '')) return 'was-there';
            throw error;
          }
        }),
      write: (body, signal) =>
        guarded('upload.write', async () => {
          fromStorage(
            await client.upload(body, body.byteLength, {
              ...within(signal, requestMs),
              blobHTTPHeaders: { blobContentType: 'application/json' },
            }),
          );
        }),
      contentSha256: (signal) =>
        orAbsent('upload.read-back', async () => {
          const found = fromStorage(await client.getProperties(within(signal, requestMs)));
          const { etag = '' } = found;
          const contentLength = sizeIn(found);
          const hash = createHash('sha256');
          for (let at = 0; at < contentLength; at += PIECE_BYTES) {
            const bytes = Math.min(PIECE_BYTES, contentLength - at);
            const piece = await client.download(at, bytes, {
              ...within(signal, blockMs),
              conditions: { ifMatch: etag },
            });
            for await (const part of fromStorage(piece).readableStreamBody ?? []) hash.update(part as Buffer);
          }
          return hash.digest('hex');
        }),
      read: (maxBytes, signal) =>
        orAbsent('upload.read', async () => {
          const answer = fromStorage(await client.download(0, undefined, within(signal, requestMs)));
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

/** Every answer of storage has both; a page that asks for a login has neither. */
function fromStorage<T extends { readonly requestId?: string; readonly version?: string }>(answer: T): T {
  if (answer.requestId && answer.version) return answer;
  throw notStorage('upload.not-storage', undefined);
}

/** Storage always says it; a proxy may have left it out. */
function sizeIn({ contentLength }: { readonly contentLength?: number }): number {
  if (contentLength !== undefined) return contentLength;
  throw new Failure('transient', 'upload.no-size', 'the answer does not say the size of the blob');
}

const notStorage = (code: string, cause: RestError | undefined, retryAfterMs?: number) =>
  new Failure(
    'transient',
    code,
    `something on the way answers instead of storage${cause?.statusCode ? ` (HTTP ${cause.statusCode})` : ''}: ` +
      'a page that asks for a login, or a proxy?',
    { cause, retryAfterMs },
  );

/** Storage's own code for what is wrong; undefined when the answer is not storage's, and when there was none. */
function storageCode(error: unknown): string | undefined {
  if (!(error instanceof RestError)) return undefined;
  const headers = error.response?.headers;
  if (!headers?.get('x-ms-request-id')) return undefined;
  return headers.get('x-ms-error-code') ?? error.code ?? 'no code';
}

const ARCHIVED = new Set(['BlobArchived', 'BlobBeingRehydrated']);

/** What storage says when nothing may be put under a name. */
const IS_THERE = new Set(['BlobAlreadyExists', 'ConditionNotMet', ...ARCHIVED]);

/** What storage says when the same request will never succeed. Everything else passes, or is a matter of the way to
 *  storage, the ticket or the account: nothing is wrong with the clip. */
const REFUSES_THE_CLIP = new Set([
  'InvalidResourceName',
  'InvalidMetadata',
  'EmptyMetadataKey',
  'MetadataTooLarge',
  'BlockListTooLong',
  'BlockCountExceedsLimit',
  'InvalidBlobType',
]);

/** Ways to ask storage. What it answers, or does not, becomes a `Failure`. */
function createGuardedCalls(clock: Pick<Clock, 'nowMs'>) {
  async function guarded<T>(code: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work().catch((error: unknown) => {
        if (hasNoAnswer(error)) return work();
        throw error;
      });
    } catch (error) {
      const failure = classify(error, code);
      if (!(error instanceof RestError)) throw failure;
      const storage = storageCode(error);
      if (ARCHIVED.has(storage ?? ''))
        throw new Failure(
          'rejected',
          'upload.archived',
          'the blob lies in the archive tier of storage, and its bytes cannot be read before its tier is changed',
          { cause: error },
        );
      const kind =
        failure.kind === 'exhausted' || failure.kind === 'transient'
          ? failure.kind
          : REFUSES_THE_CLIP.has(storage ?? '')
            ? 'rejected'
            : 'transient';
      const headers = error.response?.headers;
      const waitMs = headers && retryAfterMs((name) => headers.get(name), clock.nowMs());
      if (error.response && storage === undefined) throw notStorage(failure.code, error, waitMs);
      throw new Failure(kind, failure.code, `${firstLine(failure.message)} (${storage ?? 'no answer'})`, {
        cause: error,
        retryAfterMs: waitMs,
      });
    }
  }

  /** Undefined when storage says that this blob does not exist. A missing container is a failure: with it, everything
   *  would look as if it were gone. */
  const orAbsent = <T>(code: string, work: () => Promise<T>): Promise<T | undefined> =>
    guarded<T | undefined>(code, async () => {
      try {
        return await work();
      } catch (error) {
        if (storageCode(error) === 'BlobNotFound') return undefined;
        throw error;
      }
    });

  return { guarded, orAbsent };
}

const hasNoAnswer = (error: unknown) => error instanceof RestError && error.response === undefined;

/** Storage explains itself at length. */
const firstLine = (text: string) => (text.split('\n')[0] ?? '').slice(0, 300);
