import type { ServerResponse } from 'node:http';
import type { HubParts } from '../parts.ts';
import type { MqttServer } from '../mqtt/mqtt-server.ts';
import type { Ticket } from '../store/tickets.ts';

export interface RestRequest {
  /** Decoded path parameters, in order. */
  readonly params: readonly string[];
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
  readonly ifMatch: string | undefined;
  readonly query: URLSearchParams;
}

export interface RestAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body bit by bit, in place of `body`; ends the response or waits for the caller to go. */
  readonly stream?: (response: ServerResponse) => void;
}

export interface RestDeps
  extends Pick<HubParts, 'devices' | 'twins' | 'messages' | 'tickets' | 'events' | 'nowMs'> {
  readonly mqtt: Pick<MqttServer, 'isConnected' | 'expel' | 'pushDesired' | 'callMethod'>;
  /** Signs a ticket for Blob Storage; undefined when the hub has no storage. */
  readonly signTicket: ((ticket: Ticket) => SignedTicket) | undefined;
}

export interface SignedTicket {
  readonly hostName: string;
  readonly containerName: string;
  readonly sasToken: string;
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  readonly path: RegExp;
  /** Whose token opens it: the service's policy, or the device named by the first path parameter. */
  readonly caller: 'service' | 'device';
  handle(request: RestRequest): RestAnswer | Promise<RestAnswer>;
}

/** What the hub answers when it says no. `code` is the word SDKs look for. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const deviceNotFound = (deviceId: string) =>
  new RestError(404, 'DeviceNotFound', `Device ${deviceId} is not registered`);
export const badRequest = (message: string) => new RestError(400, 'ArgumentInvalid', message);

/** @throws RestError when the caller has read another version than there is. `*` and an absent header fit any. */
export function requireEtag(ifMatch: string | undefined, etag: string): void {
  const wanted = ifMatch?.replace(/^"(.*)"$/, '$1');
  if (wanted === undefined || wanted === '*' || wanted === etag) return;
  throw new RestError(412, 'PreconditionFailed', 'It was changed since it was read');
}
export const etagOf = (count: number) => Buffer.from(String(count)).toString('base64');
