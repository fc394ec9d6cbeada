/** What is done about a database that is not whole. Loaded only then: most of what a look at a database would cost is to
 *  load this. */
import { existsSync, statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import type { Clock } from '../../kernel/clock.ts';
import { replaceDurably } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import {
  backupFile,
  ledgerFile,
  rebuiltNote,
  scratchFile,
  swapDatabases,
  wasSetAside,
} from '../database/database-files.ts';
import { rowFindings } from '../database/row-checksum.ts';
import type { Examined } from './examine.ts';
import type { GoneLine } from '../disk/gone-lines.ts';
import type { Reads } from './reads.ts';
import { rebuildDatabase } from './rebuild.ts';
import { soundRow } from './restored-row.ts';
import { openSalvage, type Row, type Salvage } from './salvage.ts';
import { hasClips, openTransplanted } from './transplant.ts';

export interface Repaired {
  readonly state: 'mended' | 'rebuilt';
  readonly sentence: string;
}

export interface RepairDeps {
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly found: Exclude<Examined, { readonly state: 'whole' }>;
  /** Set aside unread. */
  readonly isUnreadable: boolean;
  /** Ids of the clips that have a file, and their cameras. */
  readonly files: ReadonlyMap<string, string>;
  /** What is noted of those that have none, by id. */
  readonly gone: ReadonlyMap<string, GoneLine>;
  readonly reads: Reads;
  readonly onStep: ((what: string) => void) | undefined;
  /** Asked before the databases change places. */
  readonly isWanted: () => boolean;
}

/** Mends a database of which only the indexes are wrong; sets any other aside, and begins it anew (`rebuild.ts`).
 *  @throws Failure when there is no room for a new one, or nobody waits for it any more */
export function repairDatabase(deps: RepairDeps): Repaired {
  const { dir, clock, found, isUnreadable, files, gone, reads, onStep, isWanted } = deps;
  const file = ledgerFile(dir);
  if (found.state === 'mendable' && mend(file))
    return {
      state: 'mended',
      sentence: `an index of the ledger was damaged (${found.why}) and was made again from the rows`,
    };

  const why =
    found.state === 'none'
      ? 'the ledger was missing'
      : `the ledger was damaged (${'why' in found ? found.why : ''})`;
  const damaged = found.state === 'none' || isUnreadable ? [] : openDamaged(dir, reads);
  onStep?.('filling the new ledger');
  const backup = openSalvage(backupFile(dir));
  let result: ReturnType<typeof rebuildDatabase>;
  try {
    result = rebuildDatabase({ dir, damaged, backup, gone, files, nowMs: clock.nowMs() });
  } finally {
    for (const one of damaged) one.close();
    backup?.close();
  }
  if (!isWanted())
    throw new Failure('transient', 'ledger.not-wanted', 'nobody waits for the ledger any more');
  const folder = swapDatabases(dir, clock.nowMs(), isUnreadable);
  const parts = [
    `${result.clips} clips are in the new one`,
    ...(result.fromBackup > 0 ? [`${result.fromBackup} of them from the backup`] : []),
    ...(result.fromNotes > 0 ? [`${result.fromNotes} of them from the notes on clips without a file`] : []),
    ...(result.doubted > 0
      ? [`of ${result.doubted} rows only the name was believed: their files and storage tell the rest`]
      : []),
    ...(result.lost > 0 ? [`${result.lost} could not be read`] : []),
    ...(result.lostLines > 0 ? [`${result.lostLines} lines of custody could not be read, and are gone`] : []),
    ...(result.lostMessages > 0
      ? [`${result.lostMessages} events and messages were not what was written, and are gone`]
      : []),
  ];
  const sentence = `${why}${wasSetAside(folder)}; ${parts.join(', ')}`;
  replaceDurably(rebuiltNote(dir), `${sentence}\n`);
  return { state: 'rebuilt', sentence };
}

/** The damaged database as it is, when its schema is what it should be and it gives clips; else with a first page that
 *  we know; else whatever it gives. */
function openDamaged(dir: string, reads: Reads): Salvage[] {
  const file = ledgerFile(dir);
  // A link that leads to itself does not exist for the system, either.
  if (!existsSync(file) || !statSync(file).isFile()) return [];
  const plain = openSalvage(file, reads);
  if (plain?.hasItsSchema && hasClips(plain)) return [plain];
  const transplanted = openTransplanted(file, scratchFile(dir), backupFile(dir), reads);
  return [transplanted, plain].filter((one) => one !== undefined);
}

/** Makes the indexes again from the rows; takes that back unless everything is in order then.
 *  @returns whether it is */
function mend(file: string): boolean {
  const db = new Sqlite(file);
  try {
    db.pragma('synchronous = FULL');
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec('REINDEX');
      const isWhole =
        db.pragma('integrity_check', { simple: true }) === 'ok' &&
        (db.pragma('foreign_key_check') as unknown[]).length === 0 &&
        rowFindings(db, 1).length === 0 &&
        rowsAreSound(db.prepare<[], ClipRow>('SELECT * FROM clips').iterate());
      db.exec(isWhole ? 'COMMIT' : 'ROLLBACK');
      return isWhole;
    } catch {
      // What SQLite cannot mend is begun anew.
      if (db.inTransaction) db.exec('ROLLBACK');
      return false;
    }
  } finally {
    db.close();
  }
}

/** What damaged an index may have damaged rows as well, of which SQLite knows nothing. */
function rowsAreSound(rows: Iterable<ClipRow>): boolean {
  for (const row of rows) {
    const raw: Row = { ...row };
    const { clip_id: clipId, camera_id: cameraId } = row;
    if (soundRow(raw, { clipId, cameraId }, { hasFile: false }).doubts.length > 0) return false;
  }
  return true;
}
