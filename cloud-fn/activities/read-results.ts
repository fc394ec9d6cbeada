import { decodeProcessingResult, type ProcessingResult } from '@dachawatch/contracts';
import { isSameClip, resultNames } from '../ports/instance-places.ts';
import { CONTAINER_INSTANCES, MAX_DOCUMENT_BYTES, type StoragePort } from '../ports/storage.ts';

/** A worker answers once, twice when a message came twice; more is somebody's mistake. */
const MOST_RESULTS = 20;
const MOST_NAMES = 1_000;

/** The answers of workers that are stored for a clip, in the order of their names. One that cannot be read, or is about
 *  another clip, is passed over: it was put aside when it came.
 *  @param firstId the clip's first orchestration
 *  @param blobName of the clip
 *  @param names of the documents that are stored for it, when they are known */
export async function readResults(
  storage: Pick<StoragePort, 'listBlobs' | 'readBlob'>,
  firstId: string,
  blobName: string | undefined,
  names?: readonly string[],
): Promise<ProcessingResult[]> {
  const all =
    names ?? (await storage.listBlobs(CONTAINER_INSTANCES, firstId, MOST_NAMES)).map(({ name }) => name);
  const results: ProcessingResult[] = [];
  for (const name of resultNames(firstId, all).slice(0, MOST_RESULTS)) {
    const blob = await storage.readBlob({ container: CONTAINER_INSTANCES, name }, MAX_DOCUMENT_BYTES);
    const result = blob && readable(blob.bytes);
    if (result && (blobName === undefined || isSameClip(result.blobName, blobName))) results.push(result);
  }
  return results;
}

function readable(bytes: Buffer): ProcessingResult | undefined {
  try {
    return decodeProcessingResult(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
