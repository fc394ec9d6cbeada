import { Type, type Static } from 'typebox';
import { Box, OneOf, Sha256 } from '../schema-types.ts';

/** What the worker found in a clip: the `details` of a processing result. */
export const AnalysisDetails = Type.Object(
  {
    schema_version: Type.Integer({ minimum: 1, description: 'A newer one only adds fields' }),
    model: Type.Object({
      name: Type.String({ description: 'Name in the model manifest' }),
      sha256: Sha256('SHA-256 of the weights that were loaded'),
      licence: Type.String({ description: 'Licence of the weights, SPDX where one exists' }),
    }),
    frames: Type.Object({
      decoded: Type.Integer({ minimum: 0 }),
      analysed: Type.Integer({ minimum: 0 }),
    }),
    detections: Type.Array(
      Type.Object({
        label: Type.String({ description: 'COCO class name' }),
        count_max: Type.Integer({ minimum: 1, description: 'Most of them seen in one frame' }),
        confidence_max: Type.Number({ minimum: 0, maximum: 1 }),
        first_ms: Type.Integer({ minimum: 0, description: 'Time in the clip of the first sighting' }),
        last_ms: Type.Integer({ minimum: 0, description: 'Time in the clip of the last sighting' }),
        frames: Type.Integer({ minimum: 1, description: 'Analysed frames that show it' }),
        boxes: Type.Array(Box, { description: 'Boxes of this label in the best frame' }),
      }),
    ),
    best_frame: Type.Optional(
      Type.Object({
        blobName: Type.String({ description: 'Annotated picture in the frames container' }),
        at_ms: Type.Integer({ minimum: 0, description: 'Time in the clip' }),
      }),
    ),
    cpu_ms: Type.Integer({ minimum: 0, description: 'CPU time of worker and decoder for this clip' }),
    strategy: OneOf(['every-frame', 'fixed-rate', 'key-frames'], 'Which frames were analysed'),
  },
  { $id: 'dachawatch/analysis-details/1' },
);
export type AnalysisDetails = Static<typeof AnalysisDetails>;
