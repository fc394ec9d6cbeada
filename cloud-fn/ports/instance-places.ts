import { CONTAINER_INSTANCES, type BlobPlace } from './storage.ts';

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

/** A message too large to be quoted in the poison queue. */
export const unreadableMessagePlace = (digest: string): BlobPlace => ({
  container: CONTAINER_INSTANCES,
  name: `unreadable/${digest}.txt`,
});
