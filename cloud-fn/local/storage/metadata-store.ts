import type Sqlite from 'better-sqlite3';

/** The parts of a LokiJS database this file uses. LokiJS has no types of its own in Azurite's tree. */
export interface LokiDatabase {
  collections: LokiCollection[];
  isIncremental: boolean;
  autosaveDisable(): void;
  serialize(): string;
  loadJSONObject(shape: unknown): void;
  saveDatabase(callback?: (error?: Error | null) => void): void;
}
interface LokiCollection {
  readonly name: string;
  readonly maxId: number;
  dirty: boolean;
  dirtyIds: number[];
  isIncremental: boolean;
  get(id: number): object | null;
  ensureAllIndexes(force: boolean): void;
}
interface CollectionShape {
  name: string;
  maxId: number;
  data: unknown[];
}

/** Azurite's metadata in SQLite instead of in LokiJS's own files.
 *
 *  LokiJS writes its whole database every five seconds, so a killed Azurite forgets blobs and messages it has
 *  acknowledged. Here only the documents that changed are written, all databases in one transaction.
 *
 *  Invariants
 *  1. After `save()` returns, every change made so far is on disk (WAL, synchronous=FULL).
 *  2. A change is marked clean only after its transaction has committed; a failed save keeps it for the next.
 *  3. What is read back is what LokiJS would have read from its own file: JSON of the documents. */
export interface MetadataStore {
  /** Takes over the persistence of one database. Must be called before the database is first saved.
   *  @param name distinguishes the databases within the file */
  adopt(name: string, loki: LokiDatabase): void;
  save(): void;
}

/** Who wants to know what is stored in one collection. */
export interface DocumentWatch {
  readonly store: string;
  readonly collection: string;
  /** Called for every document inside the transaction that stores it: what it throws takes all of it back. JSON of
   *  the document as it was and as it is now; undefined: there is none. */
  changed(before: string | undefined, after: string | undefined): void;
  /** The transaction is on disk. */
  committed(): void;
}

export function createMetadataStore({
  db,
  watch,
}: {
  readonly db: Sqlite.Database;
  readonly watch?: DocumentWatch;
}): MetadataStore {
  db.exec(`
    CREATE TABLE IF NOT EXISTS documents (
      store TEXT NOT NULL, collection TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (store, collection, id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS collections (
      store TEXT NOT NULL, name TEXT NOT NULL, max_id INTEGER NOT NULL, PRIMARY KEY (store, name)) WITHOUT ROWID;
  `);
  const upsert = db.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM documents WHERE store = ? AND collection = ? AND id = ?');
  const setMaxId = db.prepare('INSERT OR REPLACE INTO collections VALUES (?, ?, ?)');
  const documents = db.prepare<[string, string], { body: string }>(
    'SELECT body FROM documents WHERE store = ? AND collection = ? ORDER BY id',
  );
  const stored = db
    .prepare<[string, string, number], string>(
      'SELECT body FROM documents WHERE store = ? AND collection = ? AND id = ?',
    )
    .pluck();
  const maxId = db.prepare<[string, string], { max_id: number }>(
    'SELECT max_id FROM collections WHERE store = ? AND name = ?',
  );
  const adopted = new Map<string, LokiDatabase>();

  const isDirty = () => [...adopted.values()].some((loki) => loki.collections.some((one) => one.dirty));

  const write = db.transaction(() => {
    for (const [store, loki] of adopted)
      for (const collection of loki.collections.filter((one) => one.dirty)) {
        const told = watch?.store === store && watch.collection === collection.name ? watch : undefined;
        const changes = [...new Set(collection.dirtyIds)].map((id) => {
          const document = collection.get(id);
          return { id, body: document === null ? undefined : JSON.stringify(document) };
        });
        // Removals first: a document that replaces another has an id of its own.
        for (const { id, body } of changes.toSorted((one, other) => rank(one) - rank(other))) {
          told?.changed(stored.get(store, collection.name, id), body);
          if (body === undefined) remove.run(store, collection.name, id);
          else upsert.run(store, collection.name, id, body);
        }
        setMaxId.run(store, collection.name, collection.maxId);
      }
  });

  const save = () => {
    if (!isDirty()) return;
    write.immediate();
    for (const loki of adopted.values())
      for (const collection of loki.collections) {
        collection.dirty = false;
        collection.dirtyIds = [];
      }
    watch?.committed();
  };

  /** Azurite has created its empty collections: give them the documents of the last run. */
  const fill = (store: string, loki: LokiDatabase) => {
    const shape = JSON.parse(loki.serialize()) as { collections: CollectionShape[] };
    for (const collection of shape.collections) {
      collection.data = documents.all(store, collection.name).map((row) => JSON.parse(row.body) as unknown);
      collection.maxId = maxId.get(store, collection.name)?.max_id ?? 0;
    }
    loki.loadJSONObject(shape);
    for (const collection of loki.collections) {
      collection.ensureAllIndexes(true);
      collection.isIncremental = true;
      collection.dirty = false;
      collection.dirtyIds = [];
    }
    adopted.set(store, loki);
  };

  return {
    save,
    adopt: (store, loki) => {
      loki.autosaveDisable();
      loki.isIncremental = true;
      let filled = false;
      loki.saveDatabase = (callback) => {
        try {
          if (!filled) fill(store, loki);
          filled = true;
          save();
          callback?.(null);
        } catch (error) {
          if (callback === undefined) throw error;
          callback(error as Error);
        }
      };
    },
  };
}

const rank = ({ body }: { readonly body: string | undefined }) => (body === undefined ? 0 : 1);
