import type { ProcessingResult } from '@dachawatch/contracts';
import { firstInstanceId } from '../ports/instance-places.ts';
import type { StoragePort } from '../ports/storage.ts';
import { readResults } from './read-results.ts';

export interface FindResultDeps {
  readonly storage: Pick<StoragePort, 'listBlobs' | 'readBlob'>;
  /** How much an answer says: the most is found. */
  readonly worthOf: (result: ProcessingResult) => number;
}

export interface FindResult {
  readonly instance_id: string;
  /** Of the clip: answers about another are passed over. Orchestrations of the first version do not say it. */
  readonly blobName?: string;
}

/** The answer that says most of all that are stored for a clip, whichever of its analyses asked for it; null when there
 *  is none. */
export function createFindResult({ storage, worthOf }: FindResultDeps) {
  return async ({ instance_id, blobName }: FindResult): Promise<ProcessingResult | null> => {
    const results = await readResults(storage, firstInstanceId(instance_id), blobName);
    return results.toSorted((one, other) => worthOf(other) - worthOf(one))[0] ?? null;
  };
}
