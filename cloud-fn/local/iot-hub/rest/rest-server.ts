import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { createFaultListener, type FaultListener } from '../fault-listener.ts';
import type { HubParts } from '../parts.ts';
import { jsonText, whyNotJson } from '../../json-text.ts';
import { decodePercent } from '../percent.ts';
import { thumbprintsOf } from '../thumbprint.ts';
import { authorize } from './authorize.ts';
import { deviceRoutes } from './devices.ts';
import { fileRoutes } from './files.ts';
import { methodRoutes } from './methods.ts';
import { badRequest, RestError, type RestAnswer, type RestDeps, type Route } from './route.ts';
import { twinRoutes } from './twins.ts';
import { watchRoutes } from './watch.ts';

const BODY_LIMIT_BYTES = 512 * 1024;

/** The HTTPS side of the hub: file-upload tickets for devices; identities, twins and methods for the service.
 *  @param hostNames every name the service may use for this hub */
export function createRestServer(
  parts: HubParts,
  deps: RestDeps,
  { port, hostNames }: { port: number; hostNames: () => readonly string[] },
): FaultListener {
  const { faults, log } = parts;
  const routes = [
    ...twinRoutes(deps),
    ...methodRoutes(deps),
    ...fileRoutes(deps),
    ...deviceRoutes(deps),
    ...watchRoutes(deps),
  ];

  // Who shows no certificate is asked for a token, and who shows one is judged by its thumbprint.
  const asked = { requestCert: true, rejectUnauthorized: false };
  const server = createServer({ cert: parts.cert, key: parts.key, ...asked }, (request, response) => {
    if (faults.httpSilent) {
      request.resume();
      return;
    }
    answer(request)
      .catch((error: unknown) => refusal(error))
      .then((result) => send(response, result))
      .catch((error: unknown) => {
        log({ event: 'rest.not-answered', detail: String(error) });
        response.destroy();
      });
  });
  server.on('tlsClientError', (error) => log({ event: 'rest.tls-failed', detail: error.message }));

  async function answer(request: IncomingMessage): Promise<RestAnswer> {
    const body = await readBody(request);
    const url = urlOf(request.url ?? '');
    if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(url.searchParams.get('api-version') ?? ''))
      throw badRequest('The address lacks an api-version');
    const { route, params } = findRoute(request.method ?? '', url.pathname);
    const token = request.headers.authorization ?? '';
    const shown = thumbprintsOf(request.socket as TLSSocket);
    authorize({ token, shown }, { route, params, path: url.pathname }, { parts, hostNames });
    return route.handle({
      params,
      body: parseBody(body),
      ifMatch: request.headers['if-match'],
      query: url.searchParams,
    });
  }

  function findRoute(method: string, path: string): { route: Route; params: string[] } {
    for (const route of routes) {
      const match = route.method === method ? route.path.exec(path) : null;
      if (match) return { route, params: match.slice(1).map(decode) };
    }
    throw new RestError(404, 'NotFound', `There is nothing at ${method} ${path}`);
  }

  function refusal(error: unknown): RestAnswer {
    if (!(error instanceof RestError)) {
      log({ event: 'rest.failed', detail: String(error) });
      return errorAnswer(500, 'ServerError', 'The hub failed; its log says why');
    }
    return errorAnswer(error.status, error.code, error.message);
  }

  function send(response: ServerResponse, { status, body, headers, stream }: RestAnswer): void {
    const fault = faults.httpAnswer;
    if (fault) {
      response.writeHead(fault.status, {
        'content-type': fault.contentType ?? 'application/json',
        ...fault.headers,
      });
      response.end(fault.body);
      return;
    }
    if (stream) {
      response.writeHead(status, headers);
      stream(response);
      return;
    }
    const content = body === undefined ? '' : JSON.stringify(body);
    const type = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
    response.writeHead(status, { ...type, ...headers });
    response.end(content);
  }

  const listener = createFaultListener({ tls: server, port });
  return {
    ...listener,
    shut: async () => {
      server.closeAllConnections();
      await listener.shut();
    },
  };
}

const errorAnswer = (status: number, code: string, text: string): RestAnswer => ({
  status,
  body: { Message: `ErrorCode:${code};${text}`, ExceptionMessage: '' },
});

/** Below this hub, whatever it looks like: `//there/x` names no other host. */
function urlOf(address: string): URL {
  const url = address.startsWith('/') ? URL.parse(`https://hub${address}`) : null;
  if (url === null) throw badRequest('The address cannot be read');
  return url;
}

function decode(text: string): string {
  const plain = decodePercent(text);
  if (plain === undefined) throw badRequest('The address is not well encoded');
  return plain;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) throw new RestError(413, 'RequestTooLarge', 'The body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseBody(body: Buffer): unknown {
  const text = jsonText(body);
  if (text === undefined) throw badRequest(whyNotJson(body));
  return text === null ? undefined : JSON.parse(text);
}
