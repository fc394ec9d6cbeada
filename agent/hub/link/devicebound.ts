import { createHash } from 'node:crypto';

const MESSAGE = /^devices\/[^/]+\/messages\/devicebound\/(.*)$/s;
const METHOD = /^\$iothub\/methods\/POST\/([^/]*)\/(?:\?(.*))?$/s;

/** Is it a cloud-to-device message? */
export const isDevicebound = (topic: string) => MESSAGE.test(topic);

/** The sender's message id, or one made from the message itself, so that a second delivery has the same.
 *  @param topic as it came: its property bag holds `$.mid` */
export function messageIdOf(topic: string, payload: Uint8Array): string {
  const given = bagOf(MESSAGE.exec(topic)?.[1]).get('$.mid');
  if (given) return given;
  const digest = createHash('sha256').update(topic).update('\0').update(payload).digest('hex');
  return `unnamed-${digest.slice(0, 32)}`;
}

/** Name and request id of a direct method's call; undefined for another topic, and for a call that nobody could
 *  answer. */
export function methodCallOf(
  topic: string,
): { readonly name: string; readonly requestId: string } | undefined {
  const [, name, bag] = METHOD.exec(topic) ?? [];
  const requestId = bagOf(bag).get('$rid');
  return name === undefined || !requestId ? undefined : { name: decoded(name), requestId };
}

const bagOf = (text = '') => new URLSearchParams(text.replaceAll('+', '%2B'));

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // malformed: then it is the name of no method
  }
}
