import { existsSync, lstatSync } from 'node:fs';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { claimFolder } from '../../kernel/files/folder-claim.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';
import { clipFilesIn } from '../check/clip-survey.ts';
import {
  backupFile,
  clearPlaces,
  isSetAside,
  ledgerFile,
  rebuiltFile,
  rebuiltNote,
  removeDatabase,
  setDatabaseAside,
  swapDatabases,
  wasSetAside,
} from '../database/database-files.ts';
import { openDatabase, openToLook, schemaVersion } from '../database/database.ts';
import { SCHEMA_VERSION } from '../database/migrations.ts';
import { type Examined, examineDatabase } from './examine.ts';
import { readGone } from '../disk/gone-lines.ts';
import { REBUILT_FROM, UNVERIFIED } from './rebuilt-facts.ts';
import type { Repaired } from './repair.ts';
import { createReads, type Reads } from './reads.ts';
import { openSalvage } from './salvage.ts';
import { isOwnClipId } from '../clips/clip-id.ts';

/** What was found of a ledger's database before it is opened, and what was done about it.
 *  whole: nothing to do · mended: SQLite could · rebuilt: set aside, and begun anew from what could be read */
export type Finding = { readonly state: 'whole' } | Repaired;

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
  if (found.state === 'whole') {
    bringUp(dir);
    return toldLately(dir, clock.nowMs()) ?? { state: 'whole' };
  }
  const files = await clipsOnDisk(dir);
  const gone = readGone(dir).lines;
  if (found.state === 'none' && files.size === 0 && gone.size === 0 && !existsSync(backupFile(dir)))
    return { state: 'whole' };
  // Only now: to load it costs several times what the look at a whole database does.
  const { repairDatabase } = await import('./repair.ts');
  const isUnreadable = known === 'unreadable';
  return repairDatabase({ dir, clock, found, isUnreadable, files, gone, reads, onStep, isWanted });
}

/** Brings a ledger of an older version up to this one's: of a large one that takes seconds, which here hold nobody up. */
function bringUp(dir: string): void {
  const looked = openToLook(dir);
  const version = schemaVersion(looked);
  looked.close();
  if (version >= SCHEMA_VERSION) return;
  try {
    openDatabase(dir).close();
  } catch (error) {
    // The owner can pay for it with its reserve.
    if (!(error instanceof Failure) || error.kind !== 'exhausted') throw error;
  }
}

/** Ids of the clips that have a file here, and their cameras. An empty folder is begun with an empty ledger. */
async function clipsOnDisk(dir: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const { clipId, cameraId } of clipFilesIn(dir))
    if (isOwnClipId(clipId)) files.set(clipId, cameraId);
  return files;
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
