import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';

export interface FaultListener {
  /** Known after the first `open`. */
  port(): number;
  /** Listens on 127.0.0.1, the second time on the same port as the first. */
  open(): Promise<void>;
  /** Stops listening and destroys what is open. */
  shut(): Promise<void>;
  /** Ends every connection with a TCP reset. */
  reset(): void;
  /** Ends every connection. */
  drop(): void;
}

/** A loopback listener in front of a TLS server that never listens itself: so that a connection can be held
 *  before its handshake, reset, or find nobody home, as on a bad network.
 *  @param hold when it says so, a new connection is accepted and then ignored */
export function createFaultListener({
  tls,
  port: wantedPort,
  hold = () => false,
}: {
  tls: TlsServer;
  port: number;
  hold?: () => boolean;
}): FaultListener {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = wantedPort;

  function accept(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // the peer went away: its own business
    if (!hold()) tls.emit('connection', socket);
  }
  const drop = () => sockets.forEach((socket) => socket.destroy());

  return {
    port: () => port,
    open: async () => {
      const listening = createServer(accept);
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject);
        listening.listen({ host: '127.0.0.1', port }, resolve);
      });
      server = listening;
      port = (listening.address() as AddressInfo).port;
    },
    shut: async () => {
      const closing = server;
      server = undefined;
      if (!closing) return;
      const closed = new Promise((resolve) => closing.close(resolve));
      drop();
      await closed;
    },
    reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    drop,
  };
}
