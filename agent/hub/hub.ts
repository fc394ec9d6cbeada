import type { TwinReported } from '@dachawatch/contracts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createNotifier } from '../kernel/waiting/notifier.ts';
import type { InboxMessage, Ledger } from '../ledger/ledger.ts';
import type { TokenLife } from './link/authentication.ts';
import { openConnection } from './link/connection.ts';
import { messageIdOf } from './link/devicebound.ts';
import { readEndpoint, readIdentity } from './link/identity.ts';
import { createMethodDispatcher } from './methods/dispatcher.ts';
import type { DirectMethod } from './methods/method.ts';
import { createOpenTickets } from './tickets/open-tickets.ts';
import { reach } from './link/reach.ts';
import type { DesiredDocument } from './twin/desired-stream.ts';
import { createReportedProperties } from './twin/reported-properties.ts';
import { createSender } from './telemetry/sender.ts';
import { createSupervisor, type LinkStatus, type SupervisorTimings } from './link/supervisor.ts';
import { createUploadTickets, type UploadTickets } from './tickets/tickets.ts';

export { createDirectMethods, type DirectMethodsDeps } from './methods/direct-methods.ts';
export type { DirectMethod } from './methods/method.ts';
export type { LinkState, LinkStatus } from './link/supervisor.ts';
export type { UploadTickets } from './tickets/tickets.ts';
export type { DesiredDocument } from './twin/desired-stream.ts';

/** The agent's link to IoT Hub. Offline is a state, not an error. */
export interface HubLink extends UploadTickets {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): LinkStatus;
  /** What the twin shall say. Sent as the difference to what the hub holds, at most once each `reportEveryMs`. */
  report(reported: TwinReported): void;
  /** Something was put in the outbox. */
  wakeOutbox(): void;
  /** True when every event stored so far and the present reported document were acknowledged; false when offline
   *  or aborted. */
  flush(signal: AbortSignal): Promise<boolean>;
}

/** How long and how often. The defaults are for a house; tests shorten them. */
export interface LinkTimings extends SupervisorTimings {
  /** How long the hub's network may take to let us in. */
  readonly reachMs: number;
  /** Deadline of one question to the hub. */
  readonly callMs: number;
  readonly closeMs: number;
  readonly keepaliveSeconds: number;
  readonly token: TokenLife;
  /** Least time between two updates of the reported properties. */
  readonly reportEveryMs: number;
  /** Longest that a direct method may take. Shorter than the hub's own deadline, 30 s unless its caller says so. */
  readonly methodMs: number;
}

/** Whoever flushes looks again after so long, whatever is told. */
const FLUSH_LOOK_MS = 60_000;
/** Of IoT Hub. */
const MQTT_PORT = 8883;

const TIMINGS: LinkTimings = {
  retry: { minMs: 500, maxMs: 60_000 },
  unreachable: { minMs: 500, maxMs: 4_000 },
  reachMs: 3_500,
  refusedMinMs: 30_000,
  probeMs: 300_000,
  stableMs: 60_000,
  callMs: 10_000,
  closeMs: 5_000,
  keepaliveSeconds: 60,
  token: { validSeconds: 3600, renewBeforeSeconds: 900 },
  reportEveryMs: 2_000,
  methodMs: 25_000,
};

export interface HubLinkDeps {
  /** Of the device: a connection string with its key, or with its certificate below. Secret. */
  readonly credential: string;
  /** `host:port` when the hub's MQTT is not at port 8883 of its own name. */
  readonly mqttEndpoint?: string | undefined;
  /** `host:port` when the hub's HTTPS is not at port 443 of its own name. */
  readonly httpsEndpoint?: string | undefined;
  /** PEM of the authority behind the hub's certificate, in place of the system's. */
  readonly ca?: string | undefined;
  /** Stores a cloud message before it is acknowledged. Synchronous; throws when it cannot. Sees a message again
   *  when its acknowledgement was lost. */
  readonly store: (message: InboxMessage) => void;
  /** Something was stored: read the inbox. */
  readonly onMessage: () => void;
  /** Connected, again or for the first time: ask for what was missed. */
  readonly onOnline: () => void;
  /** The link's loop has made a turn, at least once in five minutes. */
  readonly onTurn?: () => void;
  /** Where events wait until the hub has acknowledged them. */
  readonly outbox: Pick<Ledger, 'outgoing' | 'settleOutgoing'>;
  /** After every connect and every change, the whole document. One that is not newer than the last delivered on
   *  this connection is not delivered again. */
  readonly onDesired: (desired: DesiredDocument) => void;
  /** Where it is noted which upload tickets are open, for the next process when this one is killed. */
  readonly ticketsFile: string;
  /** By name. */
  readonly methods: Readonly<Record<string, DirectMethod>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings?: Partial<LinkTimings>;
  readonly random?: () => number;
}

/** The link: cloud messages in, tickets out, state for people.
 *  @throws Failure `rejected` when the credential or an endpoint is unusable */
export function createHubLink(deps: HubLinkDeps): HubLink {
  const { clock, log, store, ca } = deps;
  const timings = { ...TIMINGS, ...deps.timings };
  const identity = readIdentity(deps.credential);
  const mqttEndpoint = deps.mqttEndpoint ? readEndpoint(deps.mqttEndpoint) : undefined;
  const gateway = mqttEndpoint ? `${mqttEndpoint.host}:${mqttEndpoint.port}` : undefined;

  const tickets = createUploadTickets({
    credential: deps.credential,
    hubHost: identity.hostName,
    httpsEndpoint: deps.httpsEndpoint ? readEndpoint(deps.httpsEndpoint) : undefined,
    ca,
    requestMs: timings.callMs,
    clock,
    kept: createOpenTickets(deps.ticketsFile, log),
  });
  const random = deps.random ?? Math.random;
  let over: AbortSignal | undefined;
  const isConnected = () => over !== undefined && !over.aborted;
  const progress = createNotifier(clock);
  const onProgress = () => progress.notify();
  const reporter = createReportedProperties({
    everyMs: timings.reportEveryMs,
    onProgress,
    clock,
    log,
  });
  const sender = createSender({
    outbox: deps.outbox,
    retry: timings.retry,
    onProgress,
    clock,
    random,
    log,
  });
  const answer = createMethodDispatcher({ methods: deps.methods, answerMs: timings.methodMs, clock, log });

  const supervisor = createSupervisor({
    open: async (signal) => {
      await reach(mqttEndpoint ?? { host: identity.hostName, port: MQTT_PORT }, timings.reachMs, signal);
      return await openConnection(
        {
          ...timings,
          credential: deps.credential,
          gateway,
          ca,
          store: (topic, body) =>
            store({ messageId: messageIdOf(topic, body), receivedMs: clock.nowMs(), body }),
          onStored: guarded('onMessage', deps.onMessage, log),
          onDesired: deps.onDesired,
          answer,
          log,
        },
        signal,
      );
    },
    onOnline: (connection, itsEnd) => {
      over = itsEnd;
      over.addEventListener('abort', onProgress, { once: true });
      reporter.attach(connection, over);
      sender.attach(connection, over);
      guarded('onOnline', deps.onOnline, log)();
    },
    onTurn: deps.onTurn ?? (() => undefined),
    timings,
    clock,
    random,
    log,
  });

  async function flush(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && isConnected()) {
      const heard = progress.count();
      if (reporter.state() === 'refused') return false;
      if (reporter.state() === 'acknowledged' && sender.isEmpty()) return true;
      await progress.wait(heard, FLUSH_LOOK_MS, signal);
    }
    return false;
  }

  return {
    name: 'hub',
    start: async () => supervisor.start(),
    stop: async () => {
      await supervisor.stop();
      tickets.stop();
    },
    status: () => supervisor.status(),
    report: (reported) => reporter.want(reported),
    wakeOutbox: () => sender.wake(),
    flush,
    requestTicket: (blobName, signal) => tickets.requestTicket(blobName, signal),
    returnTicket: (correlationId, outcome) => tickets.returnTicket(correlationId, outcome),
  };
}

/** What others do with the news must not end the link. */
function guarded(name: string, tell: () => void, log: Log): () => void {
  return () => {
    try {
      tell();
    } catch (error) {
      log.error({ event: 'link.listener-failed', listener: name, err: error }, `${name} failed`);
    }
  };
}
