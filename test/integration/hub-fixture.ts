import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import iothub from 'azure-iothub';
import messages from 'azure-iothub/dist/common-core/message.js';
import { createHubLink, type HubLink, type HubLinkDeps, type LinkTimings } from '../../agent/hub/hub.ts';
import { systemClock } from '../../agent/kernel/clock.ts';
import type { Log } from '../../agent/kernel/log.ts';
import type { InboxMessage } from '../../agent/ledger/ledger.ts';
import { ensureCertificates, type Certificates } from '../../cloud-fn/local/certificates.ts';
import type { PacketTrace } from '../../cloud-fn/local/iot-hub/mqtt/wire.ts';
import type { Telemetry } from '../../cloud-fn/local/iot-hub/parts.ts';
import { startIotHub, type IotHubOptions, type RunningIotHub } from '../../cloud-fn/local/iot-hub/server.ts';

export const HUB_NAME = 'dacha-hub.local';
export const DEVICE = 'pi';

/** Short enough for tests, long enough for a busy machine. */
export const QUICK: Partial<LinkTimings> = {
  retry: { minMs: 20, maxMs: 200 },
  refusedMinMs: 50,
  probeMs: 100,
  stableMs: 1_000,
  callMs: 2_000,
  closeMs: 500,
};

export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

/** Resolves with the first value that is neither false nor undefined; fails after 45 s. */
export async function eventually<T>(what: string, look: () => T | false | undefined): Promise<T> {
  const untilMs = performance.now() + 45_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > untilMs) assert.fail(`it did not happen in 45 s: ${what}`);
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
  /** Every packet of devices, as the hub saw it. */
  readonly packets: PacketTrace[];
  readonly telemetry: Telemetry[];
}

let hubs = 0;
export async function startHub(
  { dir, certificates }: World,
  options: Partial<IotHubOptions> = {},
): Promise<TestHub> {
  const packets: PacketTrace[] = [];
  const telemetry: Telemetry[] = [];
  hubs += 1;
  const hub = await startIotHub({
    dataDir: join(dir, `hub-${hubs}`),
    certFile: certificates.certFile,
    keyFile: certificates.keyFile,
    hostName: HUB_NAME,
    devices: [DEVICE],
    onTrace: (trace) => packets.push(trace),
    onTelemetry: (message) => telemetry.push(message),
    ...options,
  });
  return { ...hub, packets, telemetry };
}

export interface TestLink extends HubLink {
  /** What was stored, in order. */
  readonly stored: InboxMessage[];
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

export function makeLink(
  { ca }: World,
  { connectionString, mqttPort, httpsPort }: Address,
  { store, ...deps }: Partial<HubLinkDeps> = {},
): TestLink {
  const stored: InboxMessage[] = [];
  const counts = { online: 0, woken: 0 };
  const link = createHubLink({
    connectionString,
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
    onDesired: () => {},
    methods: {},
    clock: systemClock,
    log: silent,
    timings: QUICK,
    ...deps,
  });
  return { ...link, stored, counts };
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
