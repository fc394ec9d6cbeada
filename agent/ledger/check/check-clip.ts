import { basename } from 'node:path';
import { clipPaths, entryAt, sha256Of } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import type { ClipSurvey } from './clip-survey.ts';
import type { Losses } from '../clips/losses.ts';
import type { BroughtBack } from './misplaced.ts';
import { isInStorage } from '../disk/removal.ts';
import type { Recovered } from '../clips/recovery.ts';
import type { Salvaged } from '../clips/repair/salvage.ts';
import { TO_BE_ASKED } from '../queues/storage-answer.ts';

/** What a check may do when it may repair. All of them leave custody. */
export interface Repairs {
  recover(row: ClipRow): Promise<Recovered>;
  takeUp(row: ClipRow): Promise<string>;
  salvage(row: ClipRow, why: string): Promise<Salvaged>;
  lose(clipId: string, reason: string): void;
  /** The row no longer answers for a file: clip uploaded, file missing. */
  forgetFile(clipId: string, reason: string): void;
  /** The row answers for its file again. */
  relink(clipId: string, reason: string): void;
  /** Files of clips that lie elsewhere are moved to their places. */
  bringBack(): Promise<BroughtBack>;
  /** Evidence that is nowhere else is gone, or is not what was sealed. */
  readonly losses: Pick<Losses, 'lost' | 'damaged'>;
  /** @returns where it lies now */
  setAside(path: string, cameraId: string, name: string): string;
  /** An event for the hub that cannot be sent is taken out and counted. */
  discardEvent(eventId: string): void;
}

export interface ClipCheckDeps {
  readonly dir: string;
  /** What is known of a recording: `writing` its writer is at work, nothing is said · `ended` nobody writes it, it may
   *  be repaired · else the sentence that tells why it waits. */
  readonly recordingOf: (row: ClipRow) => 'writing' | 'ended' | { readonly waits: string };
  /** Why a missing file was removed by us; undefined when it was not. */
  readonly intentOf: (clipId: string) => string | undefined;
  /** Storage may hold the clip, although the row does not say so. */
  readonly toBeAsked: (row: ClipRow) => boolean;
  readonly repairs?: Repairs | undefined;
  /** Read every file and compare its SHA-256. */
  readonly deep?: boolean;
}

export type Finding =
  | { readonly kind: 'ok' }
  /** Its folder is away as a whole, which is reported once. */
  | { readonly kind: 'away' }
  | { readonly kind: 'repaired' | 'repairable'; readonly problem?: string }
  /** Its file is gone or damaged, and storage is asked first. */
  | { readonly kind: 'asked'; readonly problem: string }
  /** `again`: it may be otherwise at the next look */
  | { readonly kind: 'problem'; readonly problem: string; readonly again?: true };

const OK: Finding = { kind: 'ok' };

/** Compares one row with its files.
 *  @throws the system's error when they cannot be looked at */
export async function checkClip(row: ClipRow, survey: ClipSurvey, deps: ClipCheckDeps): Promise<Finding> {
  if (row.state === 'recording') return recordingFinding(row, survey, deps);
  if (row.on_disk === 0) return goneFinding(row, survey, deps);
  const { file } = clipPaths(deps.dir, row.camera_id, row.clip_id);
  const entry = entryAt(file);
  if (entry.kind === 'other') return problem(`a ${entry.what} stands in place of its file`);
  if (entry.kind === 'none') {
    const intent = deps.intentOf(row.clip_id);
    return intent === undefined && survey.isAway(row.camera_id)
      ? { kind: 'away' }
      : missingFinding(row, intent, deps);
  }
  if (entry.bytes !== row.bytes)
    return wrongFinding(row, `its file has ${entry.bytes} bytes instead of ${row.bytes}`, entry.bytes, deps);
  // One that is parked may be so for its file.
  if ((deps.deep || row.state === 'parked') && (await sha256Of(file)) !== row.sha256)
    return wrongFinding(row, 'its file has another checksum than when it was sealed', entry.bytes, deps);
  return OK;
}

const problem = (text: string): Finding => ({ kind: 'problem', problem: text });
/** The disk or the file refused: it may be otherwise the next time. */
export const passing = (text: string): Finding => ({ kind: 'problem', problem: text, again: true });

/** Its file is not what was sealed. What plays of it is kept, told, and uploaded; nothing in it is nothing to keep. */
async function wrongFinding(
  row: ClipRow,
  text: string,
  bytes: number,
  { repairs, toBeAsked }: ClipCheckDeps,
): Promise<Finding> {
  if (!isInStorage(row) && toBeAsked(row)) return { kind: 'asked', problem: `${text}; ${TO_BE_ASKED}` };
  if (!repairs || isInStorage(row)) return problem(text);
  if (bytes === 0 && row.state !== 'uploading') {
    repairs.lose(row.clip_id, text);
    repairs.losses.lost(row.clip_id, text);
    return { kind: 'repaired', problem: text };
  }
  // Its uploader holds it.
  const salvaged = row.state === 'uploading' ? undefined : await repairs.salvage(row, text);
  if (salvaged?.what === 'settled') return OK;
  if (salvaged === undefined || salvaged.what === 'failed') {
    repairs.losses.damaged(row.clip_id, text);
    return salvaged === undefined
      ? problem(text)
      : passing(`${text}; nothing can be saved yet: ${salvaged.detail}`);
  }
  if (salvaged.what === 'salvaged') repairs.losses.damaged(row.clip_id, salvaged.detail);
  return { kind: 'repaired', problem: salvaged.detail };
}

async function recordingFinding(
  row: ClipRow,
  survey: ClipSurvey,
  { recordingOf, repairs }: ClipCheckDeps,
): Promise<Finding> {
  const recording = recordingOf(row);
  if (recording === 'writing') return OK;
  if (recording !== 'ended') return problem(`its recording waits to be sealed: ${recording.waits}`);
  if (survey.isAway(row.camera_id)) return { kind: 'away' };
  if (!repairs) return { kind: 'repairable' };
  const outcome = await repairs.recover(row);
  return typeof outcome === 'string'
    ? { kind: 'repaired' }
    : passing(`its recording cannot be repaired yet: ${outcome.failed}`);
}

/** The row answers for no file: there should be none. What is in storage may go; everything else is evidence. */
async function goneFinding(row: ClipRow, survey: ClipSurvey, deps: ClipCheckDeps): Promise<Finding> {
  const { file, partFile } = clipPaths(deps.dir, row.camera_id, row.clip_id);
  const names = [file, partFile];
  if (!names.some((path) => survey.has(row.camera_id, basename(path)))) return OK;
  if (names.every((path) => entryAt(path).kind === 'none')) return OK;
  if (!deps.repairs) return { kind: 'repairable' };
  if (!isInStorage(row)) return { kind: 'repaired', problem: await deps.repairs.takeUp(row) };
  const entry = entryAt(file);
  if (entry.kind === 'file' && entry.bytes === row.bytes && (await sha256Of(file)) === row.sha256) {
    deps.repairs.relink(row.clip_id, 'its file is there again, whole');
    return { kind: 'repaired' };
  }
  const lies = names
    .filter((path) => entryAt(path).kind !== 'none')
    .map((path) => deps.repairs?.setAside(path, row.camera_id, basename(path)));
  return {
    kind: 'repaired',
    problem: `what stands under its name is not the clip that was uploaded; it lies in ${lies.join(', ')} now`,
  };
}

/** A finished file is gone. When nobody removed it that is reported; the row explains it either way. */
function missingFinding(row: ClipRow, intent: string | undefined, deps: ClipCheckDeps): Finding {
  const { dir, repairs } = deps;
  const inStorage = isInStorage(row);
  if (intent !== undefined) {
    if (!repairs) return { kind: 'repairable' };
    if (inStorage) repairs.forgetFile(row.clip_id, intent);
    else repairs.lose(row.clip_id, intent);
    return { kind: 'repaired' };
  }
  if (!inStorage && deps.toBeAsked(row))
    return { kind: 'asked', problem: `its file is missing; ${TO_BE_ASKED}` };
  const text = inStorage
    ? 'its file is missing (the clip is in Blob Storage)'
    : 'its file is missing and it was never uploaded';
  if (!repairs) return problem(text);
  if (inStorage) repairs.forgetFile(row.clip_id, 'file missing at check');
  else {
    const { partFile } = clipPaths(dir, row.camera_id, row.clip_id);
    if (entryAt(partFile).kind !== 'none') repairs.setAside(partFile, row.camera_id, basename(partFile));
    repairs.lose(row.clip_id, 'its file was missing at check');
    repairs.losses.lost(row.clip_id, 'its file was missing at check');
  }
  return { kind: 'repaired', problem: text };
}
