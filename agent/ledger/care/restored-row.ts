import {
  clipBlobNameOnDevice,
  ContractError,
  parse,
  parseClipBlobName,
  Verdict,
} from '@dachawatch/contracts';
import { LAST_MS, isOwnClipId, timeOfClipId } from '../clips/clip-id.ts';
import { CAMERA_ID } from '../clips/clip-files.ts';
import type { ClipRow } from '../clips/clip-rows.ts';
import type { ClipState } from '../clips/clip-states.ts';
import type { Row } from './salvage.ts';

const STATES: ReadonlySet<unknown> = new Set<ClipState>([
  'recording',
  'sealed',
  'uploading',
  'uploaded',
  'judged',
  'parked',
  'lost',
]);
export const isState = (value: unknown): value is ClipState => STATES.has(value);

const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LAST_MS;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isSha256 = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

type Column = keyof ClipRow | 'finished_ms';

/** Camera and clip of a row. Its blob name says both again: where they differ, the one for which something speaks. */
export function placeOf(
  raw: Row,
  isKnown: (clipId: string, cameraId: string) => boolean,
): { readonly clipId: string; readonly cameraId: string } | undefined {
  const named = parseClipBlobName(`device/${String(raw['blob_name'])}`);
  const ids = [raw['clip_id'], named?.clipId];
  const cameras = [raw['camera_id'], named?.cameraId];
  const places = ids.flatMap((clipId) =>
    cameras.flatMap((cameraId) =>
      typeof clipId === 'string' &&
      typeof cameraId === 'string' &&
      isOwnClipId(clipId) &&
      CAMERA_ID.test(cameraId)
        ? [{ clipId, cameraId }]
        : [],
    ),
  );
  return places.find((place) => isKnown(place.clipId, place.cameraId)) ?? places[0];
}

/** What a row of a damaged ledger says, with what cannot be true taken out of it. What is taken out is found again:
 *  a checksum in the file, a verdict and an upload in storage.
 *  @param other the same clip in the backup: fills what is unreadable here
 *  @param storage address in front of the blob names, when another row tells it
 *  @param hasFile whether there is a file of the clip on this disk
 *  @returns what had to be put right, too */
// oxlint-disable-next-line max-lines-per-function -- a row's columns in an order in which later ones are judged by earlier ones: its parts would hand a dozen half-judged values around
export function soundRow(
  raw: Row,
  place: { readonly clipId: string; readonly cameraId: string },
  {
    other,
    storage,
    hasFile,
  }: { readonly other?: Row | undefined; readonly storage?: string | undefined; readonly hasFile: boolean },
): { readonly row: Row; readonly doubts: readonly string[] } {
  const { clipId, cameraId } = place;
  const doubts: string[] = [];
  /** The value, the one of the backup, or what stands for none. */
  function field<T>(name: Column, fits: (value: unknown) => boolean, none: T): T {
    const value = raw[name];
    if (fits(value)) return value as T;
    doubts.push(name);
    const second: unknown = other?.[name];
    return fits(second) ? (second as T) : none;
  }
  const orNull = (fits: (value: unknown) => boolean) => (value: unknown) => value === null || fits(value);
  const time = (name: Column) => field<number | null>(name, orNull(isTime), null);

  if (raw['clip_id'] !== clipId) doubts.push('clip_id');
  if (raw['camera_id'] !== cameraId) doubts.push('camera_id');
  const idMs = Math.min(LAST_MS, timeOfClipId(clipId));
  const nameAt = (triggeredMs: number) => clipBlobNameOnDevice({ cameraId, clipId, triggeredMs });
  // The name holds the day of the trigger, and so, nearly always, does the id: two of the three are right.
  const rawName = raw['blob_name'];
  const triggered_ms = field(
    'triggered_ms',
    (value) => isTime(value) && (nameAt(value) === rawName || rawName !== nameAt(idMs)),
    idMs,
  );
  const blob_name = field('blob_name', (value) => value === nameAt(triggered_ms), nameAt(triggered_ms));
  const sha256 = field('sha256', orNull(isSha256), null);
  const bytes = field('bytes', orNull(isCount), null);
  const verdict = field(
    'verdict',
    orNull((value) => isVerdictOf(value, clipId)),
    null,
  );
  let state = field<ClipState>('state', isState, 'sealed');
  const wasStored = state === 'uploaded' || state === 'judged';
  const blob_url = field<string | null>(
    'blob_url',
    wasStored ? (value) => isUrlOf(value, blob_name) : orNull((value) => isUrlOf(value, blob_name)),
    wasStored && storage !== undefined ? `${storage}${blob_name}` : null,
  );
  const uploaded_ms = wasStored ? field('uploaded_ms', isTime, triggered_ms) : time('uploaded_ms');
  const attempt = wasStored
    ? field('attempt', (value) => isCount(value) && value > 0, 1)
    : field('attempt', isCount, 1);
  const onDisk = field<0 | 1>('on_disk', (value) => value === 0 || value === 1, 1);
  const on_disk = hasFile && state !== 'lost' ? 1 : onDisk;
  let reason = field<string | null>(
    'reason',
    orNull((value) => typeof value === 'string'),
    null,
  );
  if (state === 'judged' && verdict === null) state = 'uploaded';
  // In storage, but nothing says where: the next upload finds it there by its checksum.
  if (wasStored && blob_url === null) state = 'sealed';
  // As after a writer that died: size and checksum are taken from the file.
  if (state !== 'lost' && (bytes === null || sha256 === null)) state = 'recording';
  if (on_disk === 0 && (state === 'sealed' || state === 'recording')) {
    state = 'lost';
    reason = 'its row was damaged, and its file is not here any more';
  }
  if (reason === null && (state === 'lost' || state === 'parked'))
    reason = 'the reason could not be read in the damaged ledger';
  const isStored = state === 'uploaded' || state === 'judged';
  return {
    doubts,
    row: {
      ...raw,
      clip_id: clipId,
      camera_id: cameraId,
      state,
      clock_quality: field(
        'clock_quality',
        (value) => value === 'synchronised' || value === 'unsynchronised',
        'unsynchronised',
      ),
      blob_name,
      triggered_ms,
      started_ms: time('started_ms'),
      sealed_ms: time('sealed_ms'),
      uploaded_ms: isStored ? uploaded_ms : null,
      judged_ms: time('judged_ms'),
      pre_roll_ms: field('pre_roll_ms', orNull(isCount), null),
      ...('finished_ms' in raw ? { finished_ms: time('finished_ms') } : {}),
      duration_ms: field('duration_ms', orNull(isCount), null),
      bytes,
      sha256,
      blob_url: isStored ? blob_url : null,
      attempt,
      lease_until: null,
      retry_at: null,
      verdict,
      verdict_revision: verdict === null ? 0 : (JSON.parse(verdict) as Verdict).revision,
      reason,
      on_disk,
    },
  };
}

function isVerdictOf(value: unknown, clipId: string): value is string {
  if (typeof value !== 'string') return false;
  try {
    return parse(Verdict, JSON.parse(value)).clip_id === clipId;
  } catch (error) {
    if (error instanceof ContractError || error instanceof SyntaxError) return false;
    throw error;
  }
}

function isUrlOf(value: unknown, blobName: string): value is string {
  return typeof value === 'string' && URL.canParse(value) && storageOf(value, blobName) !== undefined;
}

/** The address in front of the blob's name; undefined when it is not the address of this blob. */
export function storageOf(url: string, blobName: string): string | undefined {
  if (!/^https?:\/\//.test(url)) return undefined;
  return url.endsWith(`/${blobName}`) ? url.slice(0, -blobName.length) : undefined;
}
