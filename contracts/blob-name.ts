import { CLIP_ID_PATTERN } from './clip-id.ts';

/** Parts of a clip's place in storage. */
export interface ClipBlobKey {
  readonly deviceId: string;
  readonly cameraId: string;
  readonly clipId: string;
  /** Wall time of the trigger, Unix milliseconds; chooses the day folders (UTC). */
  readonly triggeredMs: number;
}

/** `<camera>/<yyyy>/<mm>/<dd>/<clip>.mp4`: what the device asks a ticket for. IoT Hub puts `<device>/` in front. */
export function clipBlobNameOnDevice(key: Omit<ClipBlobKey, 'deviceId'>): string {
  const day = new Date(key.triggeredMs).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${key.cameraId}/${day}/${key.clipId}.mp4`;
}

/** `<device>/<camera>/<yyyy>/<mm>/<dd>/<clip>.mp4`: the blob's name in the container of the clips. */
export function clipBlobName(key: ClipBlobKey): string {
  return `${key.deviceId}/${clipBlobNameOnDevice(key)}`;
}

const CLIP_BLOB = new RegExp(`^([^/]+)/([^/]+)/\\d{4}/\\d{2}/\\d{2}/(${CLIP_ID_PATTERN})\\.mp4$`);

/** Device, camera and clip of a blob name; undefined when it is not the name of a clip we uploaded. */
export function parseClipBlobName(
  blobName: string,
): { deviceId: string; cameraId: string; clipId: string } | undefined {
  const match = CLIP_BLOB.exec(blobName);
  if (!match) return undefined;
  const [, deviceId = '', cameraId = '', clipId = ''] = match;
  return { deviceId, cameraId, clipId };
}

/** Where the verdict lies beside the clip. */
export const verdictBlobName = (clipBlob: string) => clipBlob.replace(/\.[^./]+$/, '') + '.verdict.json';
/** Where a copy of the annotated best frame lies beside the clip, so that the device may read it. */
export const bestFrameBlobName = (clipBlob: string) => clipBlob.replace(/\.[^./]+$/, '') + '.best.jpg';

const ASK_ENDING = '.ask.json';
/** What a house puts beside a clip of which it has heard no verdict for long: written, it asks again. */
export const askBlobName = (clipBlob: string) => clipBlob.replace(/\.[^./]+$/, '') + ASK_ENDING;
/** The clip that such a blob asks about; undefined when it is not one. */
export function clipAskedAbout(blobName: string): string | undefined {
  if (!blobName.endsWith(ASK_ENDING)) return undefined;
  const clipBlob = `${blobName.slice(0, -ASK_ENDING.length)}.mp4`;
  return parseClipBlobName(clipBlob) ? clipBlob : undefined;
}
