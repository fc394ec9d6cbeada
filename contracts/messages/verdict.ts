import { Type, type Static } from 'typebox';
import { Address, Box, ClipId, Count, InstanceId, IsoTime, OneOf, Sentence, Word } from '../schema-types.ts';

export const VERDICTS = ['person', 'vehicle', 'animal', 'nothing', 'undecided'] as const;
/** Most labels and boxes that a verdict or an analysis names. A message to the house has at most 64 KB. */
export const LABELS_MAX = 200;
export const BOXES_MAX = 400;

export const DECISIONS = ['notified', 'marked-safe', 'recorded', 'escalated', 'failed'] as const;

/** What the cloud decided about a clip. Sent to the house as a cloud-to-device message and kept beside the
 *  blob as `<clip>.verdict.json`. `messageId` of the message is `<clip_id>.<revision>`. */
export const Verdict = Type.Object(
  {
    clip_id: ClipId,
    revision: Count('A higher revision replaces a lower one', 1),
    instance_id: InstanceId('Orchestration that decided'),
    verdict: OneOf(VERDICTS, 'What was seen'),
    labels: Type.Array(Word('COCO class name'), {
      maxItems: LABELS_MAX,
      description: 'COCO class names seen, most confident first',
    }),
    confidence: Type.Number({ minimum: 0, maximum: 1, description: 'Highest confidence behind the verdict' }),
    best_frame: Type.Optional(
      Type.Object({
        blobName: Address('Annotated picture beside the clip, in the container of the clips'),
        at_ms: Count('Time in the clip'),
        boxes: Type.Array(Type.Object({ label: Word('COCO class name'), box: Box }), {
          maxItems: BOXES_MAX,
        }),
      }),
    ),
    orchestrated_utc: Type.Optional(IsoTime('When the orchestration began')),
    analysed_utc: Type.Optional(IsoTime('When the worker ended')),
    decided_utc: IsoTime('When the decision was made'),
    decision: OneOf(DECISIONS, 'What was done about it'),
    reason: Sentence('One sentence for a person'),
  },
  { $id: 'dachawatch/verdict/1' },
);
export type Verdict = Static<typeof Verdict>;

/** Why a verdict contradicts itself, as one sentence; undefined when it does not. Shapes and bounds are the schema's. */
export function contradictionIn({ verdict, decision, confidence }: Verdict): string | undefined {
  const isSeen = verdict !== 'nothing' && verdict !== 'undecided';
  if (decision === 'marked-safe' && verdict !== 'nothing')
    return `/decision: a clip cannot be marked safe when its verdict is "${verdict}"`;
  if (verdict === 'undecided' && decision !== 'escalated' && decision !== 'failed')
    return `/decision: "${decision}" does not fit the verdict "undecided": a person has to look`;
  if (decision === 'failed' && verdict !== 'undecided')
    return `/decision: an analysis that failed cannot have the verdict "${verdict}"`;
  if (isSeen && confidence === 0) return `/confidence: "${verdict}" was seen with no confidence at all`;
  if (verdict === 'undecided' && confidence > 0)
    return `/confidence: ${confidence} does not fit the verdict "undecided"`;
  return undefined;
}
