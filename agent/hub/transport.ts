import type { AuthenticationProvider } from 'azure-iot-common';
import { Mqtt } from 'azure-iot-device-mqtt';
import { MqttBase } from 'azure-iot-mqtt-base';
import mqtt, { type IClientOptions, type MqttClient, type Packet, type PacketCallback } from 'mqtt';
import { isDevicebound } from './devicebound.ts';

const TWIN_ANSWER = /^\$iothub\/twin\/res\/(\d+)\//;

export interface DurableTransport {
  readonly mqtt: Mqtt;
  /** Ends the socket at once, whatever the SDK waits for; resolves when the SDK was told. */
  destroy(): Promise<void>;
}

/** The SDK's MQTT transport with two repairs.
 *  1. A cloud-to-device message is acknowledged only after `store` returned. When it throws, the socket is ended
 *     without an acknowledgement, so the hub delivers again on the next connection.
 *  2. A twin answer that is an error without a body gets one: the SDK takes the status from the body, so it
 *     would report success, or throw where nobody catches.
 *  @param store synchronous; throws when it cannot store
 *  @param onStored after the acknowledgement was written
 *  @param onStoreFailed what `store` threw */
export function createDurableTransport({
  authentication,
  ca,
  keepaliveSeconds,
  connectTimeoutMs,
  store,
  onStored,
  onStoreFailed,
}: {
  authentication: AuthenticationProvider;
  ca: string | undefined;
  keepaliveSeconds: number;
  connectTimeoutMs: number;
  store: (topic: string, payload: Buffer) => void;
  onStored: () => void;
  onStoreFailed: (error: unknown) => void;
}): DurableTransport {
  let current: { client: MqttClient; closed: Promise<void> } | undefined;

  /** Called by the SDK for every connection, renewals of the token included. */
  function connect(uri: string, options: IClientOptions): MqttClient {
    const client = mqtt.connect(uri, {
      ...options,
      keepalive: keepaliveSeconds,
      connectTimeout: connectTimeoutMs,
      ...(ca === undefined ? {} : { ca }),
    });
    current = { client, closed: new Promise((resolve) => client.once('close', () => resolve())) };
    client.on('error', () => {}); // the SDK has its own listener, and takes it off before the last error
    client.on('packetreceive', giveErrorsABody);
    const handle = client.handleMessage.bind(client);
    client.handleMessage = (packet: Packet, done: PacketCallback) => {
      if (packet.cmd !== 'publish' || !isDevicebound(packet.topic)) return handle(packet, done);
      try {
        store(packet.topic, Buffer.from(packet.payload));
      } catch (error) {
        onStoreFailed(error);
        streamOf(client)?.destroy(); // `done` is never called: no acknowledgement
        return;
      }
      done();
      onStored();
    };
    return client;
  }

  return {
    mqtt: new Mqtt(authentication, new MqttBase({ connect })),
    destroy: async () => {
      if (!current) return;
      streamOf(current.client)?.destroy();
      await current.closed;
    },
  };
}

/** `stream` is mqtt.js's own name for its socket; the typings leave it out. */
const streamOf = (client: MqttClient) => (client as unknown as { stream?: { destroy(): void } }).stream;

function giveErrorsABody(packet: Packet): void {
  if (packet.cmd !== 'publish' || packet.payload.length > 0) return;
  const status = Number(TWIN_ANSWER.exec(packet.topic)?.[1] ?? 0);
  if (status < 300) return;
  packet.payload = Buffer.from(JSON.stringify({ errorCode: status, message: `twin status ${status}` }));
}
