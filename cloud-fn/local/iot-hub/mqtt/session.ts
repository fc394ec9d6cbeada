import type { QoS } from 'mqtt-packet';

/** What a device may listen to. */
export type Subscription = 'messages' | 'twin-answers' | 'desired' | 'methods';

/** What MQTT remembers about a device between connections when it asked for that (clean = false). */
export interface Session {
  readonly subscriptions: Map<Subscription, QoS>;
  /** Delivered and not yet acknowledged: packet id to the message's sequence. */
  readonly inFlight: Map<number, number>;
  nextPacketId(): number;
}

export function createSession(): Session {
  let last = 0;
  const inFlight = new Map<number, number>();
  return {
    subscriptions: new Map(),
    inFlight,
    nextPacketId: () => {
      do last = (last % 0xffff) + 1;
      while (inFlight.has(last)); // at most fifty are in flight
      return last;
    },
  };
}

/** The subscription a topic filter stands for; undefined for a filter the hub does not know. */
export function subscriptionOf(filter: string, deviceId: string): Subscription | undefined {
  switch (filter) {
    case `devices/${deviceId}/messages/devicebound/#`:
      return 'messages';
    case '$iothub/twin/res/#':
      return 'twin-answers';
    case '$iothub/twin/PATCH/properties/desired/#':
      return 'desired';
    case '$iothub/methods/POST/#':
      return 'methods';
    default:
      return undefined;
  }
}
