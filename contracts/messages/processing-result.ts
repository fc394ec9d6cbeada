import { Type, type Static } from 'typebox';
import { Address, InstanceId, IsoTime, OneOf, Sentence, Word } from '../schema-types.ts';
import { AnalysisDetails } from './analysis-details.ts';

/** Queue `video-processed`: the worker's answer. `details` of a FAILED result carries `error` instead. */
export const ProcessingResult = Type.Object(
  {
    instance_id: InstanceId('Orchestration that waits for this answer'),
    blobUrl: Address('Address of the clip, without any signature'),
    blobName: Address('Container and path: dacha-video/<blob>'),
    status: OneOf(['PROCESSED', 'FAILED'], 'Whether the clip could be analysed'),
    start_timestamp: IsoTime('When the worker began'),
    stop_timestamp: IsoTime('When the worker ended'),
    details: Type.Union([
      AnalysisDetails,
      Type.Object({
        error: Type.Object({
          code: Word('Stable, searchable code'),
          message: Sentence('One sentence for a person'),
        }),
      }),
      Type.Object(
        {},
        { additionalProperties: false, description: 'The original worker sent an empty object' },
      ),
    ]),
  },
  { $id: 'dachawatch/processing-result/1' },
);
export type ProcessingResult = Static<typeof ProcessingResult>;
