import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** asking: no whole request so far · idle: answered, kept open for the next · busy: being answered */
type Phase = 'asking' | 'idle' | 'busy';
/** Who goes first to make room: who has not even asked, then who needs nothing now, then who reads slowly. */
const FIRST_TO_GO: readonly Phase[] = ['asking', 'idle', 'busy'];

interface Connection {
  readonly address: string;
  phase: Phase;
  /** Grows with each change of phase: the smallest has been in its phase for the longest. */
  turn: number;
}

/** Bounds the connections of a server. At the bound a newcomer gets the place of another: of the address that holds
 *  the most, the one that has been asking, idle or busy for the longest. So neither half-sent requests nor slow
 *  readers lock out who behaves; what is cut asks again. */
export function boundConnections(server: Server, most: number): void {
  const open = new Map<Socket, Connection>();
  /** Over TLS a request has another socket than its connection, with the same ends. */
  const byEnds = new Map<string, Connection>();
  let turns = 0;

  function enter(connection: Connection, phase: Phase): void {
    connection.phase = phase;
    connection.turn = ++turns;
  }

  server.on('connection', (socket) => {
    if (open.size >= most) leastMissed(open)?.destroy();
    const ends = endsOf(socket);
    const connection: Connection = { address: socket.remoteAddress ?? '', phase: 'asking', turn: ++turns };
    open.set(socket, connection);
    byEnds.set(ends, connection);
    socket.once('close', () => {
      open.delete(socket);
      if (byEnds.get(ends) === connection) byEnds.delete(ends);
    });
  });
  server.on('request', ({ socket }, response: ServerResponse) => {
    const connection = byEnds.get(endsOf(socket));
    if (!connection) return;
    enter(connection, 'busy');
    response.once('close', () => enter(connection, 'idle'));
  });
}

const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket) =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

/** Looks at each: there are few. */
function leastMissed(open: ReadonlyMap<Socket, Connection>): Socket | undefined {
  const held = new Map<string, number>();
  for (const { address } of open.values()) held.set(address, (held.get(address) ?? 0) + 1);
  const most = Math.max(...held.values());
  const rank = ({ phase, turn }: Connection) => [FIRST_TO_GO.indexOf(phase), turn] as const;
  let found: [Socket, Connection] | undefined;
  for (const entry of open) {
    const [, connection] = entry;
    if (held.get(connection.address) !== most) continue;
    if (found && !isBefore(rank(connection), rank(found[1]))) continue;
    found = entry;
  }
  return found?.[0];
}

const isBefore = (
  [phase, turn]: readonly [number, number],
  [otherPhase, otherTurn]: readonly [number, number],
) => phase < otherPhase || (phase === otherPhase && turn < otherTurn);
