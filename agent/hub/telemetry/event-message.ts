import device from 'azure-iot-device';
import { Failure } from '../../kernel/failure.ts';
import type { OutgoingEvent } from '../../ledger/ledger.ts';

/** The hub takes 256 KB, properties included, and cuts off who sends more. */
const BODY_LIMIT_BYTES = 255 * 1024;

/** An event as the SDK sends it. Its id makes a repetition known as one.
 *  @throws Failure `rejected` when it is too large for the hub */
export function eventMessage({ eventId, event, body }: OutgoingEvent): device.Message {
  const bytes = Buffer.byteLength(body);
  if (bytes > BODY_LIMIT_BYTES) {
    const text = `event ${event} has ${bytes} bytes; at most ${BODY_LIMIT_BYTES} are sent`;
    throw new Failure('rejected', 'hub.event-too-large', text);
  }
  const message = new device.Message(body);
  message.messageId = eventId;
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('event', event);
  return message;
}
