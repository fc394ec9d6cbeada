import rhea, { type AmqpError, type Message } from 'rhea';
import type { HubParts } from '../parts.ts';
import { decodePercent } from '../percent.ts';
import type { Ack } from '../store/feedback.ts';
import { BODY_LIMIT_BYTES } from '../store/messages.ts';

const TO = /^\/devices\/([^/]+)\/messages\/devicebound$/i;
const ACKS: readonly Ack[] = ['none', 'positive', 'negative', 'full'];

/** Queues a message for a device. It is on disk when this returns, so its sender may be told.
 *  @returns the device, or the error the sender gets */
export function acceptMessage(
  message: Message,
  { devices, messages }: Pick<HubParts, 'devices' | 'messages'>,
): { deviceId: string } | { error: AmqpError } {
  const refuse = (condition: string, description: string) => ({ error: { condition, description } });
  const deviceId = decodePercent(TO.exec(message.to ?? '')?.[1] ?? '');
  if (!deviceId) return refuse('amqp:not-found', 'the message is not addressed to a device');
  if (!devices.get(deviceId)) return refuse('amqp:not-found', `device ${deviceId} is not registered`);
  const body = bodyOf(message);
  if (!body || body.length > BODY_LIMIT_BYTES)
    return refuse('amqp:link:message-size-exceeded', 'the body must be bytes, at most 64 KB');

  const own = (message.application_properties ?? {}) as Record<string, unknown>;
  const messageId = text(message.message_id);
  const ack = ACKS.find((known) => known === own['iothub-ack']) ?? 'none';
  const queued = messages.enqueue({
    deviceId,
    messageId: messageId ?? null,
    body,
    ack,
    expiresMs: readTime(message.absolute_expiry_time),
    properties: [
      ...system('$.mid', messageId),
      ...system('$.to', message.to),
      ...system('$.cid', text(message.correlation_id)),
      ...system('$.ct', message.content_type),
      ...system('$.ce', message.content_encoding),
      ...Object.entries(own).map(([name, value]) => [name, String(value)] as const),
    ],
  });
  if (queued) return { deviceId };
  return refuse('amqp:resource-limit-exceeded', 'errorCode 403004: 50 messages wait for the device already');
}

const system = (name: string, value: string | undefined) =>
  value === undefined ? [] : [[name, value] as const];

/** Undefined and unreadable times mean the hub's default. */
function readTime(time: number | Date | undefined): number | null {
  const ms = time === undefined ? Number.NaN : new Date(time).getTime();
  return Number.isFinite(ms) ? ms : null;
}

/** An id that looks like a UUID travels as sixteen bytes. */
function text(id: string | number | Buffer | null | undefined): string | undefined {
  if (id === undefined || id === null) return undefined;
  return Buffer.isBuffer(id) && id.length === 16 ? rhea.uuid_to_string(id) : id.toString();
}

function bodyOf({ body }: Message): Buffer | undefined {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  const content: unknown = (body as { content?: unknown }).content ?? body;
  return Buffer.isBuffer(content) ? content : undefined;
}
