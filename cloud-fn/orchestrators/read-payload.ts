import { CONTAINER_CLIPS, decodeProcessingResult, type ProcessingResult } from '@dachawatch/contracts';
import { type ClipAnalysisInput, LONGEST_WAIT_MS } from './clip-analysis-steps.ts';

/** The worker's answer out of an event: the object, or, as the original worker sent it, its JSON text.
 *  @throws QueueMessageError */
export const readResult = (payload: unknown): ProcessingResult =>
  decodeProcessingResult(typeof payload === 'string' ? payload : (JSON.stringify(payload) ?? ''));

/** Whether a value fits as input. Anybody with the system key can start an orchestration with anything. */
export function isClipAnalysisInput(value: unknown): value is ClipAnalysisInput {
  if (typeof value !== 'object' || value === null) return false;
  const { clip, waitMs, revision } = value as Partial<Record<string, unknown>>;
  if (typeof clip !== 'object' || clip === null) return false;
  const { clip_id, blobName, blobUrl } = clip as Record<string, unknown>;
  return (
    [clip_id, blobName, blobUrl].every((text) => typeof text === 'string' && text !== '') &&
    (blobName as string).startsWith(`${CONTAINER_CLIPS}/`) &&
    Number.isInteger(waitMs) &&
    (waitMs as number) > 0 &&
    (waitMs as number) <= LONGEST_WAIT_MS &&
    Number.isSafeInteger(revision) &&
    (revision as number) > 0
  );
}
