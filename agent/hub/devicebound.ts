import { createHash } from 'node:crypto';

const TOPIC = /^devices\/[^/]+\/messages\/devicebound\/(.*)$/s;

/** Is it a cloud-to-device message? */
export const isDevicebound = (topic: string) => TOPIC.test(topic);

/** The sender's message id, or one made from the message itself, so that a second delivery has the same.
 *  @param topic as it came: its property bag holds `$.mid` */
export function messageIdOf(topic: string, payload: Uint8Array): string {
  const bag = new URLSearchParams((TOPIC.exec(topic)?.[1] ?? '').replaceAll('+', '%2B'));
  const given = bag.get('$.mid');
  if (given) return given;
  const digest = createHash('sha256').update(topic).update('\0').update(payload).digest('hex');
  return `unnamed-${digest.slice(0, 32)}`;
}
