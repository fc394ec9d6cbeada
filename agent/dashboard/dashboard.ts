import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { CameraStatus } from '../capture/capture.ts';
import type { ApplianceSources } from '../health/health.ts';
import type { LinkStatus } from '../hub/hub.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import type { SuppressedStore } from '../motion/motion.ts';
import type { UploadStatus } from '../upload/upload.ts';
import { boundConnections } from './access/connection-bounds.ts';
import { decideOpening, type Opening, ownNames } from './access/opening.ts';
import { createHostGuard } from './access/host-guard.ts';
import { loadPageFiles } from './files/page-files.ts';
import { createRequestHandler } from './request-handler.ts';
import { createRoutes, type LedgerRead } from './routes.ts';

export interface DashboardDeps extends ApplianceSources {
  readonly deviceId: string;
  /** Open to others than this machine, it asks for a password, over TLS; without one it stays on loopback. */
  readonly host: string;
  readonly port: number;
  /** Names under which others may reach it, beside the machine's own. */
  readonly names?: readonly string[];
  /** Where its password and its certificate are kept. */
  readonly dataDir?: string;
  /** Told why it stays on loopback. */
  readonly register?: Pick<Conditions, 'raise' | 'clear'>;
  /** IANA name of the house's time zone. */
  readonly timeZone: string;
  readonly ledger: LedgerRead;
  readonly cameras: () => readonly CameraStatus[];
  readonly link: () => LinkStatus;
  readonly upload: () => UploadStatus;
  /** Path of the annotated best frame of a judged clip, fetched when first asked for; undefined when there is none. */
  readonly bestFrame: (clipId: string) => Promise<string | undefined>;
  /** Why what moved was not recorded. Absent: nothing is known about it. */
  readonly suppressed?: Pick<SuppressedStore, 'list' | 'get' | 'hours'>;
}

/** The local status page and its API. */
export interface Dashboard {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Where it answers, after start: `http://127.0.0.1:8080`. */
  url(): string;
  /** Whether it answers. */
  isUp(): boolean;
}

/** Connections at once: some phones with six each. */
const MAX_CONNECTIONS = 64;
const STALLED_MS = 60_000;
/** How long `stop` lets answers finish before it cuts them. */
const STOP_GRACE_MS = 500;

/** Invariants
 *  1. Read only: GET and HEAD, nothing here changes the appliance.
 *  2. No text of a request becomes a path: files come from a fixed list, from a ledger row, or
 *     from the list of kept notes.
 *  3. Nothing outside the appliance is loaded or told: no foreign script, font, picture or frame.
 *  4. Sockets, clips being sent and waiting pictures are bounded; each has a deadline. Who behaves finds a place. */
export function createDashboard(
  deps: DashboardDeps & { readonly log: Log; readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'> },
): Dashboard {
  const { port, log, names = [] } = deps;
  let server: Server | undefined;
  let address = '';

  async function start(): Promise<void> {
    if (server) throw new Failure('bug', 'dashboard.started-twice', 'the dashboard runs already');
    const opening = decideOpening({ ...deps, names });
    const { host } = opening;
    const isGuarded = opening.kind === 'guarded';
    const handle = createRequestHandler({
      route: createRoutes({ ...deps, files: await loadPageFiles(), hasLogin: isGuarded }),
      allowsHost: createHostGuard(isGuarded ? ownNames(host, names) : undefined),
      loginGuard: isGuarded ? opening.loginGuard : undefined,
      clock: deps.clock,
      log,
    });
    const http = serverFor(opening);
    // A reader that takes nothing of an answer for so long is gone.
    http.setTimeout(STALLED_MS);
    boundConnections(http, MAX_CONNECTIONS);
    http.on('request', handle);
    await listen(http, host, port);
    // A connection that cannot be accepted (no file descriptor left) must not end the recorder's process.
    http.on('error', (error) =>
      log.error({ event: 'dashboard.accept', err: error }, 'a connection could not be accepted'),
    );
    server = http;
    address = urlOf(http, isGuarded ? 'https' : 'http');
    const fingerprint = isGuarded ? { fingerprint: opening.certificate.fingerprint } : {};
    log.info({ event: 'dashboard.listening', url: address, ...fingerprint }, 'status page answers');
  }

  async function stop(): Promise<void> {
    if (!server) return;
    const closing = server;
    server = undefined;
    const cut = setTimeout(() => closing.closeAllConnections(), STOP_GRACE_MS);
    await new Promise<void>((resolve) => {
      closing.close(() => resolve());
      closing.closeIdleConnections();
    });
    clearTimeout(cut);
  }

  function url(): string {
    if (!address)
      throw new Failure('bug', 'dashboard.not-started', 'the dashboard has no address before start');
    return address;
  }

  return { name: 'dashboard', start, stop, url, isUp: () => server !== undefined };
}

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  // Longer than the page's pause between two polls, so that they share a connection.
  keepAliveTimeout: 20_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16_384,
} as const;

function serverFor(opening: Opening): Server {
  if (opening.kind === 'loopback') return createServer(LIMITS);
  const { key, cert } = opening.certificate;
  return createTlsServer({ ...LIMITS, key, cert, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 });
}

function listen(http: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port));
    http.once('error', refuse);
    http.listen({ host, port }, () => {
      http.off('error', refuse);
      resolve();
    });
  });
}

/** By errno: the end of the code, and the sentence for the person who wrote `appliance.json`. */
const CANNOT_LISTEN: Readonly<Record<string, readonly [string, (host: string, port: number) => string]>> = {
  EADDRINUSE: [
    'port-in-use',
    (host, port) =>
      `Port ${port} of ${host} is in use by another program: stop that program, or choose another dashboard.port in appliance.json (0 lets the system choose).`,
  ],
  EACCES: [
    'port-not-allowed',
    (host, port) =>
      `This user may not listen on port ${port} of ${host}: choose a dashboard.port of 1024 or more in appliance.json.`,
  ],
  EADDRNOTAVAIL: ['no-such-address', noSuchAddress],
  ENOTFOUND: ['no-such-address', noSuchAddress],
};

function noSuchAddress(host: string): string {
  return `This machine has no address ${host}: correct dashboard.host in appliance.json (127.0.0.1 always works).`;
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  const [code, sentence] = CANNOT_LISTEN[error.code ?? ''] ?? [];
  if (!code || !sentence) return classify(error, 'dashboard.listen');
  return new Failure('rejected', `dashboard.${code}`, sentence(host, port), { cause: error });
}

/** The address a person can open: a wildcard host answers on loopback too. */
function urlOf(http: Server, scheme: 'http' | 'https'): string {
  const bound = http.address();
  if (bound === null || typeof bound === 'string')
    throw new Failure('bug', 'dashboard.no-address', 'the dashboard listens on no TCP port');
  const shown =
    bound.address === '0.0.0.0'
      ? '127.0.0.1'
      : bound.address === '::'
        ? '[::1]'
        : bound.family === 'IPv6'
          ? `[${bound.address}]`
          : bound.address;
  return `${scheme}://${shown}:${bound.port}`;
}
