import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import tls from 'node:tls';
import { parse, TwinReported } from '@dachawatch/contracts';
import iotDevice, { type Client as DeviceClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import iothub from 'azure-iothub';
import messages from 'azure-iothub/dist/common-core/message.js';
import {
  createHubLink,
  type DesiredDocument,
  type HubLink,
  type HubLinkDeps,
  type LinkTimings,
} from '../../../agent/hub/hub.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import type { InboxMessage } from '../../../agent/ledger/ledger.ts';
import { ensureCertificates, type Certificates } from '../../../cloud-fn/local/certificates.ts';
import type { PacketTrace } from '../../../cloud-fn/local/iot-hub/mqtt/wire.ts';
import type { Telemetry } from '../../../cloud-fn/local/iot-hub/parts.ts';
import {
  startIotHub,
  type IotHubOptions,
  type RunningIotHub,
} from '../../../cloud-fn/local/iot-hub/server.ts';

export const HUB_NAME = 'dacha-hub.local';
export const DEVICE = 'pi';

/** Short enough for tests, long enough for a busy machine. */
export const QUICK: Partial<LinkTimings> = {
  retry: { minMs: 20, maxMs: 200 },
  refusedMinMs: 50,
  probeMs: 100,
  stableMs: 1_000,
  callMs: 8_000,
  closeMs: 500,
  reportEveryMs: 50,
};

export const silent = createLog('silent');

/** Resolves with the first value that is neither false nor undefined; fails after two minutes. */
export async function eventually<T>(what: string, look: () => T | false | undefined): Promise<T> {
  const untilMs = performance.now() + 120_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > untilMs) assert.fail(`it did not happen in two minutes: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface World {
  readonly dir: string;
  readonly certificates: Certificates;
  /** PEM. */
  readonly ca: string;
  remove(): void;
}

/** A folder and a certificate authority that this process trusts: the service SDK has no option for one. */
export async function makeWorld(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-hub-'));
  const certificates = await ensureCertificates(join(dir, 'certificates'), [HUB_NAME]);
  const ca = readFileSync(certificates.caFile, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);
  return { dir, certificates, ca, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export interface TestHub extends RunningIotHub {
  readonly dataDir: string;
  /** Every packet of devices, as the hub saw it. */
  readonly packets: PacketTrace[];
  readonly telemetry: Telemetry[];
}

let hubs = 0;
export async function startHub(
  { dir, certificates }: World,
  { dataDir = join(dir, `hub-${++hubs}`), ...options }: Partial<IotHubOptions> = {},
): Promise<TestHub> {
  const packets: PacketTrace[] = [];
  const telemetry: Telemetry[] = [];
  const hub = await startIotHub({
    dataDir,
    certFile: certificates.certFile,
    keyFile: certificates.keyFile,
    hostName: HUB_NAME,
    devices: [DEVICE],
    onTrace: (trace) => packets.push(trace),
    onTelemetry: (message) => telemetry.push(message),
    ...options,
  });
  return { ...hub, dataDir, packets, telemetry };
}

export interface TestLink extends HubLink {
  /** What was stored, in order. */
  readonly stored: InboxMessage[];
  /** DesiredStream as they were delivered. */
  readonly desired: DesiredDocument[];
  readonly counts: { online: number; woken: number };
}

/** Where a link finds its hub: a running one, or one in another process. */
export interface Address {
  readonly connectionString: string;
  readonly mqttPort: number;
  readonly httpsPort: number;
}

export const addressOf = (hub: RunningIotHub, deviceId = DEVICE): Address => ({
  connectionString: hub.deviceConnectionString(deviceId),
  mqttPort: hub.mqttPort,
  httpsPort: hub.httpsPort,
});

let links = 0;
export function makeLink(
  { ca, dir }: World,
  { connectionString, mqttPort, httpsPort }: Address,
  { store, onDesired, ...deps }: Partial<HubLinkDeps> = {},
): TestLink {
  const stored: InboxMessage[] = [];
  const desired: DesiredDocument[] = [];
  const counts = { online: 0, woken: 0 };
  const link = createHubLink({
    credential: connectionString,
    mqttEndpoint: `localhost:${mqttPort}`,
    httpsEndpoint: `localhost:${httpsPort}`,
    ca,
    store: (message) => {
      store?.(message);
      stored.push(message);
    },
    onMessage: () => {
      counts.woken += 1;
    },
    onOnline: () => {
      counts.online += 1;
    },
    outbox: { outgoing: () => [], settleOutgoing: () => {} },
    onDesired: (document) => {
      desired.push(document);
      onDesired?.(document);
    },
    methods: {},
    ticketsFile: join(dir, `tickets-${++links}.json`),
    clock: systemClock,
    log: silent,
    timings: QUICK,
    ...deps,
  });
  return { ...link, stored, desired, counts };
}

export const online = (link: HubLink) =>
  eventually('the link is online', () => link.status().state === 'online');

export interface Service {
  send(messageId: string | undefined, body: string, deviceId?: string): Promise<void>;
  readonly client: iothub.Client;
  close(): Promise<void>;
}

/** The real service SDK, over AMQP. */
export async function openService(connectionString: string): Promise<Service> {
  const client = iothub.Client.fromConnectionString(connectionString);
  await client.open();
  return {
    client,
    send: async (messageId, body, deviceId = DEVICE) => {
      const message = new messages.Message(body);
      if (messageId !== undefined) message.messageId = messageId;
      message.ack = 'full';
      await client.send(deviceId, message);
    },
    close: async () => {
      await client.close();
    },
  };
}

/** The real device SDK, as it comes. */
export async function openDevice(
  { connectionString, mqttPort }: Pick<Address, 'connectionString' | 'mqttPort'>,
  ca: string,
): Promise<DeviceClient> {
  const gateway = `GatewayHostName=localhost:${mqttPort}`;
  const device = iotDevice.Client.fromConnectionString(`${connectionString};${gateway}`, Mqtt);
  await device.setOptions({ ca });
  await device.open();
  return device;
}

/** The service SDK always speaks to port 443 for REST; an agent takes it to the hub. */
export function pointAtHub(sdk: object, { httpsPort }: Pick<RunningIotHub, 'httpsPort'>): void {
  const agent = new https.Agent({ keepAlive: false });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) =>
    connect({ ...options, host: '127.0.0.1', port: httpsPort, servername: 'localhost' }, callback);
  (sdk as { _restApiClient: { setOptions(options: object): void } })._restApiClient.setOptions({
    http: { agent },
  });
}

/** For REST: without the port of AMQP. */
export const restConnectionString = ({ serviceConnectionString }: RunningIotHub) =>
  serviceConnectionString.replace(/localhost:\d+/, 'localhost');

/** Somebody at the service's side of the hub, over REST with the real SDK. */
export interface Operator {
  /** Merges into the desired properties. */
  setDesired(desired: object): Promise<void>;
  call(
    methodName: string,
    payload?: unknown,
    seconds?: number,
  ): Promise<{ status: number; payload: unknown }>;
  /** What the device has reported, without the hub's own keys. */
  reported(): unknown;
}

export function operatorOf(hub: RunningIotHub, deviceId = DEVICE): Operator {
  const registry = iothub.Registry.fromConnectionString(restConnectionString(hub));
  const client = iothub.Client.fromConnectionString(restConnectionString(hub));
  for (const sdk of [registry, client]) pointAtHub(sdk, hub);
  return {
    setDesired: async (desired) => {
      await registry.updateTwin(deviceId, { properties: { desired } }, '*');
    },
    call: async (methodName, payload = null, responseTimeoutInSeconds = 30) => {
      const call = { methodName, payload, responseTimeoutInSeconds };
      const { result } = await client.invokeDeviceMethod(deviceId, call);
      return result as { status: number; payload: unknown };
    },
    reported: () => hub.twins.get(deviceId)?.reported,
  };
}

/** A valid report; `volts` makes two of them differ. */
export function exampleReport(volts = 12.1): TwinReported {
  const file = new URL('../../../contracts/examples/twin-reported.1.json', import.meta.url);
  const report = parse(TwinReported, JSON.parse(readFileSync(file, 'utf8')));
  return { ...report, power: { ...report.power, volts } };
}

/** A hub for each test of a file, and what speaks to it; all of that ends with the test, before the hub does. */
export interface HubTests {
  readonly world: World;
  readonly hub: TestHub;
  readonly operator: Operator;
  /** Not started. */
  link(deps?: Partial<HubLinkDeps>): TestLink;
  onlineLink(deps?: Partial<HubLinkDeps>): Promise<TestLink>;
  /** The service SDK over AMQP. */
  service(): Promise<Service>;
  /** The device SDK as it comes, connected over MQTT. */
  device(): Promise<DeviceClient>;
  /** Stops the hub and starts it on what it knew, on other ports. */
  restart(): Promise<void>;
  /** Registers what is to be done when the running test ends, newest first. */
  atEnd(done: () => unknown): void;
}

/** To be called at the top of a file: registers what comes before and after its tests.
 *  @param options of the hub, asked for at each of its starts */
export function useHub(options: () => Partial<IotHubOptions> = () => ({})): HubTests {
  let world: World;
  let hub: TestHub;
  const endings: (() => unknown)[] = [];
  const atEnd = (done: () => unknown) => void endings.push(done);
  before(async () => {
    world = await makeWorld();
  });
  after(() => world.remove());
  beforeEach(async () => {
    hub = await startHub(world, options());
  });
  afterEach(async () => {
    for (let end = endings.pop(); end; end = endings.pop()) await end();
    await hub.stop();
  });
  const link = (deps?: Partial<HubLinkDeps>) => {
    const made = makeLink(world, addressOf(hub), deps);
    atEnd(() => made.stop());
    return made;
  };
  return {
    get world() {
      return world;
    },
    get hub() {
      return hub;
    },
    get operator() {
      return operatorOf(hub);
    },
    link,
    onlineLink: async (deps) => {
      const made = link(deps);
      await made.start();
      await online(made);
      return made;
    },
    service: async () => {
      const made = await openService(hub.serviceConnectionString);
      atEnd(() => made.close());
      return made;
    },
    device: async () => {
      const made = await openDevice(addressOf(hub), world.ca);
      atEnd(() => made.close());
      return made;
    },
    restart: async () => {
      await hub.stop();
      hub = await startHub(world, { ...options(), dataDir: hub.dataDir });
    },
    atEnd,
  };
}
