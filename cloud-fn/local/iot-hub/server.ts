import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createAmqpServer } from './amqp/amqp-server.ts';
import { noFaults, type Faults } from './faults.ts';
import { createMqttServer, type MqttServer } from './mqtt/mqtt-server.ts';
import type { PacketTrace } from './mqtt/wire.ts';
import { SERVICE_POLICY, type HubParts, type Telemetry } from './parts.ts';
import { createRestServer } from './rest/rest-server.ts';
import { createTicketSigner } from './rest/sign-ticket.ts';
import { openDatabase, setting } from './store/database.ts';
import { createDevices, isDeviceId, type Devices } from './store/devices.ts';
import { createEvents, type Events } from './store/events.ts';
import { createFeedback } from './store/feedback.ts';
import { createMessages } from './store/messages.ts';
import { createTickets, type Tickets } from './store/tickets.ts';
import { createTwins, type Twins } from './store/twins.ts';

const SWEEP_MS = 5_000;

export interface IotHubOptions {
  /** Folder of the hub's memory. */
  readonly dataDir: string;
  /** PEM files; the certificate covers `localhost`. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The hub's name in tokens and user names. */
  readonly hostName: string;
  /** 0: the system chooses. */
  readonly mqttPort?: number;
  readonly httpsPort?: number;
  readonly amqpPort?: number;
  /** Connection string of the storage account behind file upload; without it tickets are refused. */
  readonly storageConnection?: string;
  /** Container of the uploads. */
  readonly container?: string;
  /** Devices that must exist; their keys are made once and kept. */
  readonly devices?: readonly string[];
  readonly nowMs?: () => number;
  /** How often messages that outlived their time are looked for, milliseconds. */
  readonly sweepMs?: number;
  readonly log?: HubParts['log'];
  readonly onTelemetry?: (telemetry: Telemetry) => void;
  readonly onTrace?: (trace: PacketTrace) => void;
}

export interface RunningIotHub {
  readonly mqttPort: number;
  readonly httpsPort: number;
  readonly amqpPort: number;
  /** For the device SDK. Point it here with `GatewayHostName=localhost:<mqttPort>`.
   *  @throws when the device is not registered */
  deviceConnectionString(deviceId: string): string;
  /** For the service SDK's AMQP client: its host is `localhost:<amqpPort>`. */
  readonly serviceConnectionString: string;
  readonly faults: Faults;
  readonly mqtt: Pick<MqttServer, 'open' | 'shut' | 'reset' | 'drop' | 'forgetSessions' | 'isConnected'>;
  readonly devices: Devices;
  readonly twins: Pick<Twins, 'get'>;
  readonly events: Pick<Events, 'list'>;
  /** Upload tickets that were never given back stop counting, as they do an hour later. */
  readonly tickets: Pick<Tickets, 'forgetAll' | 'openCount'>;
  stop(): Promise<void>;
}

/** A loopback IoT Hub for the unmodified device and service SDKs.
 *  @throws when a port is taken, the folder is in use, or an option is unusable */
export async function startIotHub(options: IotHubOptions): Promise<RunningIotHub> {
  const { hostName, devices: wanted = [], container = 'dacha-video' } = options;
  const nowMs = options.nowMs ?? Date.now;
  for (const id of wanted) if (!isDeviceId(id)) throw new Error(`${JSON.stringify(id)} is not a device id`);
  const [cert, key] = [readFileSync(options.certFile), readFileSync(options.keyFile)];
  const signTicket = options.storageConnection
    ? createTicketSigner({ connection: options.storageConnection, container, nowMs })
    : undefined;

  const db = openDatabase(options.dataDir);
  const devices = createDevices(db);
  const feedback = createFeedback({
    db,
    devices,
    nowMs,
    // Behind the transaction that wrote it.
    onFeedback: () => queueMicrotask(() => amqp.feedbackReady()),
  });
  const messages = createMessages({ db, feedback, nowMs });
  const events = createEvents({ db, nowMs });
  for (const deviceId of events.stillConnected())
    events.record({ deviceId, kind: 'connection', topic: '', body: Buffer.from('{"state":"disconnected"}') });
  const parts: HubParts = {
    hostName,
    cert,
    key,
    nowMs,
    faults: noFaults(),
    devices,
    messages,
    feedback,
    twins: createTwins(db),
    tickets: createTickets({ db, nowMs }),
    events,
    serviceKey: setting(db, 'service-key', () => randomBytes(32).toString('base64')),
    log: options.log ?? (() => {}),
    onTelemetry: options.onTelemetry ?? (() => {}),
    onTrace: options.onTrace ?? (() => {}),
  };
  for (const deviceId of wanted) if (!devices.get(deviceId)) devices.put({ deviceId });

  const mqtt = createMqttServer(parts, { port: options.mqttPort ?? 0 });
  const hostNames = (): string[] => [
    hostName,
    ...[undefined, amqp.port(), rest.port()].flatMap((port) =>
      ['localhost', '127.0.0.1'].map((host) => (port === undefined ? host : `${host}:${port}`)),
    ),
  ];
  const rest = createRestServer(
    parts,
    { ...parts, mqtt, signTicket },
    { port: options.httpsPort ?? 0, hostNames },
  );
  const amqp = createAmqpServer(parts, {
    port: options.amqpPort ?? 0,
    hostNames,
    wake: (id) => mqtt.wake(id),
  });

  const listeners = [mqtt, rest, amqp];
  const sweep = setInterval(() => {
    messages.expire();
    amqp.feedbackReady();
  }, options.sweepMs ?? SWEEP_MS);
  const stop = async () => {
    clearInterval(sweep);
    await Promise.all(listeners.map((listener) => listener.shut()));
    if (db.open) db.close();
  };
  try {
    for (const listener of listeners) await listener.open();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    mqttPort: mqtt.port(),
    httpsPort: rest.port(),
    amqpPort: amqp.port(),
    deviceConnectionString: (deviceId) => {
      const device = devices.get(deviceId);
      if (!device) throw new Error(`device ${deviceId} is not registered`);
      return `HostName=${hostName};DeviceId=${deviceId};SharedAccessKey=${device.primaryKey}`;
    },
    serviceConnectionString: `HostName=localhost:${amqp.port()};SharedAccessKeyName=${SERVICE_POLICY};SharedAccessKey=${parts.serviceKey}`,
    faults: parts.faults,
    mqtt,
    devices,
    twins: parts.twins,
    events,
    tickets: parts.tickets,
    stop,
  };
}
