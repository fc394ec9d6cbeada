import iothub, { type Client } from 'azure-iothub';
import common from 'azure-iothub/dist/common-core/message.js';
import type { DeviceLinkPort, DeviceMessage, NotTaken } from './device-link.ts';
import { withDeadline } from './deadline.ts';
import { PortFailure } from './port-failure.ts';
import type { HubAccess } from '../settings.ts';

export interface IotHubDeviceLinkDeps {
  readonly access: HubAccess;
  readonly deadlineMs?: number;
  /** Makes a client that is not open yet. Replaced in tests. */
  readonly createClient?: (access: HubAccess) => Promise<Client>;
}

/** Answers that will be the same a second later. The device reconciles when it connects. */
const NOT_TAKEN: Readonly<Record<string, NotTaken>> = {
  DeviceNotFoundError: 'device-unknown',
  DeviceMaximumQueueDepthExceededError: 'device-queue-full',
};

/** The SDK would retry for four minutes in silence; the orchestration retries, where everybody can see it. */
const NO_RETRY = { shouldRetry: () => false, nextRetryTimeout: () => -1 };

/** Cloud-to-device messages over AMQP.
 *  Invariants
 *  1. One open client per process; after any error it is given up and the next message opens a new one.
 *  2. Every call to the SDK has a deadline: it may never call back. */
export function createIotHubDeviceLink(deps: IotHubDeviceLinkDeps): DeviceLinkPort {
  const deadlineMs = deps.deadlineMs ?? 15_000;
  let opening: Promise<Client> | undefined;

  async function open(): Promise<Client> {
    const client = await (deps.createClient ?? createClient)(deps.access);
    client.setRetryPolicy(NO_RETRY);
    const mine = opening;
    const giveUp = () => {
      if (opening === mine) opening = undefined;
      dispose(client);
    };
    // Without a listener an error of an idle connection would end the process.
    client.on('error', giveUp);
    client.on('disconnect', giveUp);
    try {
      await withDeadline(client.open(), deadlineMs, 'opening the link to IoT Hub', 'hub.open-deadline');
      return client;
    } catch (error) {
      dispose(client);
      throw error;
    }
  }

  function dispose(client: Client): void {
    client.removeAllListeners();
    client.on('error', () => {});
    // It is given up whatever closing says; the deadline only ends our interest.
    withDeadline(client.close(), deadlineMs, 'closing the link', 'hub.close-deadline').catch(() => {});
  }

  return {
    async send(deviceId, message) {
      const mine = (opening ??= open());
      let client: Client | undefined;
      try {
        client = await mine;
        await withDeadline(
          client.send(deviceId, toSdk(message)),
          deadlineMs,
          "IoT Hub's answer",
          'hub.send-deadline',
        );
        return 'taken';
      } catch (error) {
        const known = NOT_TAKEN[(error as Error).name];
        if (known) return known;
        if (opening === mine) opening = undefined;
        if (client) dispose(client);
        if (error instanceof PortFailure) throw error;
        throw new PortFailure('transient', 'hub.send', `IoT Hub: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
    async stop() {
      const mine = opening;
      opening = undefined;
      // One that did not open was told to whoever wanted to send, and leaves nothing to close.
      const client = await mine?.catch(() => undefined);
      if (client) dispose(client);
    },
  };
}

async function createClient(access: HubAccess): Promise<Client> {
  if ('connectionString' in access) return iothub.Client.fromConnectionString(access.connectionString);
  const { DefaultAzureCredential } = await import('@azure/identity');
  return iothub.Client.fromTokenCredential(access.hostName, new DefaultAzureCredential());
}

function toSdk({ messageId, body, expiresMs }: DeviceMessage) {
  const message = new common.Message(JSON.stringify(body));
  message.messageId = messageId;
  message.ack = 'full';
  message.expiryTimeUtc = expiresMs;
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  return message;
}
