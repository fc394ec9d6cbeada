import { closeSync, fsyncSync, lstatSync, openSync, renameSync } from 'node:fs';
import { clipBlobNameOnDevice } from '@dachawatch/contracts';
import Sqlite from 'better-sqlite3';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';
import { LAST_MS, timeOfClipId } from '../clips/clip-id.ts';
import { type Database, migrate } from '../database/database.ts';
import { buildingFile, ledgerFile, rebuiltFile, removeDatabase } from '../database/database-files.ts';
import type { GoneLine } from '../disk/gone-lines.ts';
import { MIGRATIONS } from '../database/migrations.ts';
import { inserter } from './inserter.ts';
import { takeFolded, takeMessages } from './rebuilt-messages.ts';
import { REBUILT_FROM, UNVERIFIED } from './rebuilt-facts.ts';
import { inOrder, newestOf, readHistory } from './restored-history.ts';
import { placeOf, soundRow, storageOf } from './restored-row.ts';
import { isAsWritten, type Key, type Row, type Salvage } from './salvage.ts';

/** Event of the line of custody of a clip whose row was taken over into a ledger begun anew. */
export const TAKEN_OVER = 'taken-over';

/** Where ids of clips stand beside the rows themselves: each index is a second witness. */
const ID_SOURCES = ['ASC', 'DESC'].flatMap((order) => [
  `SELECT clip_id FROM clips INDEXED BY clips_by_state ORDER BY state ${order}, clip_id ${order}`,
  `SELECT clip_id FROM custody INDEXED BY custody_by_clip ORDER BY clip_id ${order}`,
  `SELECT clip_id FROM custody NOT INDEXED ORDER BY seq ${order}`,
]);

/** The index knows the numbers of lines of custody whose pages cannot be read. */
const SEQ_SOURCES = ['ASC', 'DESC'].map(
  (order) => `SELECT seq FROM custody INDEXED BY custody_by_clip ORDER BY clip_id ${order}, seq ${order}`,
);

export interface Rebuilt {
  readonly clips: number;
  readonly fromBackup: number;
  /** From what was noted of clips without a file. */
  readonly fromNotes: number;
  /** Clips of which only an id and perhaps a history could be read. */
  readonly lost: number;
  /** Clips of which nothing but their names and their files is believed: their rows are not what was written. */
  readonly doubted: number;
  /** Lines of custody that are not what was written, or that only their index knows, and are in no backup. */
  readonly lostLines: number;
  /** Events for the hub, and messages of the cloud, that are not what was written. */
  readonly lostMessages: number;
}

export interface RebuildDeps {
  readonly dir: string;
  /** The damaged database, read in one way or several; none when there is nothing to read. */
  readonly damaged: readonly Salvage[];
  readonly backup: Salvage | undefined;
  /** What was noted of clips without a file since the backup (`gone-journal.ts`), by their ids. */
  readonly gone: ReadonlyMap<string, GoneLine>;
  /** Clip files on this disk: id and camera. */
  readonly files: ReadonlyMap<string, string>;
  readonly nowMs: number;
}

/** Writes a new database from what can be read of the damaged one and of the backup. It gets its name,
 *  `ledger.sqlite.rebuilt`, when it is whole on disk. Clip files without a row are taken up later (`adopt.ts`).
 *  Invariants
 *  1. A row that contradicts the rules of the schema, or itself, is put right or left out; it keeps no other one from
 *     being taken over.
 *  2. Of a clip that several know the newest row is taken: the damaged ledger's, unless a note on a clip without a file
 *     is younger than all its custody, then that of such a note, then the backup's.
 *  3. Every clip that is taken over has a line of custody that says from where. */
export function rebuildDatabase(deps: RebuildDeps): Rebuilt {
  const { dir } = deps;
  removeDatabase(buildingFile(dir));
  const db = new Sqlite(buildingFile(dir));
  let result: Rebuilt;
  try {
    // Nobody else reads it, and after a cut it is begun anew.
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    migrate(db, MIGRATIONS);
    result = db.transaction(() => fill(db, deps))();
    // Last: a rebuilt database without it is not used.
    const from = lstatSync(ledgerFile(dir), { throwIfNoEntry: false })?.ino;
    db.prepare('DELETE FROM facts WHERE name = ?').run(REBUILT_FROM);
    if (from !== undefined)
      db.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(REBUILT_FROM, from);
    const wrong = db.pragma('integrity_check', { simple: true });
    if (wrong !== 'ok')
      throw new Failure('transient', 'ledger.rebuild', `the new ledger is not whole: ${String(wrong)}`);
  } finally {
    db.close();
  }
  const fd = openSync(buildingFile(dir), 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(buildingFile(dir), rebuiltFile(dir));
  fsyncFolder(dir);
  return result;
}

function fill(db: Database, { damaged, backup, gone, files, nowMs }: RebuildDeps): Rebuilt {
  const sources = backup ? [...damaged, backup] : damaged;
  const ids = new Set<Key>([...files.keys(), ...gone.keys()]);
  for (const source of sources)
    for (const sql of ID_SOURCES) for (const id of source.values(sql)) ids.add(id);

  const linesOfDamaged = readHistory(damaged);
  const linesOfBackup = readHistory(backup ? [backup] : []);
  const lines = new Map([...linesOfBackup.lines, ...linesOfDamaged.lines]);
  const history = inOrder(lines);
  const known = new Set<Key>(linesOfDamaged.damaged);
  for (const one of damaged) for (const sql of SEQ_SOURCES) for (const seq of one.values(sql)) known.add(seq);
  const lostLines = [...known].filter((seq) => !lines.has(Number(seq))).length;
  const fromBackup = byClip((backup?.rows('clips', 'clip_id', ids) ?? []).filter(isClipAsWritten));
  const read = damaged.flatMap((one) => one.rows('clips', 'clip_id', [...ids, ...fromBackup.keys()]));
  const fromDamaged = read.filter(isClipAsWritten);

  const insertClip = inserter(db, 'clips');
  const insertCustody = inserter(db, 'custody');
  const note = db.prepare(
    `INSERT INTO custody (seq, clip_id, at_ms, event, state, detail)
     VALUES (:seq, :clip_id, :at_ms, :event, :state, :detail)`,
  );
  const isKnown = (clipId: string, cameraId: string) =>
    [files.get(clipId), gone.get(clipId)?.row['camera_id'], fromBackup.get(clipId)?.['camera_id']].includes(
      cameraId,
    );
  const notes = [...gone.values()];
  const storage = storageIn([...fromBackup.values(), ...fromDamaged, ...notes.map(({ row }) => row)]);

  const taken = new Map<string, { state: string; detail: string }>();
  const take = (raw: Row, where: string) => {
    const place = placeOf(raw, isKnown);
    if (!place || taken.has(place.clipId)) return false;
    const { row, doubts } = soundRow(raw, place, {
      other: fromBackup.get(place.clipId),
      storage,
      hasFile: files.get(place.clipId) === place.cameraId,
    });
    if (!insertClip(row)) return false;
    const without = doubts.length === 0 ? '' : `; not readable: ${doubts.join(', ')}`;
    taken.set(place.clipId, { state: String(row['state']), detail: `${where}${without}` });
    return true;
  };
  /** Of a row that is not what was written its name alone is taken, when there is a file of that name: as after a writer
   *  that died, the rest is found again in the file and in storage. */
  const takeName = (raw: Row) => {
    if (isClipAsWritten(raw)) return false;
    const place = placeOf(raw, isKnown);
    if (!place || files.get(place.clipId) !== place.cameraId || folded.has(place.clipId)) return false;
    const triggered_ms = Math.min(LAST_MS, timeOfClipId(place.clipId));
    const name = {
      clip_id: place.clipId,
      camera_id: place.cameraId,
      state: 'recording',
      clock_quality: 'unsynchronised',
      blob_name: clipBlobNameOnDevice({ ...place, triggeredMs: triggered_ms }),
      triggered_ms,
      ...NOTHING_KNOWN,
    };
    return take(name, 'its row was not what was written, and only its name was taken over');
  };
  const newestInBackup = newestOf(linesOfBackup.lines);
  const newestInDamaged = newestOf(linesOfDamaged.lines);
  const folded = takeFolded(db, damaged, backup);
  let fromNotes = 0;
  const takeNote = ({ seq, row }: GoneLine) => {
    const id = row.clip_id;
    const isNewest = seq > newestInBackup || !fromBackup.has(id);
    if (!isNewest || folded.has(id)) return;
    if (take(row, 'its row was damaged: taken from the notes on clips without a file')) fromNotes += 1;
  };
  // Rows may be older than the damage: SQLite passes over what follows a damaged place of the log.
  for (const note of notes) if (note.seq > newestInDamaged && !files.has(note.row.clip_id)) takeNote(note);
  for (const row of fromDamaged) take(row, 'taken over from the damaged ledger');
  for (const note of notes) takeNote(note);
  let restored = 0;
  for (const row of fromBackup.values())
    if (!folded.has(String(row['clip_id'])) && take(row, 'its row was damaged: taken over from the backup'))
      restored += 1;

  const doubted = read.filter((row) => takeName(row)).length;
  const lost = loseUnreadable(files, history, taken, (row) => insertClip(row));
  for (const line of history) if (taken.has(String(line['clip_id']))) insertCustody(line);
  // Above all there ever was, as far as anybody knows: a note is younger than a database with less.
  let seq = Math.max(newestInBackup, newestInDamaged, ...notes.map((line) => line.seq));
  for (const [clip_id, { state, detail }] of taken)
    note.run({ seq: ++seq, clip_id, at_ms: nowMs, event: TAKEN_OVER, state, detail });

  const lostMessages = takeMessages(db, damaged, backup);
  db.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, 1)').run(UNVERIFIED);
  return { clips: taken.size, fromBackup: restored, fromNotes, lost, doubted, lostLines, lostMessages };
}

const isClipAsWritten = (row: Row) => isAsWritten('clips', row);

/** The columns that a file and storage tell again. An attempt: storage is asked first. */
const NOTHING_KNOWN = {
  ...{ started_ms: null, sealed_ms: null, uploaded_ms: null, judged_ms: null, pre_roll_ms: null },
  ...{
    duration_ms: null,
    bytes: null,
    sha256: null,
    blob_url: null,
    attempt: 1,
    verdict: null,
    reason: null,
  },
  on_disk: 1,
} as const;

/** A clip that has a history, but neither a row nor a file: explained as well as can be. */
function loseUnreadable(
  files: ReadonlyMap<string, string>,
  history: readonly Row[],
  taken: Map<string, { state: string; detail: string }>,
  insert: (row: Row) => boolean,
): number {
  const last = new Map<string, Row>();
  const known = new Set<string>();
  for (const line of history) {
    const id = String(line['clip_id']);
    // One line alone may be that of another clip, with a damaged id.
    if (last.has(id)) known.add(id);
    last.set(id, line);
  }
  let lost = 0;
  for (const id of known) {
    if (taken.has(id) || files.has(id)) continue;
    const line = last.get(id) ?? {};
    const stored = line['state'] === 'uploaded' || line['state'] === 'judged';
    const reason = `its row could not be read in the damaged ledger, and no file of it is here${
      stored ? '; it had been uploaded' : ''
    }`;
    const place = {
      cameraId: 'unknown',
      clipId: id,
      triggeredMs: Math.min(LAST_MS, timeOfClipId(id)),
    };
    const clip = {
      clip_id: place.clipId,
      camera_id: place.cameraId,
      state: 'lost',
      clock_quality: 'unsynchronised',
      blob_name: clipBlobNameOnDevice(place),
      triggered_ms: place.triggeredMs,
      reason,
      on_disk: 0,
    };
    if (!insert(clip)) continue;
    taken.set(id, { state: 'lost', detail: reason });
    lost += 1;
  }
  return lost;
}

const byClip = (rows: readonly Row[]) => new Map(rows.map((row) => [String(row['clip_id']), row]));

function storageIn(rows: readonly Row[]): string | undefined {
  for (const { blob_url: url, blob_name: name } of rows) {
    if (typeof url !== 'string' || typeof name !== 'string') continue;
    const found = storageOf(url, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
