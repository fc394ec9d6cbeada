import { classify } from '../../kernel/classify.ts';
import type { Breathe } from '../breathe.ts';
import {
  CAMERA_ID,
  cameraDir,
  clipIdIn,
  clipPaths,
  clipsDir,
  entryAt,
  type FoundFile,
  isOfSystem,
  namesIn,
} from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import type { Database } from '../database/database.ts';

const PAGE = 500;

/** What is to be seen of the folders of clips at one look. It ages: whoever finds something by it looks again. */
export interface ClipSurvey {
  has(cameraId: string, name: string): boolean;
  /** Every name in every folder that can be read: the camera and the name. */
  names(): Iterable<readonly [cameraId: string, name: string]>;
  /** Whether the files of a camera are away as a whole, as when a disk is not mounted. Nothing can be told of a
   *  single clip there. */
  isAway(cameraId: string): boolean;
  /** One sentence for each camera whose files are away, or whose folder cannot be read. */
  readonly problems: readonly string[];
  readonly awayCameras: ReadonlySet<string>;
  /** One sentence for names that no program can open as they are read. They are left alone. */
  readonly strange: readonly string[];
}

export interface ClipSurveyDeps {
  readonly db: Database;
  readonly dir: string;
  readonly breathe: Breathe;
  /** Why a missing file was removed by us; undefined when it was not. */
  readonly intentOf: (clipId: string) => string | undefined;
}

type SurveyRow = Pick<ClipRow, 'clip_id' | 'camera_id' | 'state' | 'on_disk'>;

/** Looks at all folders. A camera's clips are away when its folder is not there or cannot be read, or when at least
 *  two, and at least half, of the files that should be in it are missing. */
export async function surveyClips({ db, dir, breathe, intentOf }: ClipSurveyDeps): Promise<ClipSurvey> {
  const folders = new Map<string, ReadonlySet<string> | string>();
  for await (const cameraId of cameraFolders(dir))
    folders.set(cameraId, await namesOf(cameraDir(dir, cameraId)));

  const count = new Map<string, { expected: number; missing: number; onlyHere: number }>();
  const noFolder = new Set<string>();
  for await (const row of rowsWithFile(db, breathe)) {
    const names = folders.get(row.camera_id);
    // Made before the row was: without it the recording is away, too.
    if (names === undefined && entryAt(cameraDir(dir, row.camera_id)).kind === 'none')
      noFolder.add(row.camera_id);
    if (row.state === 'recording') continue;
    const of = count.get(row.camera_id) ?? { expected: 0, missing: 0, onlyHere: 0 };
    count.set(row.camera_id, of);
    of.expected += 1;
    if (typeof names === 'object' && names.has(`${row.clip_id}.mp4`)) continue;
    // Sealed since the folder was read?
    if (typeof names !== 'string' && !isMissing(clipPaths(dir, row.camera_id, row.clip_id).file)) continue;
    if (intentOf(row.clip_id) !== undefined) continue;
    of.missing += 1;
    if (row.state !== 'uploaded' && row.state !== 'judged') of.onlyHere += 1;
  }

  const away = new Set<string>();
  const problems: string[] = [];
  for (const [cameraId, names] of folders) {
    if (typeof names !== 'string' || !(count.has(cameraId) || CAMERA_ID.test(cameraId))) continue;
    away.add(cameraId);
    problems.push(`the folder of the clips of ${cameraId} cannot be read: ${names}`);
  }
  for (const [cameraId, { expected, missing, onlyHere }] of count) {
    const many = missing >= 2 && missing * 2 >= expected;
    if (away.has(cameraId) || missing === 0 || !(many || noFolder.has(cameraId))) continue;
    away.add(cameraId);
    problems.push(
      `${missing} of ${expected} clip files of ${cameraId} are not there (${onlyHere} of them are nowhere else): ` +
        'a disk is not mounted, or its folder was moved? Their rows are left as they are',
    );
  }
  for (const cameraId of noFolder) {
    if (away.has(cameraId)) continue;
    away.add(cameraId);
    problems.push(`the folder of the clips of ${cameraId} is not there`);
  }
  return {
    has: (cameraId, name) => {
      const names = folders.get(cameraId);
      return typeof names === 'object' && names.has(name);
    },
    *names() {
      for (const [cameraId, names] of folders)
        if (typeof names === 'object') for (const name of names) yield [cameraId, name];
    },
    isAway: (cameraId) => away.has(cameraId),
    problems,
    awayCameras: away,
    strange: strangeNames(folders),
  };
}

function strangeNames(folders: ReadonlyMap<string, ReadonlySet<string> | string>): string[] {
  const all = [...folders].flatMap(([name, names]) => [name, ...(typeof names === 'string' ? [] : names)]);
  const strange = all.filter((name) => name.includes('\uFFFD'));
  const unread = [...folders].flatMap(([name, names]) =>
    typeof names === 'string' && !CAMERA_ID.test(name) && !name.includes('\uFFFD')
      ? [`the folder "${name}" among the clips cannot be read: ${names}`]
      : [],
  );
  return [
    ...(strange.length > 0
      ? [`${strange.length} names of files or folders among the clips are not UTF-8; they are left alone`]
      : []),
    ...unread,
  ];
}

/** What cannot be looked at is as good as missing here. */
function isMissing(path: string): boolean {
  try {
    return entryAt(path).kind === 'none';
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    return true;
  }
}

/** Every clip file and part file below the ledger's folder, whatever stands under the name. */
export async function* clipFilesIn(dir: string): AsyncGenerator<FoundFile> {
  for await (const cameraId of cameraFolders(dir)) {
    const names = await namesOf(cameraDir(dir, cameraId));
    if (typeof names === 'string') continue;
    for (const name of names) {
      const clipId = clipIdIn(name);
      if (clipId !== undefined) yield { cameraId, clipId, name, path: `${cameraDir(dir, cameraId)}/${name}` };
    }
  }
}

/** None when there is no folder of clips, or it cannot be read: then every camera's folder is missing. */
async function* cameraFolders(dir: string): AsyncGenerator<string> {
  try {
    for await (const { name, isFolder } of namesIn(clipsDir(dir))) if (isFolder) yield name;
  } catch (error) {
    if (!isOfSystem(error)) throw error;
  }
}

/** @returns the names, or why they cannot be read */
async function namesOf(folder: string): Promise<ReadonlySet<string> | string> {
  const names = new Set<string>();
  try {
    for await (const { name } of namesIn(folder)) names.add(name);
    return names;
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    return classify(error, 'ledger.survey').message;
  }
}

/** Rows that answer for a file. */
async function* rowsWithFile(db: Database, breathe: Breathe): AsyncGenerator<SurveyRow> {
  const page = db.prepare<[string, number], SurveyRow>(
    'SELECT clip_id, camera_id, state, on_disk FROM clips WHERE clip_id > ? ORDER BY clip_id LIMIT ?',
  );
  for (let rows = page.all('', PAGE); rows.length > 0; rows = page.all(rows.at(-1)?.clip_id ?? '~', PAGE)) {
    for (const row of rows) if (row.on_disk === 1) yield row;
    await breathe();
  }
}
