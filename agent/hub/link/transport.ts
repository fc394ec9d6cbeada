import type { AuthenticationProvider } from 'azure-iot-common';
import { Mqtt } from 'azure-iot-device-mqtt';
import { MqttBase } from 'azure-iot-mqtt-base';
import mqtt, {
  type IClientOptions,
  type IPublishPacket,
  type MqttClient,
  type Packet,
  type PacketCallback,
} from 'mqtt';
import { isDevicebound, methodCallOf } from './devicebound.ts';
import { isForSdk, mendTwinPacket } from './sdk-guard.ts';

export interface DurableTransport {
  readonly mqtt: Mqtt;
  /** Ends the socket at once, whatever the SDK waits for; resolves when the SDK was told. From now on no connection
   *  succeeds: asked late, the SDK would open another. */
  destroy(): Promise<void>;
}

/** The SDK's MQTT transport with repairs.
 *  1. A cloud-to-device message is acknowledged only after `store` returned. When it throws, the socket is ended
 *     without an acknowledgement, so the hub delivers again on the next connection.
 *  2. Calls of direct methods are taken here, whatever their name: the SDK leaves one that it has no listener for
 *     without an answer.
 *  3. The SDK gets to see only what it cannot choke on: `sdk-guard.ts`.
 *  @param store synchronous; throws when it cannot store
 *  @param onStored after the acknowledgement was written
 *  @param onStoreFailed what `store` threw
 *  @param onRenewed the SDK connected again, with a new token */
export function createDurableTransport({
  authentication,
  ca,
  keepaliveSeconds,
  connectTimeoutMs,
  store,
  onStored,
  onStoreFailed,
  onMethod,
  onRenewed,
}: {
  authentication: AuthenticationProvider;
  ca: string | undefined;
  keepaliveSeconds: number;
  connectTimeoutMs: number;
  store: (topic: string, payload: Buffer) => void;
  onStored: () => void;
  onStoreFailed: (error: unknown) => void;
  onMethod: (call: { name: string; requestId: string; payload: Buffer }) => void;
  onRenewed: () => void;
}): DurableTransport {
  let isDestroyed = false;
  let current: { client: MqttClient; closed: Promise<void> } | undefined;

  function tryToStore({ topic, payload }: IPublishPacket): boolean {
    try {
      store(topic, Buffer.from(payload));
      return true;
    } catch (error) {
      onStoreFailed(error);
      return false;
    }
  }

  /** Called by the SDK for every connection, renewals of the token included. */
  function connect(uri: string, options: IClientOptions): MqttClient {
    const client = mqtt.connect(uri, {
      ...options,
      keepalive: keepaliveSeconds,
      connectTimeout: connectTimeoutMs,
      ...(ca === undefined ? {} : { ca }),
    });
    if (isDestroyed) streamOf(client)?.destroy();
    const isRenewal = current !== undefined;
    current = { client, closed: new Promise((resolve) => client.once('close', () => resolve())) };
    client.on('error', () => {}); // the SDK has its own listener, and takes it off before the last error
    if (isRenewal) client.on('connect', onRenewed);
    client.on('packetreceive', mendTwinPacket);
    const emit = client.emit.bind(client);
    client.emit = (event: string, ...args: unknown[]) =>
      event === 'message' && !isForSdk(args[0])
        ? false
        : emit(event as 'message', ...(args as [never, never, never]));
    client.handleMessage = (packet: Packet, done: PacketCallback) => {
      if (packet.cmd !== 'publish') return done();
      const call = methodCallOf(packet.topic);
      if (call) onMethod({ ...call, payload: Buffer.from(packet.payload) });
      const stored = isDevicebound(packet.topic) ? tryToStore(packet) : undefined;
      // Without `done` there is no acknowledgement.
      if (stored === false) return streamOf(client)?.destroy();
      done();
      return stored && onStored();
    };
    return client;
  }

  return {
    mqtt: new Mqtt(authentication, new MqttBase({ connect })),
    destroy: async () => {
      isDestroyed = true;
      if (!current) return;
      streamOf(current.client)?.destroy();
      await current.closed;
    },
  };
}

/** `stream` is mqtt.js's own name for its socket; the typings leave it out. */
const streamOf = (client: MqttClient) => (client as unknown as { stream?: { destroy(): void } }).stream;
