import type { Json } from '@dachawatch/contracts';
import common from 'azure-iot-common';
import device from 'azure-iot-device';
import type { Mqtt } from 'azure-iot-device-mqtt';
import { withDeadline } from '../../kernel/waiting/deadline.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { OutgoingEvent } from '../../ledger/ledger.ts';
import { eventMessage } from '../telemetry/event-message.ts';
import { createAuthentication, type TokenLife } from './authentication.ts';
import { linkFailure } from './link-failure.ts';
import type { MethodAnswer, MethodCall } from '../methods/dispatcher.ts';
import { twinRefusal } from './sdk-guard.ts';
import { createDurableTransport } from './transport.ts';
import {
  createDesiredStream,
  type DesiredDocument,
  readTwinDocument,
  type TwinDocument,
} from '../twin/desired-stream.ts';

export interface HubConnection {
  /** Resolves once, with the reason, when the connection is no longer good. */
  readonly ended: Promise<Failure>;
  /** As it was read when the connection was made. */
  readonly twin: TwinDocument;
  /** Asks the hub for the twin, to see that it answers. */
  probe(): Promise<void>;
  /** Merges a patch into the reported properties; resolves when the hub has acknowledged it.
   *  @throws Failure `rejected` when the hub will never take it; after any other the connection has ended */
  report(patch: Json): Promise<void>;
  /** Resolves when the hub has acknowledged the event.
   *  @throws Failure as above */
  send(event: OutgoingEvent): Promise<void>;
  /** Ends the connection for good: nothing of it comes back. */
  dispose(): Promise<void>;
}

export interface ConnectionDeps {
  /** As `readIdentity` reads it. */
  readonly credential: string;
  /** `host:port` when the hub is reached at another address. */
  readonly gateway?: string | undefined;
  readonly ca: string | undefined;
  readonly keepaliveSeconds: number;
  /** For each question to the hub. */
  readonly callMs: number;
  readonly closeMs: number;
  readonly token: TokenLife;
  readonly store: (topic: string, payload: Buffer) => void;
  readonly onStored: () => void;
  readonly onDesired: (desired: DesiredDocument) => void;
  /** Never rejects. */
  readonly answer: (call: MethodCall, over: AbortSignal) => Promise<MethodAnswer>;
  readonly log: Log;
}

/** One connection with a client of its own, thrown away when it ends.
 *  Invariants
 *  1. The SDK never retries: its own retries stop for good, or come back as a second connection.
 *  2. Listeners for errors stand before the first call that can raise one.
 *  3. Every question to the hub has a deadline. One that fails ends the connection.
 *  4. It is handed out only after the hub has answered a twin read and granted every subscription: twin answers,
 *     desired properties, methods, messages.
 *  5. Nothing of it is heard after `ended`.
 *  @throws Failure as `link-failure.ts` describes */
export async function openConnection(deps: ConnectionDeps, signal: AbortSignal): Promise<HubConnection> {
  const { callMs, closeMs, log } = deps;
  const { promise: ended, resolve } = Promise.withResolvers<Failure>();
  const over = new AbortController();
  const end = (failure: Failure) => {
    over.abort();
    resolve(failure);
  };
  const authentication = createAuthentication(deps.credential, deps);
  const transport = createDurableTransport({
    ...deps,
    authentication: authentication.provider,
    connectTimeoutMs: callMs,
    onStoreFailed: (error) =>
      end(new Failure('transient', 'hub.store', 'a cloud message could not be stored', { cause: error })),
    onMethod: (call) => void answerMethod(call, { ...deps, mqtt, over: over.signal }),
    // A push may have come while nobody was there; and a hub that forgot what we listen to will not answer.
    onRenewed: () => desired.catchUp(),
  });
  const { mqtt } = transport;
  const client = new device.Client(mqtt);
  const onFault = (error: unknown) => end(linkFailure(error));
  authentication.onError(onFault);
  client.on('error', onFault);
  client.on('disconnect', onFault);
  client.setRetryPolicy(new common.NoRetry());
  const onAbort = () => end(new Failure('transient', 'hub.stopped', 'the link is being stopped'));
  signal.addEventListener('abort', onAbort, { once: true });

  const ask = createAsk({ callMs, ended, over: over.signal, end });
  const readTwin = async () =>
    readTwinDocument(await ask('the twin read', () => promised((done) => mqtt.getTwin(done))));
  const desired = createDesiredStream({
    log,
    readTwin,
    deliver: (desired) => {
      if (!over.signal.aborted) deps.onDesired(desired);
    },
  });
  mqtt.on('twinDesiredPropertiesUpdate', (patch: unknown) => {
    if (!over.signal.aborted) desired.pushed(patch);
  });

  let isOpen = false;
  async function dispose(): Promise<void> {
    over.abort();
    signal.removeEventListener('abort', onAbort);
    silence(client, mqtt);
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

  const subscribe = (what: string, enable: (done: (error?: Error) => void) => void) =>
    ask(`the subscription to ${what}`, () => promised(enable));

  let twin: TwinDocument;
  try {
    await ask('connecting', () => client.open());
    // Before the twin is read: so nothing is missed in between.
    await subscribe('desired properties', (done) => mqtt.enableTwinDesiredPropertiesUpdates(done));
    twin = await readTwin();
    desired.read(twin.desired);
    await subscribe('methods', (done) => mqtt.enableMethods(done));
    await subscribe('messages', (done) => mqtt.enableC2D(done));
    isOpen = true;
  } catch (error) {
    await dispose();
    throw linkFailure(error);
  }

  return {
    ended,
    twin,
    dispose,
    probe: async () => desired.read((await readTwin()).desired),
    report: async (patch) => {
      const update = () => promised<void>((done) => mqtt.updateTwinReportedProperties(patch, done));
      // A refusal is an answer: the connection is good.
      const refusal = await ask('the reported update', () => update().catch(twinRefusalOrThrow));
      if (refusal) throw refusal;
    },
    send: async (event) => {
      const message = eventMessage(event);
      await ask('the acknowledgement of an event', () => client.sendEvent(message));
    },
  };
}

/** Through the transport, not the client: this one says when it is done. */
const promised = <T>(ask: (done: (error?: Error | null, answer?: T) => void) => void) =>
  new Promise<T>((resolve, reject) => ask((error, answer) => (error ? reject(error) : resolve(answer as T))));

function twinRefusalOrThrow(error: unknown): Failure {
  const refusal = twinRefusal(error);
  if (refusal) return refusal;
  throw error;
}

/** Questions that were never answered would otherwise call back into a client that is gone. */
function forgetTwinRequests(mqtt: Mqtt): void {
  const { _twinClient: twinClient } = mqtt as object as { _twinClient?: { _pendingTwinRequests?: object } };
  if (twinClient) twinClient._pendingTwinRequests = {};
}

/** Nothing of a client is heard any more. */
function silence(client: device.Client, mqtt: Mqtt): void {
  // First this one: with it, taking a listener off sends an UNSUBSCRIBE.
  client.removeAllListeners('removeListener');
  client.removeAllListeners();
  client.on('error', () => {}); // late errors of a client nobody uses any more
  forgetTwinRequests(mqtt);
}

/** Has a direct method answered, and sends the answer while there is somebody to take it. */
async function answerMethod(
  { requestId, ...call }: MethodCall & { readonly requestId: string },
  {
    answer,
    mqtt,
    over,
    log,
  }: Pick<ConnectionDeps, 'answer' | 'log'> & {
    readonly mqtt: Mqtt;
    readonly over: AbortSignal;
  },
): Promise<void> {
  const { status, payload } = await answer(call, over);
  if (over.aborted) return;
  try {
    await new device.DeviceMethodResponse(requestId, mqtt).send(status, payload);
  } catch (error) {
    log.debug({ event: 'method.answer-lost', method: call.name, err: error }, 'nobody to answer to any more');
  }
}

/** Asks the hub something: the answer, or a failure when the connection ends or the deadline passes first. Any failure
 *  ends the connection. */
const createAsk =
  ({
    callMs,
    ended,
    over,
    end,
  }: {
    readonly callMs: number;
    readonly ended: Promise<Failure>;
    readonly over: AbortSignal;
    readonly end: (failure: Failure) => void;
  }) =>
  async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    // A client that is asked after its end would connect again.
    if (over.aborted) throw await ended;
    try {
      return await Promise.race([
        withDeadline(question(), callMs, what, 'hub.deadline'),
        ended.then((failure) => Promise.reject(failure)),
      ]);
    } catch (error) {
      const failure = linkFailure(error);
      end(failure);
      throw failure;
    }
  };
