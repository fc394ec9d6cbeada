import { createServer } from 'node:tls';
import type { Json } from '@dachawatch/contracts';
import type { IPublishPacket, ISubscribePacket, IUnsubscribePacket, Packet, QoS } from 'mqtt-packet';
import { createFaultListener } from '../fault-listener.ts';
import type { HubParts } from '../parts.ts';
import { serveConnection } from './connection.ts';
import type { DeviceLink } from './device-link.ts';
import { createDeviceLinks } from './device-links.ts';
import { createMessageDelivery } from './message-delivery.ts';
import { createMethodCalls, type MethodAnswer } from './method-calls.ts';
import { subscriptionOf } from './session.ts';
import { createTwinRequests } from './twin-requests.ts';

export interface MqttServer {
  port(): number;
  open(): Promise<void>;
  shut(): Promise<void>;
  reset(): void;
  drop(): void;
  /** As a hub that failed over: subscriptions and packets in flight are gone, connections stay. */
  forgetSessions(): void;
  isConnected(deviceId: string): boolean;
  /** Ends a device's connection: it was disabled or removed. */
  expel(deviceId: string): void;
  /** A message was queued for the device. */
  wake(deviceId: string): void;
  pushDesired(deviceId: string, patch: Json, version: number): void;
  /** @returns `offline` when the device is not there or does not listen, `late` when it does not answer */
  callMethod(
    deviceId: string,
    request: { name: string; payload: string; timeoutMs: number },
  ): Promise<MethodAnswer | 'offline' | 'late'>;
}

/** The device side of the hub: MQTT 3.1.1 over TLS. One connection per device: a second one ends the first. */
export function createMqttServer(parts: HubParts, { port }: { port: number }): MqttServer {
  const { faults, events, log } = parts;
  const links = createDeviceLinks();
  const delivery = createMessageDelivery(parts.messages);
  const twinRequests = createTwinRequests({ twins: parts.twins, events, faults });
  const methodCalls = createMethodCalls();

  // Who shows no certificate is asked for a token, and who shows one is judged by its thumbprint.
  const asked = { requestCert: true, rejectUnauthorized: false };
  const tls = createServer({ cert: parts.cert, key: parts.key, ...asked }, (socket) =>
    serveConnection(socket, {
      parts,
      links,
      onWelcome: (link) => delivery.resume(link),
      onPacket: handle,
      onWill: (deviceId, will) => telemetry(deviceId, will.topic, toBuffer(will.payload)),
    }),
  );
  tls.on('tlsClientError', (error) => log({ event: 'mqtt.tls-failed', detail: error.message }));
  const listener = createFaultListener({ tls, port, hold: () => faults.blackHole });

  function telemetry(deviceId: string, topic: string, body: Buffer): void {
    events.record({ deviceId, kind: 'telemetry', topic, body });
    parts.onTelemetry({ deviceId, topic, body });
  }

  function handle(link: DeviceLink, packet: Packet): void {
    if (packet.cmd === 'publish') published(link, packet);
    else if (packet.cmd === 'puback') {
      if (!faults.ignorePuback) delivery.acknowledged(link, packet.messageId ?? 0);
    } else if (packet.cmd === 'pingreq') link.wire.send({ cmd: 'pingresp' });
    else if (packet.cmd === 'subscribe') subscribe(link, packet);
    else if (packet.cmd === 'unsubscribe') unsubscribe(link, packet);
    else link.wire.destroy();
  }

  function unsubscribe(link: DeviceLink, packet: IUnsubscribePacket): void {
    for (const filter of packet.unsubscriptions) {
      const subscription = subscriptionOf(filter, link.deviceId);
      if (subscription) link.session.subscriptions.delete(subscription);
    }
    link.wire.send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [] });
  }

  function subscribe(link: DeviceLink, packet: ISubscribePacket): void {
    if (faults.dropSubscribe) return;
    const granted: QoS[] = [];
    for (const { topic, qos } of packet.subscriptions) {
      const subscription = subscriptionOf(topic, link.deviceId);
      if (!subscription) return link.wire.destroy();
      const level = qos === 0 ? 0 : 1;
      link.session.subscriptions.set(subscription, level);
      granted.push(level);
    }
    link.wire.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
    delivery.pump(link);
  }

  function published(link: DeviceLink, packet: IPublishPacket): void {
    const body = toBuffer(packet.payload);
    if (packet.topic.startsWith(`devices/${link.deviceId}/messages/events/`))
      telemetry(link.deviceId, packet.topic, body);
    else if (!twinRequests.handle(link, packet.topic, body) && !methodCalls.handle(packet.topic, body))
      return link.wire.destroy();
    if (packet.qos === 1 && !faults.dropPuback)
      link.wire.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  }

  return {
    ...listener,
    forgetSessions: () => links.forgetSessions(),
    isConnected: (deviceId) => links.get(deviceId) !== undefined,
    expel: (deviceId) => links.get(deviceId)?.wire.destroy(),
    wake: (deviceId) => {
      const link = links.get(deviceId);
      if (link) delivery.pump(link);
    },
    pushDesired: (deviceId, patch, version) => {
      const link = links.get(deviceId);
      if (link) twinRequests.pushDesired(link, patch, version);
    },
    callMethod: async (deviceId, request) => {
      const link = links.get(deviceId);
      if (!link?.session.subscriptions.has('methods')) return 'offline';
      return (await methodCalls.call(link, request)) ?? 'late';
    },
  };
}

const toBuffer = (payload: string | Buffer) => (typeof payload === 'string' ? Buffer.from(payload) : payload);
