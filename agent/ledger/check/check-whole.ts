import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import type { Database } from '../database/database.ts';
import { rowFindings } from '../database/row-checksum.ts';
import { totalsFindings } from '../clips/totals.ts';

/** A database up to this size is read within a few milliseconds, right here. */
const SMALL_BYTES = 2 * 1024 * 1024;

/** Rows that are not what was written are told one by one, up to so many. Those of clips are told with their clips. */
const ROWS_TOLD = 100;
const OF_NO_CLIP = ['custody', 'inbox', 'outbox', 'folded', 'folded_clips'] as const;

const LOOKS = {
  integrity: integrityFindings,
  totals: totalsFindings,
} as const satisfies Record<string, (db: Database) => string[]>;
type Look = keyof typeof LOOKS;

/** What can only be seen by reading the whole database in one call: SQLite's own check of it, and whether the totals
 *  are right. For a large ledger a thread does it.
 *  @returns one sentence for each problem
 *  @throws the error of SQLite or of the thread */
export async function wholeFindings(db: Database, look: Look): Promise<string[]> {
  const pages = db.pragma('page_count', { simple: true }) as number;
  const pageBytes = db.pragma('page_size', { simple: true }) as number;
  if (pages * pageBytes <= SMALL_BYTES) return LOOKS[look](db);
  const worker = new Worker(new URL(import.meta.url), { workerData: { look, file: db.name } });
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(new Error(`the thread that checks the ledger ended with ${code}`)));
  return promise;
}

function integrityFindings(db: Database): string[] {
  const broken = db.pragma('integrity_check') as { integrity_check: string }[];
  const dangling = db.pragma('foreign_key_check') as unknown[];
  return [
    ...broken.filter((row) => row.integrity_check !== 'ok').map((row) => `database: ${row.integrity_check}`),
    ...dangling.map(() => 'database: a line of custody belongs to no clip'),
    ...rowFindings(db, ROWS_TOLD, OF_NO_CLIP).map((problem) => `database: ${problem}`),
  ];
}

const order = workerData as { readonly look: Look; readonly file: string } | null;
if (!isMainThread && order && order.look in LOOKS) {
  const db = new Sqlite(order.file, { readonly: true });
  try {
    parentPort?.postMessage(LOOKS[order.look](db));
  } finally {
    db.close();
  }
}
