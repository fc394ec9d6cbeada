import { CONTAINER_CLIPS, parseClipBlobName } from '@dachawatch/contracts';
import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import { clipOfBlob } from './clip-of-blob.ts';

const SUBJECT = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/;

/** The clip an Event Grid event is about; undefined for everything else that happens in the account: other
 *  containers, verdicts and pictures beside clips, and the empty blobs some tools put before they write. */
export function clipOfEvent(event: unknown): ClipOfAnalysis | undefined {
  if (typeof event !== 'object' || event === null) return undefined;
  const { eventType, subject, data } = event as { eventType?: unknown; subject?: unknown; data?: unknown };
  if (eventType !== 'Microsoft.Storage.BlobCreated') return undefined;
  const [, container, blobName = ''] = SUBJECT.exec(String(subject)) ?? [];
  if (container !== CONTAINER_CLIPS || !parseClipBlobName(blobName)) return undefined;
  const { contentLength, url } = (data ?? {}) as { contentLength?: unknown; url?: unknown };
  if (!(Number(contentLength) > 0) || typeof url !== 'string' || !URL.canParse(url)) return undefined;
  return clipOfBlob(blobName, url);
}
