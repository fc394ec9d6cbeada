import type Sqlite from 'better-sqlite3';

/** Of one commit: more would hold up what has to be served. */
const MOST = 64;

interface Work {
  run(): void;
  /** It is on disk, or was refused. */
  settle(): void;
  fail(error: Error): void;
}

/** Runs pieces of work that were handed over in one turn of the event loop in one transaction: each commit waits for the
 *  disk, and while it does nothing is served.
 *  @returns runs a synchronous piece of work. Resolves with its value once that is on disk. Rejects with its error, and
 *  then nothing of it is stored, and all of the others; or when the commit fails, and then nothing is stored */
export function createGroupCommit(db: Pick<Sqlite.Database, 'transaction' | 'inTransaction'>) {
  let waiting: Work[] = [];

  const inOne = db.transaction((batch: readonly Work[]) => {
    for (const work of batch) work.run();
  });
  const flush = () => {
    const batch = waiting.slice(0, MOST);
    waiting = waiting.slice(MOST);
    if (waiting.length > 0) setImmediate(flush);
    try {
      inOne(batch);
    } catch (error) {
      for (const work of batch) work.fail(error as Error);
      return;
    }
    for (const work of batch) work.settle();
  };

  return <T>(work: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      // Within the group this is a savepoint: what throws takes back only itself.
      const alone = db.transaction(work);
      let settle: () => void = () => undefined;
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({
        run() {
          try {
            const value = alone();
            settle = () => resolve(value);
          } catch (error) {
            // A full disk ends the whole transaction.
            if (!db.inTransaction) throw error;
            settle = () => reject(error);
          }
        },
        settle: () => settle(),
        fail: reject,
      });
    });
}
