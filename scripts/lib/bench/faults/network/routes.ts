/** The ways from client to service, each through a proxy of its own that can be told to fail. */
import type { Certificates } from '../../../../../cloud-fn/local/certificates.ts';
import type { StorageReady } from '../../../../../cloud-fn/local/storage/storage.ts';
import { type Route, ROUTES } from '../plan.ts';
import { type FaultProxy, type FaultProxyDeps, startFaultProxy } from './fault-proxy.ts';

export interface Routes {
  readonly proxies: ReadonlyMap<Route, FaultProxy>;
  port(route: Route): number;
  /** Storage's connection string by way of these routes; without a queue's route there is no queue. */
  connection(blob: Route, queue: Route | undefined): string;
  stop(): Promise<void>;
}

export interface RoutesDeps {
  readonly certificates: Certificates;
  /** Where storage is now. */
  readonly account: () => StorageReady;
  readonly hubPort: () => number;
  /** Kills whoever comes by this route. */
  readonly killClient: (route: Route) => void;
  /** Storage has answered a request of the house; undefined when nobody wants to know. */
  readonly onHouseAnswer: FaultProxyDeps['onAnswer'];
}

export async function openRoutes(deps: RoutesDeps): Promise<Routes> {
  const { certificates, account, hubPort, killClient, onHouseAnswer } = deps;
  const portBehind = (route: Route) =>
    route === 'hub'
      ? hubPort()
      : portOf(route.endsWith('queue') ? account().queueEndpoint : account().blobEndpoint);
  const proxies = new Map<Route, FaultProxy>();
  for (const route of ROUTES) {
    const proxy = await startFaultProxy({
      certificates,
      target: () => ({ port: portBehind(route) }),
      killClient: () => killClient(route),
      ...(route === 'house-blob' && onHouseAnswer ? { onAnswer: onHouseAnswer } : {}),
    });
    proxies.set(route, proxy);
  }
  const port = (route: Route) => proxies.get(route)?.port ?? 0;
  return {
    proxies,
    port,
    connection: (blob, queue) =>
      account()
        .connectionString.replace(/(BlobEndpoint=https:\/\/127\.0\.0\.1:)\d+/, `$1${port(blob)}`)
        .replace(/(QueueEndpoint=https:\/\/127\.0\.0\.1:)\d+/, `$1${queue ? port(queue) : 0}`),
    async stop() {
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
    },
  };
}

const portOf = (endpoint: string): number => Number(new URL(endpoint).port);
