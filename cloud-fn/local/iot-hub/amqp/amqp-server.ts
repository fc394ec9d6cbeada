import { createServer } from 'node:tls';
import rhea, { type ConnectionOptions, type EventContext } from 'rhea';
import { createFaultListener, type FaultListener } from '../fault-listener.ts';
import type { HubParts } from '../parts.ts';
import { createClaims } from './claims.ts';
import { createFeedbackLink } from './feedback-link.ts';
import { acceptMessage } from './message-link.ts';

const CLAIMS = '$cbs';
const MESSAGES = '/messages/devicebound';
const FEEDBACK = '/messages/serviceBound/feedback';

/** A server's connection has no address to connect to, which rhea's typings insist on. */
const SERVER_OPTIONS = { receiver_options: { autoaccept: false } } as unknown as ConnectionOptions;

const addressOf = (terminus: unknown) => (terminus as { address?: string } | undefined)?.address ?? '';

export interface AmqpServer extends FaultListener {
  /** There is feedback to fetch. */
  feedbackReady(): void;
}

/** The service side of the hub that is AMQP: claims, sending to devices, feedback.
 *  @param wake a message was queued for the device */
export function createAmqpServer(
  parts: HubParts,
  {
    port,
    hostNames,
    wake,
  }: { port: number; hostNames: () => readonly string[]; wake: (deviceId: string) => void },
): AmqpServer {
  const container = rhea.create_container({ id: parts.hostName });
  container.sasl_server_mechanisms.enable_anonymous();
  const claims = createClaims({ ...parts, hostNames });
  const feedback = createFeedbackLink(parts.feedback);

  const tls = createServer({ cert: parts.cert, key: parts.key }, (socket) => {
    const connection = container.create_connection(SERVER_OPTIONS);
    // `accept` is how rhea takes a socket somebody else listened for; its typings leave it out.
    (connection as unknown as { accept(socket: unknown): void }).accept(socket);
  });
  tls.on('tlsClientError', (error) => parts.log({ event: 'amqp.tls-failed', detail: error.message }));

  const refuseLink = (link: { close(error?: object): void }, address: string) =>
    link.close({ condition: 'amqp:not-found', description: `there is nothing at ${address}` });
  const unauthorized = { condition: 'amqp:unauthorized-access', description: 'put a token first' };

  container.on('receiver_open', ({ receiver, connection }: EventContext) => {
    if (!receiver) return;
    const address = addressOf(receiver.target);
    receiver.set_target({ address });
    if (address !== CLAIMS && address !== MESSAGES) refuseLink(receiver, address);
    else if (address === MESSAGES && !claims.hold(connection)) receiver.close(unauthorized);
  });
  container.on('sender_open', ({ sender, connection }: EventContext) => {
    if (!sender) return;
    const address = addressOf(sender.source);
    sender.set_source({ address });
    if (address === CLAIMS) claims.answerOn(connection, sender);
    else if (address !== FEEDBACK) refuseLink(sender, address);
    else if (!claims.hold(connection)) sender.close(unauthorized);
    else feedback.add(sender);
  });
  container.on('message', ({ message, delivery, receiver, connection }: EventContext) => {
    if (!message || !delivery || !receiver) return;
    if (addressOf(receiver.target) === CLAIMS) {
      claims.put(connection, message);
      delivery.accept();
      return;
    }
    const result = claims.hold(connection) ? acceptMessage(message, parts) : { error: unauthorized };
    if ('error' in result) return delivery.reject(result.error);
    delivery.accept();
    wake(result.deviceId);
  });
  container.on('sendable', () => feedback.pump());
  container.on('accepted', ({ sender, delivery }: EventContext) => feedback.settled(sender, delivery, true));
  for (const event of ['rejected', 'released', 'modified'])
    container.on(event, ({ sender, delivery }: EventContext) => feedback.settled(sender, delivery, false));
  container.on('sender_close', ({ sender }: EventContext) => feedback.remove(sender));
  container.on('disconnected', ({ connection }: EventContext) => feedback.removeAllOf(connection));
  for (const event of ['connection_error', 'session_error', 'sender_error', 'receiver_error', 'error'])
    container.on(event, (context: unknown) =>
      parts.log({ event: 'amqp.peer-error', kind: event, detail: describe(context) }),
    );

  const listener = createFaultListener({ tls, port });
  return { ...listener, feedbackReady: () => feedback.pump() };
}

function describe(context: unknown): string {
  if (context instanceof Error) return context.message;
  const { connection } = context as Partial<EventContext>;
  return JSON.stringify(connection?.error ?? 'no detail');
}
