import { createHash } from 'node:crypto';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { CONTAINER_INSTANCES, type BlobPlace } from './storage.ts';

/** The orchestration of a clip. The same blob is always the same instance, whatever its etag.
 *  @param blobName container and path */
export const clipInstanceId = (blobName: string): string =>
  `clip-${createHash('sha256').update(blobName).digest('hex').slice(0, 32)}`;

/** A clip may be analysed more than once: each time is an instance of its own, `<instance>-r<revision>`. All that is
 *  stored about it has the name of the first in front.
 *  @returns the first one's name */
export const firstInstanceId = (instanceId: string): string => instanceId.replace(/-r\d+$/, '');

/** The name of a later analysis of a clip. @param revision of its verdict, 2 or more */
export const laterInstanceId = (firstId: string, revision: number): string => `${firstId}-r${revision}`;

/** Which analysis of its clip an instance is: 1 for the first. */
export const revisionOfInstance = (instanceId: string): number =>
  Number(/-r(\d{1,9})$/.exec(instanceId)?.[1] ?? 1);

/** Whether two documents name the same clip; the container in front may be left out. */
export const isSameClip = (one: string, other: string): boolean => inContainer(one) === inContainer(other);
const inContainer = (blobName: string) =>
  blobName.startsWith(`${CONTAINER_CLIPS}/`) ? blobName : `${CONTAINER_CLIPS}/${blobName}`;

/** Written by whoever starts the instance: there is only ever one start. */
export const startMarkerPlace = (instanceId: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `${instanceId}/start.json`,
});

/** The first answer of the worker. */
export const resultPlace = (instanceId: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `${instanceId}/result.json`,
});

/** An answer that differs from the first. */
export const otherResultPlace = (instanceId: string, digest: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `${instanceId}/result-${digest}.json`,
});

/** Of a clip's documents those that are answers. */
export const resultNames = (firstId: string, names: readonly string[]): string[] =>
  names.filter((name) => /^(-r\d+)?\/result(-\w+)?\.json$/.test(name.slice(firstId.length)));

/** Which analyses of a clip were begun: the revisions of their start markers. */
export const startedRevisions = (firstId: string, names: readonly string[]): number[] =>
  names.flatMap((name) => {
    const match = /^(?:-r(\d{1,9}))?\/start\.json$/.exec(name.slice(firstId.length));
    return match ? [Number(match[1] ?? 1)] : [];
  });

/** A message too large to be quoted in the poison queue. */
export const UNREADABLE_PREFIX = 'unreadable/';
export const unreadableMessagePlace = (digest: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `${UNREADABLE_PREFIX}${digest}.txt`,
});

/** What lies in a poison queue, recorded for ever. */
export const POISON_PREFIX = 'poison/';
export const poisonPlace = (digest: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `${POISON_PREFIX}${digest}.json`,
});

/** One for each clip about which something is still to be done. */
export const OPEN_CLIPS_PREFIX = 'open/';
export const openClipPlace = (firstId: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `${OPEN_CLIPS_PREFIX}${firstId}.json`,
});

/** The record of a notification's delivery: of a clip one for each kind, whatever the revision of its verdict. */
export const deliveryPlace = ({
  id,
  kind,
  clip,
}: {
  readonly id: string;
  readonly kind: string;
  readonly clip: { readonly blobName: string } | null;
}): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: clip ? `${clipInstanceId(clip.blobName)}/told-${kind}.json` : `told/${id}.json`,
});
