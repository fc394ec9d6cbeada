import { Type, type Static } from 'typebox';
import { IsoTime } from '../schema-types.ts';

/** Queue `video-to-processing`: the orchestration asks the worker to analyse one clip. */
export const ProcessingRequest = Type.Object(
  {
    instance_id: Type.String({ minLength: 1, description: 'Orchestration that waits for the answer' }),
    blobUrl: Type.String({ minLength: 1, description: 'Address of the clip, without any signature' }),
    blobName: Type.String({ minLength: 1, description: 'Container and path: dacha-video/<blob>' }),
    posted: IsoTime('When the request was made'),
  },
  { $id: 'dachawatch/processing-request/1' },
);
export type ProcessingRequest = Static<typeof ProcessingRequest>;
