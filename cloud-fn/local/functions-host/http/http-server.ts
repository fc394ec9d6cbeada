import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../triggers/invoke.ts';

/** A request whose body has been read. */
export interface HostRequest {
  readonly method: string;
  /** Absolute, with the host the caller used. */
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
export interface HostResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}
/** Answers a request, or undefined when it is not its business. */
export type Handler = (request: HostRequest) => Promise<HostResponse | undefined>;

const BODY_MAX_BYTES = 10 * 1024 * 1024;

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): HostResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
});
export const problem = (status: number, message: string): HostResponse => json(status, { message });

/** HTTP on 127.0.0.1. Handlers are asked in order; nobody's business is 404. */
export function createHttpServer({
  handlers,
  log,
}: {
  readonly handlers: readonly Handler[];
  readonly log: Log;
}) {
  const answer = async (request: IncomingMessage): Promise<HostResponse> => {
    const body = await bodyOf(request);
    if (body === undefined) return problem(413, `The body is larger than ${BODY_MAX_BYTES} bytes.`);
    const address = server.address() as AddressInfo;
    const base = `http://${request.headers.host ?? `127.0.0.1:${address.port}`}`;
    if (!URL.canParse(request.url ?? '/', base)) return problem(400, 'The address cannot be read.');
    const url = new URL(request.url ?? '/', base);
    const method = request.method ?? 'GET';
    for (const handler of handlers) {
      const response = await handler({ method, url, headers: request.headers, body });
      if (response !== undefined) return response;
    }
    return problem(404, `Nothing answers ${method} ${url.pathname}.`);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const { status, headers, body } = await answer(request);
      response.writeHead(status, headers as Record<string, string>);
      response.end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      log({ event: 'http.failed', path: request.url?.split('?', 1)[0], message: (error as Error).message });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  };
  const server: Server = createServer({ requestTimeout: 60_000 }, (request, response) => {
    void serve(request, response);
  });

  return {
    /** Resolves with the port. */
    start: (port: number) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
