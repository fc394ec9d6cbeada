import { createHash } from 'node:crypto';
import { CONTAINER_CLIPS, parseClipBlobName } from '@dachawatch/contracts';
import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import { clipInstanceId } from '../ports/instance-places.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const digestOf = (blobName: string) => createHash('sha256').update(`${CONTAINER_CLIPS}/${blobName}`).digest();

/** The orchestration of a clip. @param blobName in the container of the clips */
export const instanceIdOf = (blobName: string): string => clipInstanceId(`${CONTAINER_CLIPS}/${blobName}`);

/** @param blobName in the container of the clips
 *  @param blobUrl of the blob, without a signature */
export function clipOfBlob(blobName: string, blobUrl: string): ClipOfAnalysis {
  const place = parseClipBlobName(blobName);
  return {
    clip_id: place?.clipId ?? idFromName(blobName),
    ...(place ? { device_id: place.deviceId, camera_id: place.cameraId } : {}),
    blobName: `${CONTAINER_CLIPS}/${blobName}`,
    blobUrl,
  };
}

/** An id for a blob somebody else put there, so that its verdict fits the contract: 26 digits of its name's hash. */
function idFromName(blobName: string): string {
  const bits = [...digestOf(blobName)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = bits.match(/.{5}/g) ?? [];
  return digits
    .slice(0, 26)
    .map((five) => CROCKFORD[Number.parseInt(five, 2)])
    .join('');
}

/** The address of a blob, made from its name and an address of its account that somebody gave: `#`, `?` and `%` in names
 *  come in addresses encoded and not, and in front of a signature or not. Undefined when the container is not in it. */
export function addressOfBlob(given: string, blobName: string): string | undefined {
  const at = given.indexOf(`/${CONTAINER_CLIPS}/`);
  if (at < 0) return undefined;
  const base = given.slice(0, at + CONTAINER_CLIPS.length + 2);
  return URL.canParse(base) ? base + blobName.split('/').map(encodeURIComponent).join('/') : undefined;
}

/** The orchestration of a clip. */
export const instanceIdOfClip = ({ blobName }: Pick<ClipOfAnalysis, 'blobName'>): string =>
  instanceIdOf(blobName.slice(CONTAINER_CLIPS.length + 1));
