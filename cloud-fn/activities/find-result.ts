import { parse, ProcessingResult } from '@dachawatch/contracts';
import { MAX_DOCUMENT_BYTES, type StoragePort } from '../ports/storage.ts';
import { resultPlace } from '../ports/instance-places.ts';

/** The worker's answer as the queue trigger stored it; null when there is none. */
export function createFindResult({ storage }: { readonly storage: Pick<StoragePort, 'readBlob'> }) {
  return async ({ instance_id }: { readonly instance_id: string }): Promise<ProcessingResult | null> => {
    const blob = await storage.readBlob(resultPlace(instance_id), MAX_DOCUMENT_BYTES);
    return blob ? parse(ProcessingResult, JSON.parse(blob.bytes.toString('utf8'))) : null;
  };
}
