import { bestFrameBlobName, CONTAINER_CLIPS, type Verdict } from '@dachawatch/contracts';
import type { ClipOfAnalysis } from './clip-analysis-steps.ts';
import type { Judgement } from './decide-verdict.ts';

export interface VerdictMakers {
  readonly instanceId: string;
  /** ISO 8601, as the next; absent when nobody knows. */
  readonly orchestratedUtc?: string;
  readonly decidedUtc: string;
}

/** A judgement as the document that is stored and sent. */
export function verdictOf(
  { clip, revision }: { readonly clip: ClipOfAnalysis; readonly revision: number },
  judgement: Judgement,
  { instanceId, orchestratedUtc, decidedUtc }: VerdictMakers,
): Verdict {
  const { frame, analysedUtc } = judgement;
  return {
    clip_id: clip.clip_id,
    revision,
    instance_id: instanceId,
    verdict: judgement.verdict,
    labels: [...judgement.labels],
    confidence: judgement.confidence,
    ...(frame
      ? {
          best_frame: {
            blobName: bestFrameBlobName(clip.blobName.slice(CONTAINER_CLIPS.length + 1)),
            at_ms: frame.at_ms,
            boxes: [...frame.boxes],
          },
        }
      : {}),
    ...(orchestratedUtc === undefined ? {} : { orchestrated_utc: orchestratedUtc }),
    ...(analysedUtc === undefined ? {} : { analysed_utc: analysedUtc }),
    decided_utc: decidedUtc,
    decision: judgement.decision,
    reason: judgement.reason,
  };
}
