import common from 'azure-iot-common';
import device from 'azure-iot-device';
import { withDeadline } from '../kernel/deadline.ts';
import { Failure } from '../kernel/failure.ts';
import { linkFailure } from './link-failure.ts';
import { createDurableTransport } from './transport.ts';

export interface HubConnection {
  /** Resolves once, with the reason, when the connection is no longer good. */
  readonly ended: Promise<Failure>;
  /** Asks the hub something small. Rejects when it does not answer in time. */
  probe(): Promise<void>;
  /** Ends the connection for good: nothing of it comes back. */
  dispose(): Promise<void>;
}

/** The SDK renews its token by itself, with a short new connection. Seconds. */
export interface TokenLife {
  readonly validSeconds: number;
  readonly renewBeforeSeconds: number;
}

export interface ConnectionDeps {
  /** With `GatewayHostName` when the hub is reached at another address. */
  readonly connectionString: string;
  readonly ca: string | undefined;
  readonly keepaliveSeconds: number;
  /** For each question to the hub. */
  readonly callMs: number;
  readonly closeMs: number;
  readonly token: TokenLife;
  readonly store: (topic: string, payload: Buffer) => void;
  readonly onStored: () => void;
}

/** One connection with a client of its own, thrown away when it ends.
 *  Invariants
 *  1. The SDK never retries: its own retries stop for good, or come back as a second connection.
 *  2. Listeners for errors stand before the first call that can raise one.
 *  3. Every call to the hub has a deadline.
 *  4. It is handed out only after the hub has answered a twin read and granted the message subscription.
 *  5. Nothing of it is heard after `ended`.
 *  @throws Failure as `link-failure.ts` describes */
export async function openConnection(deps: ConnectionDeps, signal: AbortSignal): Promise<HubConnection> {
  const { callMs, closeMs } = deps;
  const { promise: ended, resolve: end } = Promise.withResolvers<Failure>();
  const authentication = device.SharedAccessKeyAuthenticationProvider.fromConnectionString(
    deps.connectionString,
    deps.token.validSeconds,
    deps.token.renewBeforeSeconds,
  );
  const transport = createDurableTransport({
    ...deps,
    authentication,
    connectTimeoutMs: callMs,
    onStoreFailed: (error) =>
      end(new Failure('transient', 'hub.store', 'a cloud message could not be stored', { cause: error })),
  });
  const client = new device.Client(transport.mqtt);
  const onFault = (error: unknown) => end(linkFailure(error));
  authentication.on('error', onFault);
  client.on('error', onFault);
  client.on('disconnect', onFault);
  client.setRetryPolicy(new common.NoRetry());
  const onAbort = () => end(new Failure('transient', 'hub.stopped', 'the link is being stopped'));
  signal.addEventListener('abort', onAbort, { once: true });

  /** The answer, or a failure when the connection ends or the deadline passes first. */
  const ask = <T>(what: string, question: Promise<T>): Promise<T> =>
    Promise.race([
      withDeadline(question, callMs, what, 'hub.deadline'),
      ended.then((failure) => Promise.reject(failure)),
    ]);

  let isOpen = false;
  async function dispose(): Promise<void> {
    signal.removeEventListener('abort', onAbort);
    // First this one: with it, taking a listener off sends an UNSUBSCRIBE.
    client.removeAllListeners('removeListener');
    client.removeAllListeners();
    client.on('error', () => {}); // late errors of a client nobody uses any more
    forgetTwinRequests(transport.mqtt);
    // Only an orderly stop says goodbye. Otherwise the SDK would wait for answers that nobody sends any more.
    if (!isOpen || !signal.aborted) await transport.destroy();
    try {
      await withDeadline(client.close(), closeMs, 'closing the connection', 'hub.deadline');
    } catch {
      // It may hang, or find the socket gone. The socket is destroyed next, which is all that closing is for.
    }
    await transport.destroy();
    authentication.stop();
  }

  try {
    await ask('connecting', client.open());
    const twin = await ask('the twin read', client.getTwin());
    twin.on('error', onFault);
    await ask('the subscription to messages', enableMessages(transport.mqtt));
    isOpen = true;
  } catch (error) {
    await dispose();
    throw linkFailure(error);
  }

  return {
    ended,
    dispose,
    probe: async () => {
      await ask('the twin read', client.getTwin());
    },
  };
}

/** Through the transport, not by listening for `message` on the client: this one says when it is granted. */
const enableMessages = (mqtt: { enableC2D(done: (error?: Error) => void): void }) =>
  new Promise<void>((resolve, reject) => mqtt.enableC2D((error) => (error ? reject(error) : resolve())));

/** Questions that were never answered would otherwise call back into a client that is gone. */
function forgetTwinRequests(mqtt: object): void {
  const { _twinClient: twinClient } = mqtt as { _twinClient?: { _pendingTwinRequests?: object } };
  if (twinClient) twinClient._pendingTwinRequests = {};
}
