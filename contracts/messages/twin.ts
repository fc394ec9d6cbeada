import { Type, type Static } from 'typebox';
import { ADDRESS_MAX, Count, IsoTime, Name, OneOf, Sentence, Word } from '../schema-types.ts';
import { CameraConfig, RecordingConfig } from './appliance.ts';
import { CONDITIONS_MAX, ReportedCondition } from './conditions.ts';

/** `down` is what versions before 0.2 say of a camera that is unreachable, refused or unsupported. */
export const CAMERA_STATES = [
  'starting',
  'live',
  'blind',
  'stalled',
  'unreachable',
  'refused',
  'unsupported',
  'down',
] as const;
export const POWER_STATES = ['unknown', 'on-mains', 'on-battery', 'low', 'critical'] as const;
export const SHUTDOWN_PHASES = ['sealing', 'telling', 'waiting', 'requested'] as const;

/** A house has sixteen at most; a document may come from a program that allows more. */
const CAMERAS_MAX = 64;

const { id: _, ...cameraProperties } = CameraConfig.properties;

/** A camera as the desired properties have it. Each property stands for itself; one that is absent is as in `appliance.json`.
 *  A camera that `appliance.json` does not know needs `main` and `sub`. */
export const DesiredCamera = Type.Partial(Type.Object(cameraProperties));
export type DesiredCamera = Static<typeof DesiredCamera>;

/** Desired properties that this version obeys. They are read property by property: one that does not fit is
 *  refused by itself, with path and reason, and the others are applied. */
export const TwinDesired = Type.Object(
  {
    recording: Type.Optional(Type.Partial(Type.Object(RecordingConfig.properties))),
    cameras: Type.Optional(
      Type.Record(Name('Id of the camera'), DesiredCamera, {
        maxProperties: CAMERAS_MAX,
        description: 'By the id of the camera',
      }),
    ),
  },
  { $id: 'dachawatch/twin-desired/1' },
);
export type TwinDesired = Static<typeof TwinDesired>;

const Bytes = (description: string) => Count(description);

export const ReportedPower = Type.Object({
  state: OneOf(POWER_STATES, 'unknown: there is no UPS, or it does not answer'),
  sinceUtc: IsoTime('Since when'),
  detail: Type.Optional(Sentence('One sentence for a person')),
  volts: Type.Optional(
    Type.Number({ minimum: -1_000, maximum: 1_000, description: 'Of the pack, filtered' }),
  ),
  amps: Type.Optional(
    Type.Number({ minimum: -1_000, maximum: 1_000, description: 'Positive: the battery is being charged' }),
  ),
  percent: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100, description: 'By voltage: a rough guess' }),
  ),
  minutesLeft: Type.Optional(Count('At the present current; only on battery')),
  shutdown: Type.Optional(OneOf(SHUTDOWN_PHASES, 'Present while the appliance is switching itself off')),
});
export type ReportedPower = Static<typeof ReportedPower>;

/** What the appliance measures about itself. A fact that this machine does not offer is absent. */
export const ReportedHealth = Type.Object({
  cpuCelsius: Type.Optional(Type.Number({ minimum: -273, maximum: 1_000 })),
  throttled: Type.Optional(
    Type.Array(Word('What the firmware says'), {
      maxItems: 16,
      description:
        'under-voltage, frequency-capped, throttled, soft-temperature-limit; with -since-boot when only earlier',
    }),
  ),
  load1: Type.Number({ minimum: 0, maximum: 1_000_000, description: 'Load average of one minute' }),
  cores: Type.Integer({ minimum: 1, maximum: 65_536 }),
  memoryTotalBytes: Bytes('Of the machine'),
  memoryAvailableBytes: Bytes('Without swapping'),
  agentBytes: Bytes('Resident set of the agent and its children'),
  uptimeSeconds: Count('Of the machine'),
  agentUptimeSeconds: Count('Of the agent'),
  clock: OneOf(['synchronised', 'unsynchronised'], 'Whether the wall clock can be trusted'),
});
export type ReportedHealth = Static<typeof ReportedHealth>;

export const ReportedStorage = Type.Object({
  clips: Count('Clips that the ledger knows'),
  clipBytes: Bytes('Of clips on this disk'),
  clipBytesMax: Bytes('The budget'),
  diskFreeBytes: Bytes('Of the file system of the clips'),
  diskTotalBytes: Bytes('Of the file system of the clips'),
});
export type ReportedStorage = Static<typeof ReportedStorage>;

export const ReportedBacklog = Type.Object({
  waiting: Count('Clips that wait for upload'),
  awaitingVerdict: Count('Clips uploaded and not judged'),
  oldestWaitingUtc: Type.Optional(IsoTime('When the clip was triggered that waits longest')),
  events: Count('Telemetry that waits to be sent'),
});
export type ReportedBacklog = Static<typeof ReportedBacklog>;

export const ReportedVersions = Type.Object({
  agent: Word('Of the agent'),
  node: Word('Of Node'),
  kernel: Word('Of the kernel'),
  os: Word('Name and release'),
  hardware: Word('Model of the board, or the architecture'),
});
export type ReportedVersions = Static<typeof ReportedVersions>;

export const ReportedCamera = Type.Object({
  state: OneOf(CAMERA_STATES, 'Of the camera'),
  sinceUtc: IsoTime('Since when'),
  detail: Type.Optional(Sentence('What is wrong, for a person')),
  lastFrameAgeMs: Type.Optional(Count('Age of the newest picture when this was reported')),
  settings: Type.Optional(DesiredCamera),
});
export type ReportedCamera = Static<typeof ReportedCamera>;

export const Refusal = Type.Object({
  path: Type.String({ maxLength: ADDRESS_MAX, description: 'JSON pointer into the desired properties' }),
  reason: Sentence('One sentence for a person'),
});
export type Refusal = Static<typeof Refusal>;

/** Reported properties. What is not known is absent, never null: null deletes. */
export const TwinReported = Type.Object(
  {
    schema: Type.Literal('dachawatch/twin-reported/1'),
    desiredVersion: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: '`$version` of the desired properties that this answers; 0: none was seen yet',
    }),
    recording: RecordingConfig,
    cameras: Type.Record(Name('Id of the camera'), ReportedCamera, { maxProperties: CAMERAS_MAX }),
    power: ReportedPower,
    storage: Type.Optional(ReportedStorage),
    backlog: Type.Optional(ReportedBacklog),
    health: Type.Optional(ReportedHealth),
    versions: ReportedVersions,
    conditions: Type.Optional(
      Type.Array(ReportedCondition, {
        maxItems: CONDITIONS_MAX,
        description: 'What is wrong with the appliance now, the worst first; empty: nothing',
      }),
    ),
    refused: Type.Array(Refusal, {
      maxItems: 1_000,
      description: 'Every desired value that was not applied',
    }),
    leftOut: Type.Optional(
      Sentence('What the document leaves out because the twin has no room; absent: nothing'),
    ),
  },
  { $id: 'dachawatch/twin-reported/1' },
);
export type TwinReported = Static<typeof TwinReported>;
