import { cleanText, clipAskedAbout, CONTAINER_CLIPS, parseClipBlobName } from '@dachawatch/contracts';
import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import { addressOfBlob, clipOfBlob } from './clip-of-blob.ts';

const SUBJECT = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/;

export interface ClipEvent {
  readonly clip: ClipOfAnalysis;
  /** The house asks again: it has heard no verdict for long. */
  readonly asked: boolean;
}

/** The clip an event is about, in the schema of Event Grid or in that of CloudEvents; undefined for everything else that
 *  happens in the account: other containers, verdicts and pictures beside clips, and the empty blobs some tools put
 *  before they write. */
export function clipOfEvent(event: unknown): ClipEvent | undefined {
  if (typeof event !== 'object' || event === null) return undefined;
  const { eventType, type, subject, data } = event as Partial<Record<string, unknown>>;
  if ((eventType ?? type) !== 'Microsoft.Storage.BlobCreated') return undefined;
  // Typed before they are made texts or numbers of: an object may refuse that.
  if (typeof subject !== 'string') return undefined;
  const [, container, written = ''] = SUBJECT.exec(subject) ?? [];
  const askedAbout = clipAskedAbout(written);
  const blobName = askedAbout ?? written;
  if (container !== CONTAINER_CLIPS || !parseClipBlobName(blobName)) return undefined;
  if (cleanText(blobName) !== blobName) return undefined;
  const { contentLength, url } = (data ?? {}) as { contentLength?: unknown; url?: unknown };
  if (!['number', 'string'].includes(typeof contentLength) || !(Number(contentLength) > 0)) return undefined;
  if (typeof url !== 'string') return undefined;
  const address = addressOfBlob(url, blobName);
  if (address === undefined) return undefined;
  return { clip: clipOfBlob(blobName, address), asked: askedAbout !== undefined };
}
