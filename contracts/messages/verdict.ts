import { Type, type Static } from 'typebox';
import { Box, ClipId, IsoTime, OneOf } from '../schema-types.ts';

export const VERDICTS = ['person', 'vehicle', 'animal', 'nothing', 'undecided'] as const;
export const DECISIONS = ['notified', 'marked-safe', 'recorded', 'escalated', 'failed'] as const;

/** What the cloud decided about a clip. Sent to the house as a cloud-to-device message and kept beside the
 *  blob as `<clip>.verdict.json`. `messageId` of the message is `<clip_id>.<revision>`. */
export const Verdict = Type.Object(
  {
    clip_id: ClipId,
    revision: Type.Integer({ minimum: 1, description: 'A higher revision replaces a lower one' }),
    instance_id: Type.String({ minLength: 1 }),
    verdict: OneOf(VERDICTS, 'What was seen'),
    labels: Type.Array(Type.String(), { description: 'COCO class names seen, most confident first' }),
    confidence: Type.Number({ minimum: 0, maximum: 1, description: 'Highest confidence behind the verdict' }),
    best_frame: Type.Optional(
      Type.Object({
        blobName: Type.String({
          description: 'Annotated picture beside the clip, in the container of the clips',
        }),
        at_ms: Type.Integer({ minimum: 0, description: 'Time in the clip' }),
        boxes: Type.Array(Type.Object({ label: Type.String(), box: Box })),
      }),
    ),
    orchestrated_utc: Type.Optional(IsoTime('When the orchestration began')),
    analysed_utc: Type.Optional(IsoTime('When the worker ended')),
    decided_utc: IsoTime('When the decision was made'),
    decision: OneOf(DECISIONS, 'What was done about it'),
    reason: Type.String({ description: 'One sentence for a person' }),
  },
  { $id: 'dachawatch/verdict/1' },
);
export type Verdict = Static<typeof Verdict>;
