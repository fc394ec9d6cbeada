/** The line between a camera and who watches it: TCP on 127.0.0.1, every byte passed on, until it is told to break. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** reset: connections are torn down · end: they end in good order · half-packet: they end in the middle of a packet ·
 *  garbage: something that is no RTSP comes, and the camera hangs up · refuse: and nobody takes new ones ·
 *  silence: they stay, and new ones are taken, but nothing passes. */
export const BREAKS = ['reset', 'end', 'half-packet', 'garbage', 'refuse', 'silence'] as const;
export type Break = (typeof BREAKS)[number];

export interface TroubleLine {
  readonly mainUrl: string;
  readonly subUrl: string;
  /** Connections of viewers now. */
  connections(): number;
  /** Breaks what there is; `refuse` and `silence` last until `mend`. */
  break(how: Break): Promise<void>;
  mend(): Promise<void>;
  stop(): Promise<void>;
}

/** Says it is a packet of 65,535 bytes, of which three come. */
const HALF_PACKET = Buffer.from([0x24, 0, 0xff, 0xff, 1, 2, 3]);
const GARBAGE = Buffer.alloc(4_096, 'no RTSP at all ');

export async function startTroubleLine(cameraPort: number): Promise<TroubleLine> {
  const viewers = new Set<Socket>();
  let silent = false;
  let port = 0;
  let server: Server | undefined;

  function carry(viewer: Socket): void {
    const camera = connect(cameraPort, '127.0.0.1');
    viewers.add(viewer);
    const isOver = () => {
      viewers.delete(viewer);
      viewer.destroy();
      camera.destroy();
    };
    for (const [from, to] of [
      [viewer, camera],
      [camera, viewer],
    ] as const) {
      from.setNoDelay(true);
      // A reset is an end, too.
      from.on('error', () => undefined);
      from.on('close', isOver);
      from.on('data', (bytes) => {
        if (!silent && !to.destroyed && !to.writableEnded) to.write(bytes);
      });
    }
  }

  async function listen(): Promise<void> {
    server = createServer(carry).listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }

  /** Nobody takes connections any more. */
  async function close(): Promise<void> {
    const closing = server;
    server = undefined;
    for (const viewer of viewers) viewer.destroy();
    if (closing) await new Promise((resolve) => closing.close(resolve));
  }

  const last: Partial<Record<Break, (viewer: Socket) => void>> = {
    reset: (viewer) => viewer.resetAndDestroy(),
    end: (viewer) => viewer.end(),
    'half-packet': (viewer) => viewer.end(HALF_PACKET),
    garbage: (viewer) => viewer.end(GARBAGE),
  };

  await listen();
  const url = `rtsp://127.0.0.1:${port}`;
  return {
    mainUrl: `${url}/main`,
    subUrl: `${url}/sub`,
    connections: () => viewers.size,
    break: async (how) => {
      if (how === 'silence') silent = true;
      else if (how === 'refuse') await close();
      else for (const viewer of viewers) last[how]?.(viewer);
    },
    mend: async () => {
      silent = false;
      if (!server) await listen();
    },
    stop: close,
  };
}
