import { Type, type Static } from 'typebox';
import { Name } from '../schema-types.ts';
import { readCameraAddress } from './camera-address.ts';
import { PowerConfig } from './power-config.ts';
import { Lines, Masks, TimeZone, Zones } from './zones.ts';

/** No pattern: it could only say that something is wrong, and would speak first. */
const StreamUrl = (description: string) =>
  Type.Refine(
    Type.String({ description, format: 'camera-address', maxLength: 1024 }),
    (text) => objectionToAddress(text) === undefined,
    (text) => `must be an address like rtsp://192.168.1.20:554/stream1; it ${objectionToAddress(text)}`,
  );

function objectionToAddress(text: string): string | undefined {
  const read = readCameraAddress(text);
  if ('problem' in read) return read.problem;
  if (read.login)
    return 'holds a login: that belongs into a credential file on the appliance, named in "credential"';
  return read.address === text ? undefined : 'does not begin with rtsp:// or rtsps:// in small letters';
}

export const CameraConfig = Type.Object(
  {
    id: Name('Short name of the camera, used in file and blob names'),
    title: Type.Optional(Type.String({ maxLength: 80, description: 'Name a person reads' })),
    main: StreamUrl('RTSP address of the full picture; recorded, never decoded. No password in it'),
    sub: StreamUrl('RTSP address of the small picture; decoded to look for motion. No password in it'),
    credential: Type.Optional(
      Name('Credential file with {"username","password"} in the credentials directory'),
    ),
    subCredential: Type.Optional(
      Name('Credential file of the small picture, if its login is another one than that of `credential`'),
    ),
    sensitivity: Type.Integer({
      minimum: 1,
      maximum: 10,
      default: 5,
      description: 'How little motion starts a recording: 1 only large and clear motion, 10 almost any',
    }),
    timeZone: Type.Optional(
      TimeZone('IANA name of the time zone of schedules; that of the appliance when absent'),
    ),
    zones: Type.Optional(Zones),
    masks: Type.Optional(Masks),
    lines: Type.Optional(Lines),
  },
  { $id: 'dachawatch/camera/1' },
);
export type CameraConfig = Static<typeof CameraConfig>;

/** Longest pre-roll that may be asked for. A clip begins with a key frame, so it may have a little more. */
export const PRE_ROLL_MAX_MS = 30_000;

export const RecordingConfig = Type.Object(
  {
    preRollMs: Type.Integer({
      minimum: 0,
      maximum: PRE_ROLL_MAX_MS,
      default: 5_000,
      description: 'Kept from before the trigger',
    }),
    postRollMs: Type.Integer({
      minimum: 1_000,
      maximum: 300_000,
      default: 30_000,
      description: 'Recorded after the trigger',
    }),
    longestMs: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 3_600_000,
        description:
          'Motion that goes on extends a clip up to this length; another clip follows without a gap. Pre-roll plus post-roll when absent or less',
      }),
    ),
    cooldownMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        description:
          'After a clip, new motion of that camera begins none for so long; not at all when absent',
      }),
    ),
    dailyMinutes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_440,
        description:
          'Most minutes of clips of one camera within 24 hours; what moves then is noted and not recorded. No bound when absent',
      }),
    ),
  },
  { $id: 'dachawatch/recording/1' },
);
export type RecordingConfig = Static<typeof RecordingConfig>;

/** `appliance.json`: everything the agent is told. Secrets are named here and kept in the credentials directory. */
export const ApplianceConfig = Type.Object(
  {
    schema: Type.Literal('dachawatch/appliance/1'),
    deviceId: Name('Identity of this device at IoT Hub'),
    hub: Type.Object({
      credential: Name('Credential file that holds the IoT Hub device connection string'),
      mqttEndpoint: Type.Optional(
        Type.String({
          pattern: '^[^:/\\s]{1,253}:\\d{1,5}$',
          description: 'host:port of a gateway or local hub for MQTT; the hub itself when absent',
        }),
      ),
      httpsEndpoint: Type.Optional(
        Type.String({
          pattern: '^[^:/\\s]{1,253}:\\d{1,5}$',
          description:
            'host:port of a proxy or local hub for file-upload tickets; the hub itself when absent',
        }),
      ),
      caFile: Type.Optional(
        Type.String({
          maxLength: 4_096,
          description: 'PEM file with the certificate authority of a gateway or local hub',
        }),
      ),
    }),
    timeZone: Type.Optional(
      TimeZone('IANA name of the time zone in which schedules are meant; UTC when absent'),
    ),
    cameras: Type.Array(CameraConfig, { minItems: 1, maxItems: 16 }),
    recording: RecordingConfig,
    storage: Type.Object({
      maxBytes: Type.Integer({
        minimum: 50_000_000,
        maximum: Number.MAX_SAFE_INTEGER,
        default: 20_000_000_000,
        description: 'Most bytes of clips kept on this device',
      }),
    }),
    power: PowerConfig,
    dashboard: Type.Object({
      host: Type.String({
        maxLength: 253,
        default: '127.0.0.1',
        description:
          'Address to listen on. Another than loopback needs a password made on the device; without one the page stays on loopback',
      }),
      names: Type.Optional(
        Type.Array(
          Type.String({
            pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$',
            description: 'Name under which the page is reached, like house.example.org',
          }),
          { maxItems: 16, description: 'Beside the name of the machine and its addresses' },
        ),
      ),
      port: Type.Integer({
        minimum: 0,
        maximum: 65_535,
        default: 8080,
        description: '0: the system chooses',
      }),
    }),
  },
  { $id: 'dachawatch/appliance/1' },
);
export type ApplianceConfig = Static<typeof ApplianceConfig>;

/** A line break would end a line of what is said to the camera. */
const printable = (text: ReturnType<typeof Type.String>) =>
  Type.Refine(
    text,
    (value) => !/\p{Cc}/u.test(value),
    () => 'must not hold a line break or another character that cannot be printed',
  );

/** A camera's login, as it lies in the credentials directory. */
export const CameraCredential = Type.Object(
  {
    username: printable(Type.String({ minLength: 1, maxLength: 1_024 })),
    password: printable(Type.String({ maxLength: 1_024 })),
  },
  { $id: 'dachawatch/camera-credential/1' },
);
export type CameraCredential = Static<typeof CameraCredential>;
