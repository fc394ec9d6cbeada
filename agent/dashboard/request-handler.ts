import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { type Log, redact } from '../kernel/log.ts';
import { problem, type Answer } from './answer.ts';
import type { LoginGuard } from './access/login-guard.ts';

/** What a route sees of a request: nothing of it is decoded, so nothing of it can be more than it looks. */
export interface PageRequest {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** An answer that is a piece of an open file. `release` must be called once, sent or not. */
export interface FileAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly send: (response: ServerResponse) => Promise<void>;
  readonly release: () => Promise<void>;
}

export type Route = (request: PageRequest) => Promise<Answer | FileAnswer>;

export interface RequestHandlerDeps {
  readonly route: Route;
  readonly allowsHost: (hostHeader: string | undefined) => boolean;
  /** Undefined: whoever reaches the page may see it. */
  readonly loginGuard: LoginGuard | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** On every answer. The page has no inline script or style; nobody may frame it, and no other site may use its
 *  pictures or clips. */
const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

const LOOPBACK_ONLY = 'Open this page by localhost or 127.0.0.1, not by another name.';
const UNKNOWN_NAME =
  'The page does not answer to this name: open it by its address, or put the name into dashboard.names of appliance.json.';

/** Where requests come in: host, login and method are checked here, every answer gets its security headers, every error becomes a
 *  problem document. */
export function createRequestHandler({ route, allowsHost, loginGuard, clock, log }: RequestHandlerDeps) {
  async function answer(request: IncomingMessage): Promise<Answer | FileAnswer> {
    if (!allowsHost(request.headers.host))
      return problem(421, 'host', loginGuard ? UNKNOWN_NAME : LOOPBACK_ONLY);
    const [path = '/', ...query] = (request.url ?? '/').split('?');
    try {
      const instead = await loginGuard?.answer(request);
      if (instead) return instead;
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return problem(405, 'method', 'Only GET and HEAD are answered here: this page changes nothing.', {
          Allow: 'GET, HEAD',
        });
      return await route({
        method: request.method,
        path,
        query: new URLSearchParams(query.join('?')),
        headers: request.headers,
      });
    } catch (error) {
      // The ledger, or the disk, says that it cannot now; the page shows the condition that says why.
      if (error instanceof Failure && error.kind !== 'bug') {
        log.debug({ event: 'dashboard.later', path, code: error.code }, error.message);
        return problem(503, 'later', redact(error.message), { 'Retry-After': '5' });
      }
      log.error({ event: 'dashboard.failed', path, err: error }, 'a request could not be answered');
      return problem(500, 'internal', 'The appliance could not answer; its log says why.');
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = await answer(request);
    const headers: OutgoingHttpHeaders = { ...SECURITY_HEADERS, ...found.headers };
    // The page reads the appliance's time from here: a phone's clock may be another one.
    headers['Date'] = new Date(clock.nowMs()).toUTCString();
    const bodyWanted = request.method !== 'HEAD';
    if ('body' in found) {
      if (found.status !== 304) headers['Content-Length'] = found.body.byteLength;
      response.writeHead(found.status, headers);
      response.end(bodyWanted ? found.body : undefined);
      return;
    }
    try {
      response.writeHead(found.status, headers);
      if (bodyWanted) await found.send(response);
      else response.end();
    } finally {
      await found.release();
    }
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    respond(request, response).catch((error: unknown) => {
      log.warn({ event: 'dashboard.cut', err: error }, 'an answer was cut short');
      response.destroy();
    });
  };
}
