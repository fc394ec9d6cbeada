import { Type, type Static } from 'typebox';
import { ClipId, IsoTime, Name } from '../schema-types.ts';

/** What a direct method answers has at most this many bytes at IoT Hub. */
export const METHOD_ANSWER_LIMIT_BYTES = 128 * 1024;

export const SnapshotRequest = Type.Object(
  { cameraId: Type.Optional(Name('The only camera when absent')) },
  { $id: 'dachawatch/snapshot-request/1' },
);
export type SnapshotRequest = Static<typeof SnapshotRequest>;

/** A picture of the small stream, now. */
export const SnapshotAnswer = Type.Object(
  {
    cameraId: Name('Of the camera'),
    takenUtc: IsoTime('When the picture came'),
    widthPx: Type.Integer({ minimum: 1 }),
    heightPx: Type.Integer({ minimum: 1 }),
    jpeg: Type.String({ description: 'The picture, base64' }),
  },
  { $id: 'dachawatch/snapshot-answer/1' },
);
export type SnapshotAnswer = Static<typeof SnapshotAnswer>;

export const RecordNowRequest = Type.Object(
  { cameraId: Type.Optional(Name('Every camera when absent')) },
  { $id: 'dachawatch/record-now-request/1' },
);
export type RecordNowRequest = Static<typeof RecordNowRequest>;

export const RecordNowAnswer = Type.Object(
  {
    clips: Type.Array(
      Type.Object({
        cameraId: Name('Of the camera'),
        clipId: Type.Optional(ClipId),
        problem: Type.Optional(Type.String({ description: 'Why this camera records nothing' })),
      }),
    ),
  },
  { $id: 'dachawatch/record-now-answer/1' },
);
export type RecordNowAnswer = Static<typeof RecordNowAnswer>;

/** What a direct method answers when it cannot do as asked. Status: 400 the request does not fit, 404 no such camera
 *  or method, 409 not now, 500 a fault of ours, 503 the camera gives no picture. */
export const MethodProblem = Type.Object(
  { code: Type.String(), message: Type.String({ description: 'One sentence for a person' }) },
  { $id: 'dachawatch/method-problem/1' },
);
export type MethodProblem = Static<typeof MethodProblem>;
