import { Type, type Static, type TSchema } from 'typebox';
import { ClipId, Count, IsoTime, Name, OneOf, Sentence, Word } from '../schema-types.ts';

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

export const CheckCameraRequest = Type.Object(
  { cameraId: Type.Optional(Name('The only camera when absent')) },
  { $id: 'dachawatch/check-camera-request/1' },
);
export type CheckCameraRequest = Static<typeof CheckCameraRequest>;

const StreamName = OneOf(['main', 'sub'], 'Which of the two streams of a camera');
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const amount = (description: string) => Type.Number({ minimum: 0, maximum: 1e12, description });

/** What a stream was while it was watched for ten seconds. */
const Measures = Type.Object({
  encoding: Type.Optional(
    orNull(OneOf(['H264', 'H265'], 'How its pictures are coded; null: nothing of it came')),
  ),
  profile: orNull(Word('Profile and level, like High 4.0')),
  widthPx: orNull(Count('Of a picture')),
  heightPx: orNull(Count('Of a picture')),
  pictures: Count('Pictures that could be decoded'),
  framesPerSecond: orNull(amount('Pictures in a second')),
  keyFrames: Count('Key frames'),
  keyFrameMs: orNull(Count('Longest time between two key frames')),
  bitsPerSecond: orNull(Count('Of all that came')),
  clockRate: orNull(amount("Seconds of the camera's stamps in a second of ours; 0: its clock stands still")),
  clockSteps: Count('How often its clock was set meanwhile'),
  bPictures: Type.Boolean({ description: 'It has pictures that are sent behind later ones' }),
  slices: Count('Most slices of a picture'),
  parameterSets: OneOf(['stream', 'description', 'both', 'none'], 'Where parameter sets came'),
  losses: Count('How often packets were missing'),
});

/** What a camera's streams are, and what to set in the camera. */
export const CheckCameraAnswer = Type.Object(
  {
    cameraId: Name('Of the camera'),
    usable: Type.Boolean({ description: 'It can be recorded and watched as it is' }),
    streams: Type.Array(
      Type.Object({
        stream: StreamName,
        loginBy: orNull(Word('How the login went, like Digest MD5; null: none was wanted')),
        trouble: orNull(Sentence('Why it cannot be had; null: it can')),
        measures: orNull(Measures),
      }),
      { maxItems: 2 },
    ),
    advice: Type.Array(
      Type.Object({
        stream: StreamName,
        isFatal: Type.Boolean({ description: 'The stream cannot be used as it is' }),
        sentence: Sentence('What is wrong and what to set, without its subject'),
      }),
      { maxItems: 64 },
    ),
  },
  { $id: 'dachawatch/check-camera-answer/1' },
);
export type CheckCameraAnswer = Static<typeof CheckCameraAnswer>;

/** What a direct method answers when it cannot do as asked. Status: 400 the request does not fit, 404 no such camera, clip
 *  or method, 409 not now, 500 a fault of ours, 503 the camera gives no picture. */
export const MethodProblem = Type.Object(
  { code: Word('Stable, searchable code'), message: Sentence('One sentence for a person') },
  { $id: 'dachawatch/method-problem/1' },
);
export type MethodProblem = Static<typeof MethodProblem>;
