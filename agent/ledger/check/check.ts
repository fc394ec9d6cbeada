import { classify } from '../../kernel/classify.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Breathe } from '../breathe.ts';
import { checkClip, passing, type ClipCheckDeps, type Finding } from './check-clip.ts';
import { contradictionsIn } from './check-contradictions.ts';
import { outboxFindings } from './check-outbox.ts';
import { entryAt } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import { type ClipSurvey, clipFilesIn, surveyClips } from './clip-survey.ts';
import { fitsChecksum, NOT_WRITTEN, ROW_DAMAGED, rowDamaged } from '../database/row-checksum.ts';
import { type Database, isOfDatabase } from '../database/database.ts';
import { foldedIn } from '../clips/folded-clips.ts';
import { sweepThumbnails } from './left-thumbnails.ts';
import type { LeftAside } from './misplaced.ts';
import { wholeFindings } from './check-whole.ts';
import { countAgain } from '../clips/totals.ts';

export interface CheckDeps extends ClipCheckDeps {
  readonly db: Database;
  readonly breathe: Breathe;
  /** Looks only at clips and their files: what may change while the agent runs. */
  readonly filesOnly?: boolean;
  /** Files without a row that could not be read just now, by path: why. They are left where they are. */
  readonly notAdopted?: ReadonlyMap<string, string>;
  /** Files of these are left to who writes them, also without a row. */
  readonly isWriting?: (clipId: string) => boolean;
}

/** What a check of the whole ledger found. */
export interface CheckReport {
  readonly clips: number;
  /** Clips about which there is nothing to say. */
  readonly ok: number;
  readonly repaired: number;
  /** Left behind by a killed process; the next start, or a check that repairs, puts them right. */
  readonly repairable: number;
  readonly problems: readonly { readonly clipId: string | null; readonly problem: string }[];
}

export interface Checked extends CheckReport {
  /** One sentence for each camera whose files are away as a whole. */
  readonly away: readonly string[];
  /** Clips whose files are gone or damaged, and of which storage is asked first. */
  readonly asked: number;
  readonly awayCameras: ReadonlySet<string>;
  /** One sentence for each clip whose file is known, and could not be put back. */
  readonly aside: readonly string[];
  /** Clips that could not be looked at or repaired just now. */
  readonly again: number;
}

/** What is reported of a check. */
export const reportOf = ({ clips, ok, repaired, repairable, problems }: Checked): CheckReport => ({
  ...{ clips, ok, repaired, repairable, problems },
});

const PAGE = 100;

/** Compares rows with files and with themselves (docs/custody.md, Check), in steps that do not hold the event loop.
 *  Without `repairs` nothing is changed: what a start would put right is counted as `repairable`.
 *  What one row, file or event throws is its finding, and reaches no other one.
 *  @throws Failure `transient` `ledger.closed` */
export async function checkLedger(deps: CheckDeps): Promise<Checked> {
  const { db, breathe, repairs } = deps;
  const problems: { clipId: string | null; problem: string }[] = [];
  if (!deps.filesOnly)
    problems.push(...(await wholeFindings(db, 'integrity')).map((problem) => ({ clipId: null, problem })));
  const damaged = problems.find(({ problem }) => problem.endsWith(NOT_WRITTEN));
  // Who may repair is the owner: it has the database looked over.
  if (repairs && damaged) throw new Failure('corrupt', ROW_DAMAGED, damaged.problem);
  await breathe();
  const broughtBack = await repairs?.bringBack();
  problems.push(...(broughtBack?.problems ?? []));
  const left = [...(broughtBack?.left ?? new Map<string, LeftAside>()).values()];
  const elsewhere = new Set(left.map(({ clipId }) => clipId));
  const survey = await surveyClips(deps);
  problems.push(...[...survey.problems, ...survey.strange].map((problem) => ({ clipId: null, problem })));

  const count = { ok: 0, repaired: 0, repairable: 0 };
  let clips = 0;
  let asked = 0;
  let again = 0;
  for await (const { clipId, finding } of clipFindings(survey, elsewhere, deps)) {
    clips += 1;
    if (finding.kind === 'ok' || finding.kind === 'repaired' || finding.kind === 'repairable')
      count[finding.kind] += 1;
    if (finding.kind === 'asked') asked += 1;
    if (finding.kind === 'problem' && finding.again) again += 1;
    if ('problem' in finding && finding.problem !== undefined)
      problems.push({ clipId, problem: finding.problem });
  }
  for await (const finding of orphanFindings(deps, broughtBack?.left)) problems.push(finding);
  if (repairs) await sweepThumbnails(survey, deps);
  if (!deps.filesOnly) {
    for await (const { eventId, problem } of outboxFindings(db, breathe)) {
      repairs?.discardEvent(eventId);
      problems.push({ clipId: null, problem: `${problem}${repairs ? '; it was taken out' : ''}` });
    }
    for (const problem of await wholeFindings(db, 'totals')) {
      if (repairs) countAgain(db);
      problems.push({ clipId: null, problem: `${problem}${repairs ? '; they were counted again' : ''}` });
    }
  }
  return {
    ...{ clips, ...count, problems, asked, again, away: survey.problems, awayCameras: survey.awayCameras },
    aside: left.map(({ clipId, sentence }) => `clip ${clipId} is ${sentence}`),
  };
}

async function* clipFindings(
  survey: ClipSurvey,
  elsewhere: ReadonlySet<string>,
  deps: CheckDeps,
): AsyncGenerator<{ clipId: string; finding: Finding }> {
  const { db, breathe } = deps;
  const page = db.prepare<[string, number], ClipRow>(
    'SELECT * FROM clips WHERE clip_id > ? ORDER BY clip_id LIMIT ?',
  );
  const select = db.prepare<[string], ClipRow>('SELECT * FROM clips WHERE clip_id = ?');
  for (let rows = page.all('', PAGE); rows.length > 0; rows = page.all(rows.at(-1)?.clip_id ?? '~', PAGE)) {
    const contradictions = deps.filesOnly
      ? new Map<string, string>()
      : contradictionsIn(db, rows[0]?.clip_id ?? '', rows.at(-1)?.clip_id ?? '');
    await breathe();
    for (const row of rows) {
      if ('checksum' in row && !fitsChecksum('clips', { ...row })) {
        const failure = rowDamaged('clips', row.clip_id);
        if (deps.repairs) throw failure;
        yield { clipId: row.clip_id, finding: { kind: 'problem', problem: `its ${failure.message}` } };
        continue;
      }
      // Known to lie in another place: nothing of it is missing.
      if (elsewhere.has(row.clip_id)) {
        yield { clipId: row.clip_id, finding: { kind: 'away' } };
        continue;
      }
      const contradiction = contradictions.get(row.clip_id);
      const finding: Finding =
        contradiction === undefined
          ? await settledFinding(row, () => select.get(row.clip_id), survey, deps)
          : { kind: 'problem', problem: contradiction };
      if (finding.kind !== 'ok') await breathe();
      yield { clipId: row.clip_id, finding };
    }
    await breathe();
  }
}

/** The owner may move a clip between our look at its row and at its file: a problem counts when the row stood still,
 *  and before anything is put right the row is read again. */
async function settledFinding(
  seen: ClipRow,
  read: () => ClipRow | undefined,
  survey: ClipSurvey,
  deps: CheckDeps,
): Promise<Finding> {
  let finding: Finding = { kind: 'ok' };
  let row: ClipRow | undefined = seen;
  for (let look = 0; look < 3 && row; look++) {
    finding = await isolated(row, survey, look === 0 ? { ...deps, repairs: undefined } : deps);
    if (finding.kind === 'ok' || finding.kind === 'away' || finding.kind === 'repaired') break;
    const after = read();
    const stood = after?.state === row.state && after.on_disk === row.on_disk;
    row = after;
    // With repairs the second look is the one that may change something.
    if (stood && (look > 0 || !deps.repairs)) break;
  }
  return finding;
}

async function isolated(row: ClipRow, survey: ClipSurvey, deps: CheckDeps): Promise<Finding> {
  try {
    return await checkClip(row, survey, deps);
  } catch (error) {
    const failure = classify(error, 'ledger.check');
    // Who may repair is the owner: damage is for it to have looked over.
    if (failure.code === 'ledger.closed' || (deps.repairs && isOfDatabase(failure))) throw failure;
    return passing(`it cannot be checked: ${failure.message}`);
  }
}

/** Files that no row answers for. */
async function* orphanFindings(
  { db, dir, breathe, repairs, notAdopted, isWriting }: CheckDeps,
  left: ReadonlyMap<string, LeftAside> = new Map(),
): AsyncGenerator<{ clipId: string | null; problem: string }> {
  const select = db.prepare<[string], Pick<ClipRow, 'camera_id' | 'state'>>(
    'SELECT camera_id, state FROM clips WHERE clip_id = ?',
  );
  const folded = foldedIn(db);
  let looked = 0;
  for await (const { clipId, cameraId, name, path } of clipFilesIn(dir)) {
    if (++looked % PAGE === 0) await breathe();
    const row = select.get(clipId);
    const isKnown = row?.camera_id === cameraId;
    const isLeftPart = isKnown && name.endsWith('.part') && row.state !== 'recording' && row.state !== 'lost';
    if ((isKnown && !isLeftPart) || left.has(path) || isWriting?.(clipId)) continue;
    try {
      // Renamed or removed by the owner since the folder was read.
      if (entryAt(path).kind === 'none') continue;
      const unread = notAdopted?.get(path);
      if (unread !== undefined) {
        yield {
          clipId: null,
          problem: `${name} of ${cameraId} has no row and cannot be taken up yet: ${unread}`,
        };
        continue;
      }
      const said = isLeftPart
        ? 'a part file was left beside the finished clip'
        : `${name} of ${cameraId} belongs to ${
            folded(clipId)?.cameraId === cameraId
              ? 'a clip of long ago, of which only totals are kept'
              : row
                ? `a clip of ${row.camera_id}, and is not what was recorded of it`
                : 'no clip'
          }`;
      const where = repairs ? `; it lies in ${repairs.setAside(path, cameraId, name)} now` : '';
      yield { clipId: isKnown ? clipId : null, problem: `${said}${where}` };
    } catch (error) {
      if (error instanceof Failure && error.kind === 'bug') throw error;
      const { message } = classify(error, 'ledger.check');
      yield {
        clipId: isKnown ? clipId : null,
        problem: `${name} of ${cameraId} cannot be set aside: ${message}`,
      };
    }
  }
}
