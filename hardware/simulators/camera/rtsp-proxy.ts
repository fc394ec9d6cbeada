/** A proxy in front of a camera: RTSP over TCP on 127.0.0.1. It asks for a login, counts who tries, and misbehaves as told.
 *  Behind it is a simulated camera with real pictures, or nothing: then it answers by itself and sends none. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type ProxyBehaviour, serveProxyConnection } from './rtsp-proxy-connection.ts';
import type { LoginVerdict } from './rtsp-login.ts';

export interface ProxyOptions extends ProxyBehaviour {
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default 0: one that is free. */
  readonly port?: number;
}

export interface ProxyRequest {
  readonly method: string;
  readonly path: string;
  readonly connection: number;
  readonly atMs: number;
  readonly login: LoginVerdict;
}

export interface RtspProxy {
  readonly mainUrl: string;
  readonly subUrl: string;
  readonly port: number;
  /** Everything asked so far, of all connections. */
  readonly requests: readonly ProxyRequest[];
  connections(): number;
  wrongLogins(): number;
  /** Connections that were cut off because their session had run out. */
  expired(): number;
  /** From the next request on. */
  change(options: ProxyOptions): void;
  stop(): Promise<void>;
}

export async function startRtspProxy(first: ProxyOptions): Promise<RtspProxy> {
  let options = first;
  const requests: ProxyRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let wrong = 0;
  let expired = 0;

  function serve(socket: Socket): void {
    const connection = ++connections;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveProxyConnection(socket, {
      behaviour: () => options,
      onRequest: (request) => {
        if (request.login === 'wrong') wrong++;
        requests.push({ ...request, connection, atMs: performance.now() });
        return wrong;
      },
      onExpired: () => {
        expired++;
      },
    });
  }

  const server: Server = options.tls ? createTlsServer(options.tls, serve) : createServer(serve);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `${options.tls ? 'rtsps' : 'rtsp'}://127.0.0.1:${port}`;
  return {
    mainUrl: `${url}/main`,
    subUrl: `${url}/sub`,
    port,
    requests,
    connections: () => connections,
    wrongLogins: () => wrong,
    expired: () => expired,
    change: (next) => {
      options = next;
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
