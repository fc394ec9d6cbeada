import type { Session } from './session.ts';
import type { Wire } from './wire.ts';

/** A device that is connected and let in. */
export interface DeviceLink {
  readonly deviceId: string;
  readonly session: Session;
  readonly wire: Wire;
}

/** Sends without asking for an acknowledgement. */
export function publishOnce(link: DeviceLink, topic: string, payload: string | Buffer): void {
  link.wire.send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false });
}

/** Text of a topic behind its question mark. */
export const topicQuery = (topic: string) =>
  new URLSearchParams(topic.includes('?') ? topic.slice(topic.indexOf('?') + 1) : '');
