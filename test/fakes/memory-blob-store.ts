import { createHash } from 'node:crypto';
import type { ClipMetadata } from '@dachawatch/contracts';
import { Failure } from '../../agent/kernel/failure.ts';
import type { TicketBlobClient, OpenBlob } from '../../agent/upload/ticket-blob-client.ts';

interface StoredBlob {
  readonly body: Buffer;
  readonly sha256: string | null;
  readonly md5: string | null;
  readonly archived: boolean;
}

type Call = 'head' | 'list' | 'stage' | 'commit' | 'write' | 'read-back' | 'read';

/** Blob storage in memory, with the same interface as the real one (ticket-blob-client-contract.ts). */
export interface MemoryBlobStore {
  readonly openBlob: OpenBlob;
  /** By full blob name. */
  readonly blobs: Map<string, StoredBlob>;
  /** Calls in order: `stage <blob name>`. */
  readonly calls: readonly string[];
  /** Called first in every call: throw or wait in it to be bad storage. */
  fault: ((call: Call, blobName: string, signal: AbortSignal) => void | Promise<void>) | undefined;
  /** Without a hash of the content, as an older version committed. */
  put(blobName: string, body: Buffer | string, sha256?: string): void;
  /** Moves a blob to the archive tier, or back: its properties can be read there, its bytes cannot. */
  archive(blobName: string, archived: boolean): void;
  /** Loses what was staged. */
  forget(blobName: string): void;
  /** As if an earlier process had staged it. */
  stage(blobName: string, id: string, body: Buffer): void;
}

export function createMemoryBlobStore(): MemoryBlobStore {
  const blobs = new Map<string, StoredBlob>();
  const staged = new Map<string, Map<string, Buffer>>();
  const calls: string[] = [];

  const openBlob: OpenBlob = (ticket): TicketBlobClient => {
    const name = ticket.blobName;
    const enter = async (call: Call, signal: AbortSignal) => {
      signal.throwIfAborted();
      calls.push(`${call} ${name}`);
      await store.fault?.(call, name, signal);
    };
    const blocks = () => staged.get(name) ?? new Map<string, Buffer>();
    const readable = () => {
      const blob = blobs.get(name);
      if (blob?.archived)
        throw new Failure('rejected', 'upload.archived', `${name} lies in the archive tier`);
      return blob;
    };
    return {
      url: `https://${ticket.hostName}/${ticket.containerName}/${name}`,
      async head(signal) {
        await enter('head', signal);
        const blob = blobs.get(name);
        return (
          blob && { bytes: blob.body.length, sha256: blob.sha256, md5: blob.md5, archived: blob.archived }
        );
      },
      async stagedBlocks(signal) {
        await enter('list', signal);
        return new Map([...blocks()].map(([id, body]) => [id, body.length]));
      },
      async stageBlock(id, body, signal) {
        await enter('stage', signal);
        staged.set(name, blocks().set(id, Buffer.from(body)));
      },
      async commit(ids, metadata: ClipMetadata, md5, signal) {
        await enter('commit', signal);
        if (blobs.has(name)) return 'was-there';
        const parts = ids.map((id) => blocks().get(id));
        if (parts.includes(undefined))
          throw new Failure(
            'transient',
            'upload.commit.http-400',
            'InvalidBlockList: a block was not staged',
          );
        const body = Buffer.concat(parts.filter((part) => part !== undefined));
        blobs.set(name, {
          body,
          sha256: metadata.sha256,
          md5: Buffer.from(md5).toString('hex'),
          archived: false,
        });
        staged.delete(name);
        return 'made';
      },
      async write(body, signal) {
        await enter('write', signal);
        blobs.set(name, { body: Buffer.from(body), sha256: null, md5: null, archived: false });
      },
      async contentSha256(signal) {
        await enter('read-back', signal);
        const blob = readable();
        return blob && createHash('sha256').update(blob.body).digest('hex');
      },
      async read(maxBytes, signal) {
        await enter('read', signal);
        const body = readable()?.body;
        if (body && body.length > maxBytes)
          throw new Failure('rejected', 'upload.read-size', `${name} is larger than ${maxBytes} bytes`);
        return body;
      },
    };
  };
  const store: MemoryBlobStore = {
    openBlob,
    blobs,
    calls,
    fault: undefined,
    put: (blobName, body, sha256) =>
      void blobs.set(blobName, {
        body: Buffer.from(body),
        sha256: sha256 ?? null,
        md5: null,
        archived: false,
      }),
    forget: (blobName) => void staged.delete(blobName),
    archive(blobName, archived) {
      const blob = blobs.get(blobName);
      if (blob) blobs.set(blobName, { ...blob, archived });
    },
    stage: (blobName, id, body) =>
      void staged.set(blobName, (staged.get(blobName) ?? new Map<string, Buffer>()).set(id, body)),
  };
  return store;
}
