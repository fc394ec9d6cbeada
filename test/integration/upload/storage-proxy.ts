import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** A request on its way to storage, whole. */
export interface PassingRequest {
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
}

/** What comes back instead of storage's answer. */
export interface FalseAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends so many bytes of the body, and hangs up. */
  readonly cutAt?: number;
}

/** Something between us and storage: passes everything on until it is told to misbehave. */
export interface StorageProxy {
  /** `host:port` to put in place of storage's. */
  readonly host: string;
  /** Every request that came, in order. */
  readonly seen: readonly string[];
  /** Answers by itself what it returns something for. May change the body that is passed on. */
  misbehave:
    | ((request: PassingRequest) => FalseAnswer | { readonly passOn: Buffer } | 'reset-after' | undefined)
    | undefined;
  close(): Promise<void>;
}

/** @param caFile of the local storage; its certificate lies beside it
 *  @param target `host:port` of the local storage */
export async function startStorageProxy(caFile: string, target: string): Promise<StorageProxy> {
  const at = (name: string) => readFileSync(join(dirname(caFile), name));
  const [hostname = '', port = ''] = target.split(':');
  const agent = new https.Agent({ ca: at('ca.pem'), keepAlive: false });
  const seen: string[] = [];

  function passOn(request: IncomingMessage, body: Buffer, response: ServerResponse, answered: boolean): void {
    const { connection: _c, ...headers } = request.headers;
    const onward = https.request(
      { hostname, port, agent, method: request.method, path: request.url, headers },
      (answer) => {
        if (!answered) {
          answer.resume();
          answer.on('end', () => response.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    onward.end(body);
  }

  const server = https.createServer(
    { cert: at('server.pem'), key: at('server.key') },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => response.destroy());
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const { method = '', url = '' } = request;
        seen.push(`${method} ${url.replace(/sig=[^&]+/, 'sig=…')}`);
        const wrong = proxy.misbehave?.({ method, url, body });
        if (wrong === undefined || wrong === 'reset-after') {
          passOn(request, body, response, wrong === undefined);
        } else if ('passOn' in wrong) {
          passOn(request, wrong.passOn, response, true);
        } else {
          const text = Buffer.from(wrong.body ?? '');
          response.writeHead(wrong.status, { 'content-length': String(text.length), ...wrong.headers });
          if (wrong.cutAt === undefined) response.end(method === 'HEAD' ? undefined : text);
          else response.write(text.subarray(0, wrong.cutAt), () => response.destroy());
        }
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: StorageProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    misbehave: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
  return proxy;
}
