import type { clockQuality as systemClockQuality } from '../../kernel/clock-quality.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import { clipPaths, entryAt, type FoundFile, type WrittenClip } from '../clips/clip-files.ts';
import { holdsNothing } from '../clips/clip-content.ts';
import { timeOfClipId } from '../clips/clip-id.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import { enterClip } from '../clips/entering.ts';
import { estimatedTimes, type RecoveryDeps } from '../clips/recovery.ts';
import type { Database } from '../database/database.ts';
import { createEachApart } from './each-apart.ts';
import { rowlessFiles } from './rowless-files.ts';
import { verifyTakenOver } from './taken-over-rows.ts';

/** A file written so long before its id was given: the id carries the time of an earlier one, given by a clock that
 *  has been set back since. A file that looks younger than its id has been copied. */
const BEFORE_ID_MS = 60 * 60_000;

export interface Adoption {
  /** Compares the files of rows that were taken over from a damaged ledger, and takes up clip files that no row
   *  answers for. One file that cannot be read keeps no other one waiting. Never throws for one.
   *  @returns files that could not be taken up now, and may be later, by path: why */
  run(): Promise<ReadonlyMap<string, string>>;
}

export interface AdoptionDeps {
  readonly db: Database;
  readonly rows: ClipRows;
  readonly dir: string;
  readonly log: Log;
  readonly recoverTorn: RecoveryDeps['recoverTorn'];
  readonly seal: (clipId: string, written: WrittenClip, detail: string) => void;
  readonly lose: (clipId: string, reason: string) => void;
  /** Its row comes from who writes it. */
  readonly isWriting: (clipId: string) => boolean;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly clockQuality: typeof systemClockQuality;
  readonly breathe: Breathe;
}

/** Brings rows and files together again after the database has lost rows, by damage or with its WAL.
 *  Invariants
 *  1. A file that is taken up has the name of a clip, lies in the folder of a camera, and can be played. A part file in
 *     which nothing is gets a row that says `lost`, and goes. Any other one is left to the check, also one whose id
 *     carries a time that is to come. One that cannot be read now stays where it is, and is tried again with the next
 *     check.
 *  2. Its blob name is the one it had: the day of its trigger is the day of its id. What had been uploaded is therefore
 *     found in storage by name, size and checksum, and not uploaded again.
 *  3. Custody says that the row was made from the file. */
export function createAdoption(deps: AdoptionDeps): Adoption {
  const { db, rows, dir, log, recoverTorn, seal, lose, isWriting, breathe } = deps;
  const eachApart = createEachApart(deps);

  /** A row that says what can be known without the lost one. */
  function beginAnew(file: FoundFile, triggeredMs: number, detail: string): void {
    const { clipId, cameraId } = file;
    // Nobody knows any more how right the clock was.
    const clip = { clipId, cameraId, triggeredMs, clockQuality: 'unsynchronised' } as const;
    db.transaction(() => enterClip(rows, clip, detail)).immediate();
  }

  async function adopt(file: FoundFile): Promise<void> {
    const { clipId, cameraId, path } = file;
    if (rows.get(clipId) || rows.folded(clipId) || isWriting(clipId)) return;
    const entry = entryAt(path);
    if (entry.kind !== 'file') return;
    const idMs = timeOfClipId(clipId);
    const { mtimeMs } = entry;
    const torn = await recoverTorn(path);
    if (rows.get(clipId)) return;
    if (torn === undefined) {
      if (await isUnbegun(file)) {
        beginAnew(file, idMs, 'its part file was found, but no row: the row was made from the file');
        lose(clipId, 'the writer ended before a playable fragment was on disk');
      }
      return;
    }
    const triggered_ms = Math.round(
      mtimeMs >= idMs - BEFORE_ID_MS ? idMs : Math.max(0, mtimeMs - torn.durationMs),
    );
    beginAnew(file, triggered_ms, 'its file was found, but no row: the row was made from the file');
    const written = { ...torn, ...estimatedTimes({ triggered_ms }, torn, mtimeMs) };
    const detail = ['times are estimated from the file', torn.detail].filter(Boolean).join(': ');
    seal(clipId, written, detail);
    log.warn({ event: 'clip.adopted', clipId, cameraId }, 'a clip file without a row was taken up');
  }

  /** A recording that ended before anything of it was on disk, and nothing else of that clip. */
  async function isUnbegun({ clipId, cameraId, path }: FoundFile): Promise<boolean> {
    const places = clipPaths(dir, cameraId, clipId);
    return path === places.partFile && entryAt(places.file).kind === 'none' && (await holdsNothing(path));
  }

  return {
    async run() {
      await verifyTakenOver({ db, rows, dir, breathe, eachApart });
      const notYet = new Map<string, string>();
      await eachApart(
        await rowlessFiles(deps, notYet),
        ({ clipId }) => clipId,
        adopt,
        ({ path }, message) => notYet.set(path, message),
      );
      return notYet;
    },
  };
}
