import { existsSync, lstatSync, statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { claimFolder } from '../../kernel/folder-claim.ts';
import { replaceDurably } from '../../kernel/durable-file.ts';
import { readSmallText } from '../../kernel/regular-file.ts';
import { isClipId } from '../clips/clip-id.ts';
import { clipFilesIn } from '../check/clip-survey.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import {
  backupFile,
  clearPlaces,
  isSetAside,
  ledgerFile,
  rebuiltFile,
  rebuiltNote,
  removeDatabase,
  scratchFile,
  setDatabaseAside,
  swapDatabases,
} from '../database/database-files.ts';
import { type Examined, examineDatabase } from './examine.ts';
import { readGone } from '../disk/gone-lines.ts';
import { rebuildDatabase, REBUILT_FROM, UNVERIFIED } from './rebuild.ts';
import { soundRow } from './restored-row.ts';
import { createReads, type Reads } from './reads.ts';
import { openSalvage, type Row, type Salvage } from './salvage.ts';
import { hasClips, openTransplanted } from './transplant.ts';

/** What was found of a ledger's database before it is opened, and what was done about it.
 *  whole: nothing to do · mended: SQLite could · rebuilt: set aside, and begun anew from what could be read */
export type Finding =
  | { readonly state: 'whole' }
  | { readonly state: 'mended' | 'rebuilt'; readonly sentence: string };

/** So long after it a start tells again that the ledger was begun anew. */
export const NOTICE_HOURS = 24;

const NOTE_BYTES_MAX = 10_000;

export interface RestoreDeps {
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What is known of the database that is there. unknown: it is examined · crashes: to examine it has crashed the
   *  process, and what it gives is read one by one · unreadable: reading it one by one has crashed it, too, again and
   *  again; it is set aside unread */
  readonly known?: 'unknown' | 'crashes' | 'unreadable';
  readonly reads?: Reads;
  /** Told before what may take long. */
  readonly onStep?: (what: string) => void;
  /** Asked before the databases change places. */
  readonly isWanted: () => boolean;
}

/** Looks the database of a ledger over, for its owner, while it is not open. A damaged one is mended when only its
 *  indexes are wrong; otherwise it is set aside whole, and a new one takes its place (`rebuild.ts`). One that is gone,
 *  although there are clips or a backup, is begun anew in the same way.
 *  @throws Failure when it cannot be used and this cannot help (`examine.ts`), or when there is no room for a new one */
export async function restoreDatabase(deps: RestoreDeps): Promise<Finding> {
  const { dir } = deps;
  // A process that was looking it over when its parent was killed may still be at it.
  const claim = claimFolder(dir, 'ledger-care');
  if (!claim)
    throw new Failure('transient', 'ledger.in-use', `another process is looking over the ledger in ${dir}`);
  try {
    return await restore(deps);
  } finally {
    claim.release();
  }
}

async function restore(deps: RestoreDeps): Promise<Finding> {
  const { dir, clock, isWanted, known = 'unknown', reads = createReads(), onStep } = deps;
  const file = ledgerFile(dir);
  clearPlaces(dir);
  // A change of databases that was cut short has moved the old one already. Where there is one, nothing has been
  // moved: it is judged for itself, and what lies beside it is begun again.
  const isCut = !lstatSync(file, { throwIfNoEntry: false }) && isFromSetAside(dir);
  if (!isCut) clearRebuilt(dir);
  else {
    const folder = swapDatabases(dir, clock.nowMs());
    return { state: 'rebuilt', sentence: `the ledger was damaged and begun anew${wasSetAside(folder)}` };
  }
  const found: Examined =
    known === 'unknown'
      ? examineDatabase(file, { onStep })
      : { state: 'damaged', why: 'SQLite crashes when it reads it' };
  if (found.state === 'whole') return toldLately(dir, clock.nowMs()) ?? { state: 'whole' };
  const files = await clipsOnDisk(dir);
  const gone = readGone(dir).lines;
  if (found.state === 'none' && files.size === 0 && gone.size === 0 && !existsSync(backupFile(dir)))
    return { state: 'whole' };
  if (found.state === 'mendable' && mend(file))
    return {
      state: 'mended',
      sentence: `an index of the ledger was damaged (${found.why}) and was made again from the rows`,
    };

  const why =
    found.state === 'none'
      ? 'the ledger was missing'
      : `the ledger was damaged (${'why' in found ? found.why : ''})`;
  const damaged = found.state === 'none' || known === 'unreadable' ? [] : openDamaged(dir, reads);
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
  const folder = swapDatabases(dir, clock.nowMs(), known === 'unreadable');
  const parts = [
    `${result.clips} clips are in the new one`,
    ...(result.fromBackup > 0 ? [`${result.fromBackup} of them from the backup`] : []),
    ...(result.fromNotes > 0 ? [`${result.fromNotes} of them from the notes on clips without a file`] : []),
    ...(result.lost > 0 ? [`${result.lost} could not be read`] : []),
  ];
  const sentence = `${why}${wasSetAside(folder)}; ${parts.join(', ')}`;
  replaceDurably(rebuiltNote(dir), `${sentence}\n`);
  return { state: 'rebuilt', sentence };
}

/** Whether there is a rebuilt database, whole, made of one that was set aside. */
function isFromSetAside(dir: string): boolean {
  const file = rebuiltFile(dir);
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
  if (examineDatabase(file).state !== 'whole') return false;
  const rebuilt = openSalvage(file);
  try {
    const [source] = rebuilt?.values(`SELECT value FROM facts WHERE name = '${REBUILT_FROM}'`) ?? [];
    return source !== undefined && isSetAside(dir, Number(source));
  } finally {
    rebuilt?.close();
  }
}

/** A rebuilt database that never took its place is begun again. Any other one is somebody's: it is kept. */
function clearRebuilt(dir: string): void {
  const file = rebuiltFile(dir);
  const rebuilt = openSalvage(file);
  let isOurs: boolean;
  try {
    isOurs = rebuilt?.values(`SELECT value FROM facts WHERE name = '${UNVERIFIED}'`)[0] === 1;
  } finally {
    rebuilt?.close();
  }
  if (isOurs) removeDatabase(file);
  else setDatabaseAside(dir, file);
}

/** What a start that began the ledger anew said: a start soon after tells it again. */
function toldLately(dir: string, nowMs: number): Finding | undefined {
  const note = lstatSync(rebuiltNote(dir), { throwIfNoEntry: false });
  if (!note?.isFile() || note.size > NOTE_BYTES_MAX) return undefined;
  if (Math.abs(nowMs - note.mtimeMs) > NOTICE_HOURS * 60 * 60_000) return undefined;
  return { state: 'rebuilt', sentence: readSmallText(rebuiltNote(dir), NOTE_BYTES_MAX).trim() };
}

const wasSetAside = (folder: string | undefined) => (folder === undefined ? '' : `, set aside in ${folder}`);

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

/** Ids of the clips that have a file here, and their cameras. An empty folder is begun with an empty ledger. */
async function clipsOnDisk(dir: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const { clipId, cameraId } of clipFilesIn(dir))
    if (isClipId(clipId)) files.set(clipId, cameraId);
  return files;
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
