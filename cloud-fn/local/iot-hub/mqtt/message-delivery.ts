import type { Messages, QueuedMessage } from '../store/messages.ts';
import type { DeviceLink } from './device-link.ts';

export interface MessageDelivery {
  /** Delivers again what was in flight when the last connection ended. */
  resume(link: DeviceLink): void;
  /** Delivers what waits and is not in flight. */
  pump(link: DeviceLink): void;
  acknowledged(link: DeviceLink, packetId: number): void;
}

/** Cloud-to-device messages over MQTT: PUBACK completes a message; without it the message comes again, marked as
 *  a duplicate, on the next connection only. */
export function createMessageDelivery(messages: Messages): MessageDelivery {
  function deliver(link: DeviceLink, message: QueuedMessage, packetId: number, dup: boolean): void {
    const qos = link.session.subscriptions.get('messages') === 0 ? 0 : 1;
    link.wire.send({
      cmd: 'publish',
      topic: topicOf(message),
      payload: message.body,
      qos,
      dup,
      retain: false,
      messageId: packetId,
    });
    if (qos === 0) messages.complete(message.sequence);
    else link.session.inFlight.set(packetId, message.sequence);
  }

  function pump(link: DeviceLink): void {
    const { session, deviceId } = link;
    if (!session.subscriptions.has('messages')) return;
    const inFlight = new Set(session.inFlight.values());
    for (const message of messages.waiting(deviceId)) {
      if (inFlight.has(message.sequence)) continue;
      if (messages.countDelivery(message.sequence)) deliver(link, message, session.nextPacketId(), false);
    }
  }

  return {
    pump,
    resume: (link) => {
      const waiting = new Map(messages.waiting(link.deviceId).map((m) => [m.sequence, m]));
      for (const [packetId, sequence] of [...link.session.inFlight]) {
        const message = waiting.get(sequence);
        if (message && messages.countDelivery(sequence)) deliver(link, message, packetId, true);
        else link.session.inFlight.delete(packetId);
      }
      pump(link);
    },
    acknowledged: (link, packetId) => {
      const sequence = link.session.inFlight.get(packetId);
      if (sequence === undefined) return;
      messages.complete(sequence);
      link.session.inFlight.delete(packetId);
    },
  };
}

function topicOf(message: QueuedMessage): string {
  const bag = message.properties
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  return `devices/${message.deviceId}/messages/devicebound/${bag}`;
}
