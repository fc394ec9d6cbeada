import { Type, type Static } from 'typebox';
import { ClipId, IsoTime, Name, OneOf, Sentence, Word } from '../schema-types.ts';

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
    widthPx: Type.Integer({ minimum: 1, maximum: 65_535 }),
    heightPx: Type.Integer({ minimum: 1, maximum: 65_535 }),
    jpeg: Type.String({ maxLength: METHOD_ANSWER_LIMIT_BYTES, description: 'The picture, base64' }),
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
        problem: Type.Optional(Sentence('Why this camera records nothing')),
      }),
      { maxItems: 64 },
    ),
  },
  { $id: 'dachawatch/record-now-answer/1' },
);
export type RecordNowAnswer = Static<typeof RecordNowAnswer>;

/** An operator wants a clip uploaded that was refused, or that waits for its next try. */
export const RetryClipRequest = Type.Object({ clipId: ClipId }, { $id: 'dachawatch/retry-clip-request/1' });
export type RetryClipRequest = Static<typeof RetryClipRequest>;

export const RetryClipAnswer = Type.Object(
  {
    clipId: ClipId,
    outcome: OneOf(
      ['returned', 'waiting', 'uploaded'],
      'returned: it was parked and is in the queue again; waiting: it is in the queue, or still recorded; uploaded: there is nothing to do',
    ),
  },
  { $id: 'dachawatch/retry-clip-answer/1' },
);
export type RetryClipAnswer = Static<typeof RetryClipAnswer>;

/** What a direct method answers when it cannot do as asked. Status: 400 the request does not fit, 404 no such camera, clip
 *  or method, 409 not now, 500 a fault of ours, 503 the camera gives no picture. */
export const MethodProblem = Type.Object(
  { code: Word('Stable, searchable code'), message: Sentence('One sentence for a person') },
  { $id: 'dachawatch/method-problem/1' },
);
export type MethodProblem = Static<typeof MethodProblem>;
