import { randomUUID } from 'node:crypto';
import type Sqlite from 'better-sqlite3';

/** Changes kept. Who comes later than that lists the container. */
const KEPT = 100_000;
const TRIM_EVERY = 1_000;

/** Something happened to a blob. created: its content was written, also over an earlier one ·
 *  changed: its description was, like its metadata · deleted: it is gone. */
export interface BlobChange {
  readonly kind: 'created' | 'changed' | 'deleted';
  readonly name: string;
  readonly etag: string;
  readonly contentLength: number;
  readonly contentType: string;
  readonly lastModifiedMs: number;
  readonly api: 'PutBlob' | 'PutBlockList';
}

/** Where a reader stands: a log, and the number of the last change it has taken. */
export interface ChangeCursor {
  readonly feed: string;
  readonly seq: number;
}

export interface ChangePage {
  readonly cursor: ChangeCursor;
  readonly changes: readonly BlobChange[];
}

/** As Azurite keeps a blob, as far as it is read here. */
interface BlobDocument {
  readonly containerName: string;
  readonly name: string;
  readonly snapshot?: string;
  readonly isCommitted?: boolean;
  readonly persistency?: unknown;
  readonly committedBlocksInOrder?: readonly { readonly persistency?: unknown }[];
  readonly properties: {
    readonly etag?: string;
    readonly contentLength?: number;
    readonly contentType?: string;
    readonly lastModified?: string;
  };
}

export type BlobChanges = ReturnType<typeof createBlobChanges>;

/** A log of what happened to blobs, in the database that holds their metadata.
 *  Invariants
 *  1. A change is written in the transaction that stores the blob: both are on disk, or neither is.
 *  2. Numbers grow and are never given twice. The log's name changes with the folder: a cursor of another is unknown.
 *  3. The log is bounded: the oldest changes go. */
export function createBlobChanges({
  db,
  kept = KEPT,
}: {
  readonly db: Sqlite.Database;
  readonly kept?: number;
}) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS blob_changes (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, container TEXT NOT NULL, change TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS blob_changes_by_container ON blob_changes (container, seq);
    CREATE TABLE IF NOT EXISTS change_feed (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), feed TEXT NOT NULL);
  `);
  db.prepare('INSERT OR IGNORE INTO change_feed VALUES (1, ?)').run(randomUUID());
  const feed = db.prepare<[], string>('SELECT feed FROM change_feed').pluck().get() ?? '';
  const insert = db.prepare('INSERT INTO blob_changes (container, change) VALUES (?, ?)');
  const trim = db.prepare('DELETE FROM blob_changes WHERE seq <= ?');
  const ends = db.prepare<[], { first: number | null; last: number | null }>(
    'SELECT (SELECT min(seq) FROM blob_changes) AS first, (SELECT max(seq) FROM blob_changes) AS last',
  );
  const since = db.prepare<[string, number, number], { seq: number; change: string }>(
    'SELECT seq, change FROM blob_changes WHERE container = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const readers = new Set<() => void>();

  const end = (): ChangeCursor => ({ feed, seq: ends.get()?.last ?? 0 });

  return {
    /** Called for every document that is stored, inside its transaction. JSON; undefined: there is none. */
    changed(before: string | undefined, after: string | undefined): void {
      const old = visible(before);
      const now = visible(after);
      const kind = kindOf(old, now);
      const { containerName = '', name = '', properties, committedBlocksInOrder } = now ?? old ?? {};
      if (kind === undefined) return;
      const change: BlobChange = {
        kind,
        name,
        // As a listing shows it.
        etag: (properties?.etag ?? '').replaceAll('"', ''),
        contentLength: properties?.contentLength ?? 0,
        contentType: properties?.contentType ?? 'application/octet-stream',
        lastModifiedMs: new Date(properties?.lastModified ?? 0).getTime(),
        api: (committedBlocksInOrder?.length ?? 0) > 0 ? 'PutBlockList' : 'PutBlob',
      };
      const seq = Number(insert.run(containerName, JSON.stringify(change)).lastInsertRowid);
      if (seq % TRIM_EVERY === 0) trim.run(seq - kept);
    },
    /** The transaction is on disk: wakes who waits. */
    committed: () => {
      for (const wake of [...readers]) wake();
    },
    /** Calls `wake` after each commit. @returns how to end that */
    onCommit(wake: () => void): () => void {
      readers.add(wake);
      return () => void readers.delete(wake);
    },
    end,
    /** Changes of a container behind a cursor; undefined when the log does not go back that far, or is another. */
    since(container: string, cursor: ChangeCursor, limit: number): ChangePage | undefined {
      const { first, last } = ends.get() ?? { first: null, last: null };
      if (cursor.feed !== feed || cursor.seq > (last ?? 0) || cursor.seq < (first ?? 1) - 1) return undefined;
      const rows = since.all(container, cursor.seq, limit);
      const seq = rows.length === limit ? (rows.at(-1)?.seq ?? 0) : (last ?? 0);
      return {
        cursor: { feed, seq },
        changes: rows.map(({ change }) => JSON.parse(change) as BlobChange),
      };
    },
  };
}

/** The blob that a document shows to a reader: neither blocks that wait for their list nor a snapshot. */
function visible(body: string | undefined): BlobDocument | undefined {
  const document = body === undefined ? undefined : (JSON.parse(body) as BlobDocument);
  return document?.isCommitted === true && !document.snapshot ? document : undefined;
}

function kindOf(
  old: BlobDocument | undefined,
  now: BlobDocument | undefined,
): BlobChange['kind'] | undefined {
  if (!now) return old && 'deleted';
  if (!old || contentOf(old) !== contentOf(now)) return 'created';
  return old.properties.etag === now.properties.etag ? undefined : 'changed';
}

/** Where its bytes lie: other bytes lie elsewhere. */
const contentOf = ({ persistency, committedBlocksInOrder = [] }: BlobDocument): string =>
  JSON.stringify([persistency, committedBlocksInOrder.map((block) => block.persistency)]);
