import type { Verdict } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { clipPaths } from './clip-files.ts';
import { prepareRows } from '../database/row-checksum.ts';
import type { Database } from '../database/database.ts';
import { type FoldedClip, foldedIn } from './folded-clips.ts';
import { firstImpossibleId, timeIn } from './clip-id.ts';
import { type ClipEvent, type ClipState, nextState } from './clip-states.ts';

export interface Clip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly state: ClipState;
  /** Absolute path of the finished file. While recording the bytes are in `partFile`. */
  readonly file: string;
  readonly partFile: string;
  /** Name to ask a ticket for: without the device id. */
  readonly blobName: string;
  readonly clockQuality: 'synchronised' | 'unsynchronised';
  /** Wall times, Unix milliseconds. */
  readonly triggeredMs: number;
  readonly startedMs: number | null;
  readonly sealedMs: number | null;
  readonly uploadedMs: number | null;
  readonly judgedMs: number | null;
  readonly preRollMs: number | null;
  readonly durationMs: number | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly blobUrl: string | null;
  /** Upload attempts so far; the fencing token of the current lease. */
  readonly attempt: number;
  readonly verdict: Verdict | null;
  /** Why it is parked or lost, or what the last failed upload said. */
  readonly reason: string | null;
}

/** One line of a clip's history. */
export interface CustodyEntry {
  readonly atMs: number;
  readonly event: string;
  readonly detail: string | null;
}

/** A row of table `custody`, named as in SQL. */
export interface CustodyRow {
  readonly seq: number;
  readonly clip_id: string;
  readonly at_ms: number;
  readonly event: string;
  readonly state: ClipState;
  readonly detail: string | null;
}

/** A row of table `clips`, named as in SQL. */
export interface ClipRow {
  readonly clip_id: string;
  readonly camera_id: string;
  readonly state: ClipState;
  readonly clock_quality: Clip['clockQuality'];
  readonly blob_name: string;
  readonly triggered_ms: number;
  readonly started_ms: number | null;
  readonly sealed_ms: number | null;
  readonly uploaded_ms: number | null;
  readonly judged_ms: number | null;
  readonly pre_roll_ms: number | null;
  readonly duration_ms: number | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly blob_url: string | null;
  readonly attempt: number;
  readonly lease_until: number | null;
  readonly retry_at: number | null;
  readonly verdict: string | null;
  readonly verdict_revision: number;
  readonly reason: string | null;
  readonly on_disk: 0 | 1;
}

/** Columns a move may set beside the state. */
export type ClipChange = Partial<Omit<ClipRow, 'clip_id' | 'camera_id' | 'state' | 'blob_name'>>;

export interface ClipRows {
  get(clipId: string): ClipRow | undefined;
  /** What is known of a clip of long ago that has no row any more. */
  folded(clipId: string): FoldedClip | undefined;
  /** @throws Failure `bug` for an unknown clip */
  require(clipId: string): ClipRow;
  insert(
    row: Pick<ClipRow, 'clip_id' | 'camera_id' | 'clock_quality' | 'blob_name' | 'triggered_ms'>,
    detail: string | null,
  ): void;
  /** The only way a clip changes state: by the table of moves, with its line of custody and what others are told
   *  about it in the same transaction.
   *  Must be called inside a transaction. */
  move(clipId: string, event: ClipEvent, detail: string | null, change?: ClipChange): ClipRow;
  /** A line of custody without a move. Must be called inside a transaction. */
  note(clipId: string, event: string, detail: string | null): void;
  readonly custody: (clipId: string) => CustodyEntry[];
  countNotes(clipId: string, event: string): number;
  lastClipId(): string | undefined;
  readonly toClip: (row: ClipRow) => Clip;
}

export interface ClipRowsDeps {
  readonly db: Database;
  readonly dir: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Sees every move inside its transaction: what it throws takes the move back. Absent for who only looks. */
  readonly onMove?: (event: ClipEvent, row: ClipRow) => void;
}

/** Lines of custody of one clip. */
const CUSTODY_LINES_MAX = 200;
const LEFT_OUT = 'left-out';

export function createClipRows({ db, dir, clock, onMove }: ClipRowsDeps): ClipRows {
  const select = prepareRows<[string], ClipRow>(db, 'clips', 'SELECT * FROM clips WHERE clip_id = ?');
  const insertRow = db.prepare(
    `INSERT INTO clips (clip_id, camera_id, state, clock_quality, blob_name, triggered_ms, on_disk)
     VALUES (:clip_id, :camera_id, 'recording', :clock_quality, :blob_name, :triggered_ms, 1)`,
  );
  const insertCustody = db.prepare(
    'INSERT INTO custody (clip_id, at_ms, event, state, detail) VALUES (?, ?, ?, ?, ?)',
  );
  const selectCustody = prepareRows<[string], CustodyRow>(
    db,
    'custody',
    'SELECT * FROM custody WHERE clip_id = ? ORDER BY seq',
  );
  const selectCount = db
    .prepare<[string, string], number>('SELECT count(*) FROM custody WHERE clip_id = ? AND event = ?')
    .pluck();
  // A row with an id of no possible time must not lead all that follow to the end of the ids.
  const selectLast = db.prepare<[string], string>('SELECT max(clip_id) FROM clips WHERE clip_id < ?').pluck();
  const end = firstImpossibleId();
  const lines = db.prepare<[string], number>('SELECT count(*) FROM custody WHERE clip_id = ?').pluck();
  const middle = db.prepare<[string, number], { seq: number; event: string; detail: string | null }>(
    'SELECT seq, event, detail FROM custody WHERE clip_id = ? ORDER BY seq LIMIT 2 OFFSET ?',
  );
  const leaveOut = db.prepare('UPDATE custody SET event = ?, detail = ? WHERE seq = ?');
  const removeLine = db.prepare('DELETE FROM custody WHERE seq = ?');

  const requireRow = (clipId: string): ClipRow => {
    const row = select.get(clipId);
    if (!row) throw new Failure('bug', 'ledger.unknown-clip', `there is no clip ${clipId} in the ledger`);
    return row;
  };
  /** The beginning and the end of a long history stay; one line in its middle counts those that were left out. */
  function boundCustody(clipId: string): void {
    if ((lines.get(clipId) ?? 0) < CUSTODY_LINES_MAX) return;
    const [first, second] = middle.all(clipId, CUSTODY_LINES_MAX / 2);
    if (!first || !second) return;
    const before = first.event === LEFT_OUT ? Number.parseInt(first.detail ?? '', 10) || 0 : 1;
    leaveOut.run(LEFT_OUT, `${before + 1} lines of its history were left out`, first.seq);
    removeLine.run(second.seq);
  }
  function writeCustody(clipId: string, event: string, state: ClipState, detail: string | null): void {
    boundCustody(clipId);
    insertCustody.run(clipId, Math.round(clock.nowMs()), event, state, detail);
  }

  return {
    get: (clipId) => select.get(clipId),
    folded: foldedIn(db),
    require: requireRow,
    insert(row, detail) {
      insertRow.run(row);
      writeCustody(row.clip_id, 'open', 'recording', detail);
    },
    move(clipId, event, detail, change = {}) {
      const row = requireRow(clipId);
      const state = nextState(clipId, row.state, event);
      const columns = Object.keys(change).map((column) => `, ${column} = :${column}`);
      db.prepare(
        `UPDATE clips SET state = :state, finished_ms = NULL${columns.join('')} WHERE clip_id = :clipId`,
      ).run({
        ...change,
        state,
        clipId,
      });
      writeCustody(clipId, event, state, detail);
      const moved = { ...row, ...change, state };
      onMove?.(event, moved);
      return moved;
    },
    note: (clipId, event, detail) => writeCustody(clipId, event, requireRow(clipId).state, detail),
    custody: (clipId) =>
      selectCustody.all(clipId).map(({ at_ms, event, detail }) => ({ atMs: at_ms, event, detail })),
    countNotes: (clipId, event) => selectCount.get(clipId, event) ?? 0,
    lastClipId: () => selectLast.get(end) ?? undefined,
    toClip: (row) => ({
      clipId: row.clip_id,
      cameraId: row.camera_id,
      state: row.state,
      ...clipPaths(dir, row.camera_id, row.clip_id),
      blobName: row.blob_name,
      clockQuality: row.clock_quality,
      triggeredMs: timeIn(row.triggered_ms),
      startedMs: row.started_ms === null ? null : timeIn(row.started_ms),
      sealedMs: row.sealed_ms === null ? null : timeIn(row.sealed_ms),
      uploadedMs: row.uploaded_ms === null ? null : timeIn(row.uploaded_ms),
      judgedMs: row.judged_ms === null ? null : timeIn(row.judged_ms),
      preRollMs: row.pre_roll_ms,
      durationMs: row.duration_ms,
      bytes: row.bytes,
      sha256: row.sha256,
      blobUrl: row.blob_url,
      attempt: row.attempt,
      verdict: verdictIn(row),
      reason: row.reason,
    }),
  };
}

/** Null when the column is damaged: one clip without its verdict, instead of no clips at all. */
function verdictIn({ verdict }: ClipRow): Verdict | null {
  if (verdict === null) return null;
  try {
    return JSON.parse(verdict) as Verdict;
  } catch {
    return null; // the check tells of it
  }
}
