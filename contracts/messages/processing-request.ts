import { Type, type Static } from 'typebox';
import { Address, InstanceId, IsoTime } from '../schema-types.ts';

/** Queue `video-to-processing`: the orchestration asks the worker to analyse one clip. */
export const ProcessingRequest = Type.Object(
  {
    instance_id: InstanceId('Orchestration that waits for the answer'),
    blobUrl: Address('Address of the clip, without any signature'),
    blobName: Address('Container and path: dacha-video/<blob>'),
    posted: IsoTime('When the request was made'),
  },
  { $id: 'dachawatch/processing-request/1' },
);
export type ProcessingRequest = Static<typeof ProcessingRequest>;
