import https from 'node:https';
import { FileUploadTicket, parse, type FileUploadNotification } from '@dachawatch/contracts';
import { FileUploadApi } from 'azure-iot-device/dist/blob_upload/file_upload_api.js';
import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { redact } from '../../kernel/log.ts';
import { createAuthentication } from '../link/authentication.ts';
import { readIdentity } from '../link/identity.ts';
import type { OpenTickets } from './open-tickets.ts';
import { createTicketHttp } from './ticket-http.ts';
import { createTicketPlaces } from './ticket-places.ts';

/** Permission to write blobs, one at a time. */
export interface UploadTickets {
  /** @param blobName without the device id; ASCII
   *  @throws Failure transient or rejected */
  requestTicket(blobName: string, signal?: AbortSignal): Promise<FileUploadTicket>;
  /** Every ticket must be given back, or it counts against the ten a device may hold. */
  returnTicket(correlationId: string, outcome: FileUploadNotification): Promise<void>;
}

const SOCKET_LIMIT = 4;

export interface UploadTicketsDeps {
  /** As `readIdentity` reads it. */
  readonly credential: string;
  readonly hubHost: string;
  /** `host:port` to connect to instead of port 443 of the hub. */
  readonly httpsEndpoint: { readonly host: string; readonly port: number } | undefined;
  readonly ca: string | undefined;
  /** Deadline of one request. */
  readonly requestMs: number;
  readonly clock: Pick<Clock, 'monotonicMs' | 'nowMs'>;
  /** Open tickets on disk, those of an earlier process among them. */
  readonly kept: OpenTickets;
}

/** What the hub is told of a ticket whose process ended. */
const LEFT_OPEN: FileUploadNotification = {
  isSuccess: false,
  statusCode: 500,
  statusDescription: 'the process that had it ended',
};

/** File-upload tickets over HTTPS. Needs no MQTT connection.
 *  Invariants
 *  1. Every request has a deadline.
 *  2. At most eight tickets are open; one that is not given back stops counting when the hub forgets it. Those that an
 *     earlier process left open are given back before the first one is asked for.
 *  3. `rejected` means that the hub itself says that the same request will never succeed: a bad name, a ticket it does
 *     not know. What is wrong with us rather than with the request (identity, clock, quota) is `transient`, and so is
 *     what something on the way answers in its place.
 *  4. A failure says how long the hub asked to wait; what is left of an earlier process is not asked for meanwhile. */
export function createUploadTickets(deps: UploadTicketsDeps): UploadTickets & { stop(): void } {
  const { clock, requestMs, kept } = deps;
  const authentication = createAuthentication(deps.credential);
  const agent = createAgent(deps);
  const places = createTicketPlaces({ clock, kept });

  async function call<T>(
    what: string,
    signal: AbortSignal | undefined,
    expectJson: boolean,
    send: (api: FileUploadApi) => Promise<T>,
  ): Promise<T> {
    const deadline = AbortSignal.timeout(requestMs);
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
    try {
      either.throwIfAborted();
      return await send(
        new FileUploadApi(
          authentication.provider,
          createTicketHttp({ agent, signal: either, expectJson, clock }),
        ),
      );
    } catch (error) {
      if (signal?.aborted) throw new Failure('transient', 'hub.ticket.aborted', `${what}: given up`);
      if (deadline.aborted)
        throw new Failure('transient', 'hub.ticket.deadline', `${what}: no answer in ${requestMs} ms`);
      throw ticketFailure(what, error);
    }
  }

  async function returnTicket(correlationId: string, outcome: FileUploadNotification): Promise<void> {
    try {
      await call('returning an upload ticket', undefined, false, (api) =>
        api.notifyUploadComplete(correlationId, outcome as never),
      );
    } catch (error) {
      if (!(error instanceof Failure && error.kind === 'rejected')) throw error;
      places.forget(correlationId);
      throw error;
    }
    places.forget(correlationId);
  }

  /** Once for each of them when all goes well. What the hub does not answer for now is left for the next request.
   *  @throws Failure when the hub asks to wait */
  async function returnLeft(): Promise<void> {
    for (const correlationId of kept.left())
      try {
        await returnTicket(correlationId, LEFT_OPEN);
      } catch (error) {
        // It knows the ticket no more.
        if (error instanceof Failure && error.kind === 'rejected') continue;
        if (error instanceof Failure && error.retryAfterMs !== undefined) throw error;
        return;
      }
  }
  let returning: Promise<void> | undefined;

  return {
    requestTicket: async (blobName, signal) => {
      if (!/^[\x21-\x7e]{1,900}$/.test(blobName))
        throw new Failure(
          'rejected',
          'hub.ticket.blob-name',
          'a blob name is 1 to 900 printable ASCII characters',
        );
      returning ??= returnLeft().finally(() => {
        returning = undefined;
      });
      await returning;
      const place = places.take();
      try {
        const answer = await call('asking for an upload ticket', signal, true, (api) =>
          api.getBlobSharedAccessSignature(blobName),
        );
        const ticket = readTicket(answer);
        places.hold(ticket.correlationId);
        return ticket;
      } finally {
        places.leave(place);
      }
    },
    returnTicket,
    stop: () => {
      authentication.stop();
      agent.destroy();
    },
  };
}

function readTicket(answer: unknown): FileUploadTicket {
  try {
    return parse(FileUploadTicket, answer);
  } catch (error) {
    const message = `the hub's answer is no upload ticket: ${(error as Error).message}`;
    throw new Failure('transient', 'hub.ticket.answer', message, { cause: error });
  }
}

function ticketFailure(what: string, error: unknown): Failure {
  const { statusCode, message, saidByHub, retryAfterMs } = error as {
    statusCode?: unknown;
    message?: unknown;
    saidByHub?: unknown;
    retryAfterMs?: number;
  };
  if (typeof statusCode !== 'number') return classify(error, 'hub.ticket');
  const refused = saidByHub === true && (statusCode === 400 || statusCode === 413);
  const kind = refused ? 'rejected' : 'transient';
  return new Failure(kind, `hub.ticket.http-${statusCode}`, redact(`${what}: ${String(message)}`), {
    cause: error,
    retryAfterMs,
  });
}

/** Connects to the endpoint while it keeps asking for the hub's name in the certificate; shows the device's own, if it has
 *  one. */
function createAgent({ httpsEndpoint, hubHost, ca, credential }: UploadTicketsDeps): https.Agent {
  const { certificate } = readIdentity(credential);
  const agent = new https.Agent({
    keepAlive: true,
    maxSockets: SOCKET_LIMIT,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate && { key: certificate.key, cert: certificate.cert }),
  });
  if (!httpsEndpoint) return agent;
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) =>
    connect({ ...options, ...httpsEndpoint, servername: hubHost }, callback);
  return agent;
}
