import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fsyncFolder } from '../kernel/durable-file.ts';

/** Where a clip's bytes lie below the ledger's folder. */
export interface ClipPlaces {
  readonly file: string;
  readonly partFile: string;
}

export const clipsDir = (dir: string) => join(dir, 'clips');
export const quarantineDir = (dir: string) => join(dir, 'quarantine');

export function clipPlaces(dir: string, cameraId: string, clipId: string): ClipPlaces {
  const file = join(clipsDir(dir), cameraId, `${clipId}.mp4`);
  return { file, partFile: `${file}.part` };
}

/** The folder of a camera's clips, with its own entry on disk. */
export function ensureCameraFolder(dir: string, cameraId: string): void {
  const folder = join(clipsDir(dir), cameraId);
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  fsyncFolder(folder);
  fsyncFolder(clipsDir(dir));
  fsyncFolder(dir);
}

/** Size in bytes; undefined when there is no such file. */
export const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size;

/** Removes what there is of a clip. Nothing there is no error. */
export function removeClipFiles({ file, partFile }: ClipPlaces): void {
  if (sizeOf(file) === undefined && sizeOf(partFile) === undefined) return;
  rmSync(file, { force: true });
  rmSync(partFile, { force: true });
  fsyncFolder(dirname(file));
}

/** `<clip>.mp4.part` becomes `<clip>.mp4`, durably. Done already is fine. */
export function nameAsFinished({ file, partFile }: ClipPlaces): void {
  if (sizeOf(partFile) !== undefined) renameSync(partFile, file);
  fsyncFolder(dirname(file));
}

/** Moves a file that no row answers for out of the way. It is never deleted.
 *  @returns where it lies now */
export function quarantine(dir: string, file: string, cameraId: string, name: string): string {
  mkdirSync(quarantineDir(dir), { recursive: true, mode: 0o700 });
  let target = join(quarantineDir(dir), `${cameraId}_${name}`);
  for (let copy = 1; existsSync(target); copy++)
    target = join(quarantineDir(dir), `${cameraId}_${copy}_${name}`);
  renameSync(file, target);
  fsyncFolder(quarantineDir(dir));
  fsyncFolder(dirname(file));
  return target;
}

export interface FoundFile {
  readonly cameraId: string;
  readonly clipId: string;
  /** File name without folder. */
  readonly name: string;
  readonly path: string;
}

/** Every clip file and part file below the ledger's folder. */
export function* clipFilesIn(dir: string): Generator<FoundFile> {
  if (!existsSync(clipsDir(dir))) return;
  for (const camera of readdirSync(clipsDir(dir), { withFileTypes: true })) {
    if (!camera.isDirectory()) continue;
    const folder = join(clipsDir(dir), camera.name);
    for (const name of readdirSync(folder)) {
      const clipId = /^(.+)\.mp4(?:\.part)?$/.exec(name)?.[1];
      if (clipId !== undefined) yield { cameraId: camera.name, clipId, name, path: join(folder, name) };
    }
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
