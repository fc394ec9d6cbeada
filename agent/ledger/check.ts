import { outboxFindings } from './check-outbox.ts';
import { clipFilesIn, clipPlaces, quarantine, removeClipFiles, sha256Of, sizeOf } from './clip-files.ts';
import type { ClipRow } from './clip-rows.ts';
import type { Database } from './database.ts';
import type { CheckReport } from './ledger.ts';
import { countAgain, totalsFindings } from './totals.ts';

/** What a check may do when it may repair. All of them leave custody. */
export interface Repairs {
  recover(row: ClipRow): Promise<'sealed' | 'lost' | { failed: string }>;
  lose(clipId: string, reason: string): void;
  /** The row no longer answers for a file: clip uploaded, file missing. */
  forgetFile(clipId: string, reason: string): void;
  /** An event for the hub that cannot be sent is taken out and counted. */
  discardEvent(eventId: string): void;
}

export interface CheckDeps {
  readonly db: Database;
  readonly dir: string;
  /** Clips whose writer is at work: their files grow, nothing is said about them. */
  readonly isWriting: (clipId: string) => boolean;
  readonly repairs?: Repairs;
  /** Read every file and compare its SHA-256. */
  readonly deep?: boolean;
}

type Finding =
  | { readonly kind: 'ok' }
  | { readonly kind: 'repaired' | 'repairable'; readonly problem?: string }
  | { readonly kind: 'problem'; readonly problem: string };

/** Rows that contradict themselves. Each query yields clip ids. */
const CONTRADICTIONS: readonly { readonly problem: string; readonly sql: string }[] = [
  {
    problem: 'it is finished, but has no size or checksum',
    sql: `state IN ('sealed','uploading','uploaded','judged','parked') AND (bytes IS NULL OR sha256 IS NULL)`,
  },
  {
    problem: 'it is uploaded, but nothing says where to',
    sql: `state IN ('uploaded','judged') AND (blob_url IS NULL OR uploaded_ms IS NULL OR attempt = 0)`,
  },
  { problem: 'it is judged, but has no verdict', sql: `state = 'judged' AND verdict IS NULL` },
  { problem: 'it is given up without a reason', sql: `state IN ('lost','parked') AND reason IS NULL` },
  {
    problem: 'it waits for its upload, but its file is given up',
    sql: `state IN ('recording','sealed','uploading','parked') AND on_disk = 0`,
  },
  {
    problem: 'its history does not end where the row stands',
    sql: `state <> coalesce((SELECT state FROM custody WHERE custody.clip_id = clips.clip_id
          ORDER BY seq DESC LIMIT 1), '')`,
  },
];

/** Compares rows with files and with themselves (docs/custody.md, Check).
 *  Without `repairs` nothing is changed: what a start would put right is counted as `repairable`. */
export async function checkLedger(deps: CheckDeps): Promise<CheckReport> {
  const { db, dir, repairs } = deps;
  const problems: { clipId: string | null; problem: string }[] = integrityProblems(db);
  const count = { ok: 0, repaired: 0, repairable: 0 };
  const orphanFindings = [...orphans(deps)];

  const contradictions = new Map<string, string>();
  for (const { problem, sql } of CONTRADICTIONS)
    for (const id of db.prepare<[], string>(`SELECT clip_id FROM clips WHERE ${sql}`).pluck().all())
      contradictions.set(id, problem);

  const ids = db.prepare<[], string>('SELECT clip_id FROM clips ORDER BY clip_id').pluck().all();
  const select = db.prepare<[string], ClipRow>('SELECT * FROM clips WHERE clip_id = ?');
  for (const clipId of ids) {
    const contradiction = contradictions.get(clipId);
    const finding: Finding =
      contradiction === undefined
        ? await settledFinding(() => select.get(clipId), deps)
        : { kind: 'problem', problem: contradiction };
    if (finding.kind !== 'problem') count[finding.kind]++;
    if ('problem' in finding && finding.problem !== undefined)
      problems.push({ clipId, problem: finding.problem });
  }

  for (const { clipId, problem, path, cameraId, name } of orphanFindings) {
    const where = repairs ? `; it lies in ${quarantine(dir, path, cameraId, name)} now` : '';
    problems.push({ clipId, problem: `${problem}${where}` });
  }
  for (const { eventId, problem } of outboxFindings(db)) {
    repairs?.discardEvent(eventId);
    problems.push({ clipId: null, problem: `${problem}${repairs ? '; it was taken out' : ''}` });
  }
  for (const problem of totalsFindings(db)) {
    if (repairs) countAgain(db);
    problems.push({ clipId: null, problem: `${problem}${repairs ? '; they were counted again' : ''}` });
  }
  return { clips: ids.length, ...count, problems };
}

function integrityProblems(db: Database): { clipId: null; problem: string }[] {
  const broken = db.pragma('integrity_check') as { integrity_check: string }[];
  const dangling = db.pragma('foreign_key_check') as unknown[];
  return [
    ...broken
      .filter((row) => row.integrity_check !== 'ok')
      .map((row) => ({ clipId: null, problem: `database: ${row.integrity_check}` })),
    ...dangling.map(() => ({ clipId: null, problem: 'database: a line of custody belongs to no clip' })),
  ];
}

/** The owner may move a clip between our look at its row and at its file: a problem counts when the row stood still. */
async function settledFinding(read: () => ClipRow | undefined, deps: CheckDeps): Promise<Finding> {
  let finding: Finding = { kind: 'ok' };
  for (let look = 0; look < 3; look++) {
    const row = read();
    if (!row) return finding;
    finding = await checkRow(row, deps);
    const after = read();
    if (finding.kind !== 'problem' || (after?.state === row.state && after.on_disk === row.on_disk)) break;
  }
  return finding;
}

async function checkRow(row: ClipRow, { dir, isWriting, repairs, deep }: CheckDeps): Promise<Finding> {
  const places = clipPlaces(dir, row.camera_id, row.clip_id);
  if (row.state === 'recording') {
    if (isWriting(row.clip_id)) return { kind: 'ok' };
    if (!repairs) return { kind: 'repairable' };
    const outcome = await repairs.recover(row);
    return typeof outcome === 'string'
      ? { kind: 'repaired' }
      : { kind: 'problem', problem: `its recording cannot be repaired yet: ${outcome.failed}` };
  }
  const size = sizeOf(places.file);
  if (row.on_disk === 0) {
    // The row was changed, then the process ended before the file was removed.
    if (size === undefined && sizeOf(places.partFile) === undefined) return { kind: 'ok' };
    if (!repairs) return { kind: 'repairable' };
    removeClipFiles(places);
    return { kind: 'repaired' };
  }
  if (size === undefined) return missingFile(row, repairs);
  if (size !== row.bytes)
    return { kind: 'problem', problem: `its file has ${size} bytes instead of ${row.bytes}` };
  if (deep && (await sha256Of(places.file)) !== row.sha256)
    return { kind: 'problem', problem: 'its file has another checksum than when it was sealed' };
  return { kind: 'ok' };
}

/** A finished file is gone although nobody removed it: always reported, and explained in the row. */
function missingFile(row: ClipRow, repairs: Repairs | undefined): Finding {
  const inStorage = row.state === 'uploaded' || row.state === 'judged';
  const problem = inStorage
    ? 'its file is missing (the clip is in Blob Storage)'
    : 'its file is missing and it was never uploaded';
  if (!repairs) return { kind: 'problem', problem };
  if (inStorage) repairs.forgetFile(row.clip_id, 'file missing at check');
  else repairs.lose(row.clip_id, 'its file was missing at check');
  return { kind: 'repaired', problem };
}

/** Files that no row answers for. */
function* orphans({ db, dir }: CheckDeps) {
  const cameraOf = db.prepare<[string], string>('SELECT camera_id FROM clips WHERE clip_id = ?').pluck();
  const stateOf = db.prepare<[string], string>('SELECT state FROM clips WHERE clip_id = ?').pluck();
  for (const file of clipFilesIn(dir)) {
    // Renamed or removed by the owner since the folder was read.
    if (sizeOf(file.path) === undefined) continue;
    if (cameraOf.get(file.clipId) !== file.cameraId)
      yield { ...file, clipId: null, problem: `${file.name} of ${file.cameraId} belongs to no clip` };
    else if (file.name.endsWith('.part') && !['recording', 'lost'].includes(stateOf.get(file.clipId) ?? ''))
      yield { ...file, problem: 'a part file was left beside the finished clip' };
  }
}
