import { Type, type Static } from 'typebox';
import { ADDRESS_MAX, ClipId, IsoTime, Name, OneOf, Sentence } from '../schema-types.ts';
import { CONDITION_CODES, CONDITION_LEVELS } from './conditions.ts';
import type { SuppressionCounts } from './suppression.ts';
import { CAMERA_STATES, ReportedBacklog, ReportedHealth, ReportedPower, ReportedStorage } from './twin.ts';

const clip = { clipId: ClipId, cameraId: Name('Of the clip') };
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** What each kind of event says beside its envelope. */
export const TELEMETRY_DATA = {
  'clip.sealed': Type.Object({
    ...clip,
    triggeredUtc: IsoTime('When it was triggered'),
    durationMs: Count,
    bytes: Count,
  }),
  'clip.uploaded': Type.Object({
    ...clip,
    blobUrl: Type.String({ maxLength: ADDRESS_MAX, description: 'Without any signature' }),
    attempt: Count,
  }),
  'clip.lost': Type.Object({ ...clip, reason: Sentence('Why') }),
  'recording.refused': Type.Object({
    cameraId: Name('Of the camera'),
    count: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Movements that were not recorded, since the last such event',
    }),
    sinceUtc: IsoTime('When the first of them was'),
    reason: Type.String({ maxLength: 1_000, description: 'Why the newest was not, for a person' }),
  }),
  'condition.state': Type.Object({
    code: OneOf(CONDITION_CODES, 'What it is about'),
    level: OneOf(CONDITION_LEVELS, 'How much it matters'),
    subject: Type.Optional(Type.String({ maxLength: 64, description: 'Which one' })),
    state: OneOf(['raised', 'cleared'], 'The new one'),
    detail: Type.Optional(Type.String({ maxLength: 1_000, description: 'One sentence for a person' })),
  }),
  'trigger.suppressed': Type.Object({
    cameraId: Name('Of the camera'),
    hourUtc: IsoTime('Beginning of the hour'),
    // Any text: the reader may be older than the appliance.
    reasons: Type.Unsafe<SuppressionCounts>(
      Type.Record(Type.String(), Count, { maxProperties: 64, description: 'Count by reason' }),
    ),
  }),
  'camera.state': Type.Object({
    cameraId: Name('Of the camera'),
    state: OneOf(CAMERA_STATES, 'The new one'),
    detail: Type.Optional(Sentence('What is wrong')),
  }),
  'power.state': ReportedPower,
  'link.state': Type.Object({
    state: OneOf(['online', 'offline', 'refused'], 'The new one'),
    detail: Type.Optional(Sentence('What is wrong')),
  }),
  'storage.state': Type.Object({
    state: OneOf(['room', 'nearly-full', 'full'], 'full: nothing can be recorded now'),
    ...ReportedStorage.properties,
  }),
  heartbeat: Type.Object({
    backlog: ReportedBacklog,
    health: Type.Optional(ReportedHealth),
    camerasLive: Count,
    cameras: Count,
  }),
} as const;

export type TelemetryEvent = keyof typeof TELEMETRY_DATA;
export type TelemetryData<E extends TelemetryEvent> = Static<(typeof TELEMETRY_DATA)[E]>;
export const TELEMETRY_EVENTS = Object.keys(TELEMETRY_DATA) as readonly TelemetryEvent[];

/** A device event. The message id on the wire is `eventId`, so a repetition changes nothing. */
export const Telemetry = Type.Object(
  {
    schema: Type.Literal('dachawatch/telemetry/1'),
    eventId: ClipId,
    event: OneOf(TELEMETRY_EVENTS as [TelemetryEvent, ...TelemetryEvent[]], 'Kind of the event'),
    deviceTimeUtc: IsoTime('Wall time of the device'),
    monotonicMs: Type.Number({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Monotonic time of the process, milliseconds',
    }),
    clockQuality: OneOf(['synchronised', 'unsynchronised'], 'Whether the wall time can be trusted'),
    data: Type.Record(Type.String(), Type.Unknown(), {
      maxProperties: 64,
      description: 'By the kind of the event',
    }),
  },
  { $id: 'dachawatch/telemetry/1' },
);
export type Telemetry = Static<typeof Telemetry>;
