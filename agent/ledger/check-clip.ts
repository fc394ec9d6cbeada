import { basename } from 'node:path';
import { clipPlaces, entryAt, sha256Of } from './clip-files.ts';
import type { ClipRow } from './clip-rows.ts';
import type { ClipSurvey } from './clip-survey.ts';
import { isInStorage } from './removal.ts';
import type { Recovered } from './recovery.ts';

/** What a check may do when it may repair. All of them leave custody. */
export interface Repairs {
  recover(row: ClipRow): Promise<Recovered>;
  takeUp(row: ClipRow): Promise<string>;
  lose(clipId: string, reason: string): void;
  /** The row no longer answers for a file: clip uploaded, file missing. */
  forgetFile(clipId: string, reason: string): void;
  /** What is left of a file whose clip is in Blob Storage goes. */
  removeLeftover(row: ClipRow): void;
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
  readonly repairs?: Repairs | undefined;
  /** Read every file and compare its SHA-256. */
  readonly deep?: boolean;
}

export type Finding =
  | { readonly kind: 'ok' }
  /** Its folder is away as a whole, which is reported once. */
  | { readonly kind: 'away' }
  | { readonly kind: 'repaired' | 'repairable'; readonly problem?: string }
  | { readonly kind: 'problem'; readonly problem: string };

const OK: Finding = { kind: 'ok' };

/** Compares one row with its files.
 *  @throws the system's error when they cannot be looked at */
export async function checkClip(row: ClipRow, survey: ClipSurvey, deps: ClipCheckDeps): Promise<Finding> {
  if (row.state === 'recording') return recordingFinding(row, survey, deps);
  if (row.on_disk === 0) return goneFinding(row, survey, deps);
  const { file } = clipPlaces(deps.dir, row.camera_id, row.clip_id);
  const entry = entryAt(file);
  if (entry.kind === 'other') return problem(`a ${entry.what} stands in place of its file`);
  if (entry.kind === 'none') {
    const intent = deps.intentOf(row.clip_id);
    return intent === undefined && survey.isAway(row.camera_id)
      ? { kind: 'away' }
      : missingFinding(row, intent, deps);
  }
  if (entry.bytes !== row.bytes) return problem(`its file has ${entry.bytes} bytes instead of ${row.bytes}`);
  if (deps.deep && (await sha256Of(file)) !== row.sha256)
    return problem('its file has another checksum than when it was sealed');
  return OK;
}

const problem = (text: string): Finding => ({ kind: 'problem', problem: text });

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
    : problem(`its recording cannot be repaired yet: ${outcome.failed}`);
}

/** The row answers for no file: there should be none. What is in storage may go; everything else is evidence. */
async function goneFinding(row: ClipRow, survey: ClipSurvey, deps: ClipCheckDeps): Promise<Finding> {
  const { file, partFile } = clipPlaces(deps.dir, row.camera_id, row.clip_id);
  const names = [file, partFile];
  if (!names.some((path) => survey.has(row.camera_id, basename(path)))) return OK;
  if (names.every((path) => entryAt(path).kind === 'none')) return OK;
  if (!isInStorage(row)) {
    if (!deps.repairs) return { kind: 'repairable' };
    return { kind: 'repaired', problem: await deps.repairs.takeUp(row) };
  }
  if (!deps.repairs) return { kind: 'repairable' };
  deps.repairs.removeLeftover(row);
  return { kind: 'repaired' };
}

/** A finished file is gone. When nobody removed it that is reported; the row explains it either way. */
function missingFinding(row: ClipRow, intent: string | undefined, { repairs }: ClipCheckDeps): Finding {
  const inStorage = isInStorage(row);
  if (intent !== undefined) {
    if (!repairs) return { kind: 'repairable' };
    if (inStorage) repairs.forgetFile(row.clip_id, intent);
    else repairs.lose(row.clip_id, intent);
    return { kind: 'repaired' };
  }
  const text = inStorage
    ? 'its file is missing (the clip is in Blob Storage)'
    : 'its file is missing and it was never uploaded';
  if (!repairs) return problem(text);
  if (inStorage) repairs.forgetFile(row.clip_id, 'file missing at check');
  else repairs.lose(row.clip_id, 'its file was missing at check');
  return { kind: 'repaired', problem: text };
}
