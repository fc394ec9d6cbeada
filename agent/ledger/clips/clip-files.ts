import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { opendir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';

/** Where a clip's bytes lie below the ledger's folder. */
export interface ClipPaths {
  readonly file: string;
  readonly partFile: string;
}

/** What the clip writer knows when the last byte is on disk. */
export interface WrittenClip {
  /** Wall time of the first frame, Unix milliseconds. */
  readonly startedMs: number;
  readonly preRollMs: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string;
  /** What its custody says about how it was written, for a person. */
  readonly detail?: string;
}

/** What could be saved of a part file whose writer died. */
export type TornClip = Pick<WrittenClip, 'durationMs' | 'bytes' | 'sha256' | 'detail'>;

/** Camera ids become folder names. */
export const CAMERA_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export const clipsDir = (dir: string) => join(dir, 'clips');
export const cameraDir = (dir: string, cameraId: string) => join(clipsDir(dir), cameraId);

export function clipPaths(dir: string, cameraId: string, clipId: string): ClipPaths {
  const file = join(cameraDir(dir, cameraId), `${clipId}.mp4`);
  return { file, partFile: `${file}.part` };
}

/** What stands under a name. Links are not followed: a link where a clip should be is none. */
export type Entry =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'file';
      readonly bytes: number;
      /** Of those, what takes room on the disk: holes do not. */
      readonly heldBytes: number;
      readonly mtimeMs: number;
    }
  | { readonly kind: 'other'; readonly what: 'folder' | 'link' | 'special file' };

/** @throws the system's error when it cannot be told */
export function entryAt(path: string): Entry {
  let stats: Stats;
  try {
    stats = lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ELOOP: a folder on the way is a link to itself.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return { kind: 'none' };
    throw error;
  }
  if (stats.isFile())
    return { kind: 'file', bytes: stats.size, heldBytes: heldBytesOf(stats), mtimeMs: stats.mtimeMs };
  const what = stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'special file';
  return { kind: 'other', what };
}

/** What a file takes of the disk: its holes take nothing. */
export const heldBytesOf = ({ size, blocks }: Stats): number => Math.min(size, blocks * 512);

/** No recording is as large, with as many holes again as it could have bytes: a power cut, or a card that lies about
 *  what it has, may leave any of its blocks unwritten. Holes are read like zeros, at gigabytes a second. */
const READ_MAX = 8 * 1024 ** 3;

/** Why a file can be no clip, whatever is in it; undefined when it can. Reading it would keep all others waiting. */
export function noClipBecause(entry: Entry): string | undefined {
  if (entry.kind !== 'file' || entry.bytes <= READ_MAX) return undefined;
  return `it claims ${entry.bytes} bytes and holds ${entry.heldBytes}`;
}

/** Size in bytes; undefined when there is no such file, or something that is no file. */
export function sizeOf(path: string): number | undefined {
  const entry = entryAt(path);
  return entry.kind === 'file' ? entry.bytes : undefined;
}

/** The folder of a camera's clips, with its own entry on disk.
 *  @param setAside moves a file away that stands where a folder should be
 *  @throws the system's error when nothing can be written there */
export function ensureCameraFolder(dir: string, cameraId: string, setAside: (path: string) => void): void {
  const folder = cameraDir(dir, cameraId);
  if (existsSync(folder) && !isFile(folder)) {
    accessSync(folder, constants.W_OK);
    return;
  }
  for (const path of [clipsDir(dir), folder]) if (isFile(path)) setAside(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  fsyncFolder(folder);
  fsyncFolder(clipsDir(dir));
  fsyncFolder(dir);
}

const isFile = (path: string) => entryAt(path).kind === 'file';

/** Whether the files of a clip could be removed, as far as that can be told without doing it.
 *  @throws why not: the system's error, or a Failure */
export function requireRemovable(places: ClipPaths): void {
  for (const { path } of filesOf(places)) {
    accessSync(dirname(path), constants.W_OK);
    // Refused for a file that is immutable, which no access rights tell.
    closeSync(openSync(path, 'r+'));
  }
}

/** Removes what there is of a clip; the folder is not synced. Nothing there is no error.
 *  @returns bytes of the files that went
 *  @throws the system's error, or Failure `transient` when something stands there that is no file */
export function unlinkClip(places: ClipPaths): number {
  let bytes = 0;
  for (const file of filesOf(places)) {
    unlinkSync(file.path);
    bytes += file.bytes;
  }
  return bytes;
}

function filesOf({ file, partFile }: ClipPaths): { path: string; bytes: number }[] {
  return [partFile, file].flatMap((path) => {
    const entry = entryAt(path);
    if (entry.kind === 'other')
      throw new Failure('transient', 'ledger.no-file', `a ${entry.what} stands in place of ${path}`);
    return entry.kind === 'file' ? [{ path, bytes: entry.bytes }] : [];
  });
}

/** `<clip>.mp4.part` becomes `<clip>.mp4`, durably. Done already is fine. */
export function nameAsFinished({ file, partFile }: ClipPaths): void {
  if (sizeOf(partFile) !== undefined) renameSync(partFile, file);
  fsyncFolder(dirname(file));
}

export interface FoundFile {
  readonly cameraId: string;
  readonly clipId: string;
  /** File name without folder. */
  readonly name: string;
  readonly path: string;
}

/** Names in a folder, read in the background. */
export async function* namesIn(folder: string): AsyncGenerator<{ name: string; isFolder: boolean }> {
  for await (const entry of await opendir(folder, { bufferSize: 256 }))
    yield { name: entry.name, isFolder: entry.isDirectory() };
}

/** An error of the system, not of our own code. */
export const isOfSystem = (error: unknown): boolean =>
  typeof (error as NodeJS.ErrnoException).errno === 'number';

/** The clip that a file name stands for, finished or part. */
export const clipIdIn = (name: string): string | undefined => /^(.+)\.mp4(?:\.part)?$/.exec(name)?.[1];

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
