/** The house and its cloud on this machine, with everything in between that can go wrong. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { ensureCertificates } from '../../../../cloud-fn/local/certificates.ts';
import type { ChildService } from '../../../../cloud-fn/local/child-service.ts';
import { startIotHub } from '../../../../cloud-fn/local/iot-hub/server.ts';
import { startStorage, type StorageReady } from '../../../../cloud-fn/local/storage/storage.ts';
import { buildDiskFaults, createDiskRules } from './disk/disk-faults.ts';
import { createEventGrid, type EventGrid } from './network/event-grid.ts';
import { type FaultProxy, startFaultProxy } from './network/fault-proxy.ts';
import { drawFootage, readFootage } from './footage.ts';
import { createJournalReader, type JournalReader } from './journal.ts';
import { CAMERAS, HUB_FAULTS, type HubFault, type Process, type Route, ROUTES } from './plan.ts';
import { DEVICE, HUB_NAME, type HouseArguments, type Sabotage } from './settings.ts';
import { createVictim, type Victim } from './processes/victim.ts';

export interface World {
  readonly dir: string;
  /** Folder of the ledger. */
  readonly houseDir: string;
  readonly journal: JournalReader;
  /** Init segment of the cameras. */
  readonly init: Buffer;
  readonly house: Victim;
  /** Undefined when only the house is looked at. */
  readonly cloud: { readonly host: Victim; readonly worker: Victim } | undefined;
  readonly victims: ReadonlyMap<Exclude<Process, 'storage'>, Victim>;
  /** The disk rules of processes; the recorders share theirs. */
  readonly rules: ReadonlyMap<Exclude<Process, 'storage'>, NonNullable<Victim['rules']>>;
  readonly proxies: ReadonlyMap<Route, FaultProxy>;
  readonly eventGrid: EventGrid;
  readonly clips: ReturnType<BlobServiceClient['getContainerClient']>;
  /** Straight to storage. */
  readonly connectionString: () => string;
  readonly killStorage: () => Promise<void>;
  /** Starts it when it does not run. */
  readonly startStorage: () => Promise<void>;
  readonly cutLink: () => void;
  readonly breakHub: (fault: HubFault | undefined) => void;
  /** The hub forgets upload tickets that nobody gave back, as it does after an hour. */
  readonly forgetTickets: () => void;
  onHouse(listener: (message: unknown) => void): void;
  keysOf(): { base: string; keys: Readonly<Record<string, string>> } | undefined;
  stop(keep: boolean): Promise<void>;
}

export interface WorldOptions {
  readonly seed: number;
  readonly cloud: boolean;
  readonly sabotage?: Sabotage | undefined;
}

const here = (name: string) => join(import.meta.dirname, name);
const cloudFn = (name: string) => join(import.meta.dirname, '../../../../cloud-fn', name);

export async function makeWorld({ seed, cloud, sabotage }: WorldOptions): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-faults-'));
  const at = (name: string) => join(dir, name);
  const folder = (name: string) => {
    mkdirSync(at(name), { recursive: true });
    return at(name);
  };
  const [library, footageFile, certificates] = await Promise.all([
    buildDiskFaults(dir),
    drawFootage(dir),
    ensureCertificates(at('certificates'), [HUB_NAME]),
  ]);
  const ca = readFileSync(certificates.caFile, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);
  writeFileSync(at('ca.pem'), ca);

  let storage: ChildService<StorageReady> | undefined;
  let storageReady: StorageReady | undefined;
  const startTheStorage = async () => {
    storage ??= await startStorage({ dataDir: at('storage'), certificatesDir: at('certificates') });
    storageReady = storage.ready;
  };
  await startTheStorage();
  const account = () => storageReady as StorageReady;
  const portOf = (endpoint: string) => Number(new URL(endpoint).port);

  const eventGrid = createEventGrid();
  const proxies = new Map<Route, FaultProxy>();
  for (const route of ROUTES)
    proxies.set(
      route,
      await startFaultProxy({
        certificates,
        target: () => ({
          port:
            route === 'hub'
              ? hub.httpsPort
              : portOf(route.endsWith('queue') ? account().queueEndpoint : account().blobEndpoint),
        }),
        killClient: () => void clientOf(route).kill(),
        ...(route === 'house-blob' && cloud
          ? {
              onAnswer: (request, status) => eventGrid.heard(request.method ?? '', request.url ?? '', status),
            }
          : {}),
      }),
    );
  const clientOf = (route: Route) =>
    route.startsWith('host') ? host : route.startsWith('worker') ? worker : house;
  const port = (route: Route) => proxies.get(route)?.port ?? 0;
  const through = (blob: Route, queue: Route | undefined) =>
    account()
      .connectionString.replace(/(BlobEndpoint=https:\/\/127\.0\.0\.1:)\d+/, `$1${port(blob)}`)
      .replace(/(QueueEndpoint=https:\/\/127\.0\.0\.1:)\d+/, queue ? `$1${port(queue)}` : '$10');

  const hub = await startIotHub({
    dataDir: at('hub'),
    ...certificates,
    hostName: HUB_NAME,
    devices: [DEVICE],
    storageConnection: through('house-blob', undefined),
    container: CONTAINER_CLIPS,
  });

  const rulesOf = (name: string, root: string) => createDiskRules(library, at(`${name}.page`), root);
  const houseDir = folder('house');
  const rules = new Map([
    ['house', rulesOf('house', `${houseDir}/`)],
    ['recorder', rulesOf('recorder', `${houseDir}/`)],
    ['functions-host', rulesOf('functions-host', `${folder('functions')}/`)],
    ['worker', rulesOf('worker', `${folder('worker')}/`)],
  ] as const);
  const listeners: ((message: unknown) => void)[] = [];
  const houseArguments: HouseArguments = {
    dir: houseDir,
    journalFile: at('journal.ndjson'),
    footageFile,
    cameras: CAMERAS,
    recorderEnvironment: rules.get('recorder')?.environment ?? {},
    seed,
    hub: {
      connectionString: hub.deviceConnectionString(DEVICE),
      mqttEndpoint: `localhost:${hub.mqttPort}`,
      httpsEndpoint: `localhost:${port('hub')}`,
      ca,
    },
    ...(sabotage ? { sabotage } : {}),
  };
  const common = {
    PATH: process.env['PATH'],
    NODE_EXTRA_CA_CERTS: at('ca.pem'),
    NODE_COMPILE_CACHE: at('compiled'),
  };
  const house = createVictim({
    main: here('processes/house-process.ts'),
    args: [JSON.stringify(houseArguments)],
    environment: common,
    rules: rules.get('house'),
    onMessage: (message) => {
      for (const listener of listeners) listener(message);
    },
  });

  const hostJson = JSON.parse(readFileSync(cloudFn('host.json'), 'utf8')) as {
    extensions: { queues: Record<string, unknown> };
  };
  Object.assign(hostJson.extensions.queues, {
    visibilityTimeout: '00:00:01',
    maxPollingInterval: '00:00:00.2',
  });
  writeFileSync(at('host.json'), JSON.stringify(hostJson));
  const host = createVictim({
    main: cloudFn('local/functions-host/main.ts'),
    args: [
      ...['--app', cloudFn('functions/app.ts'), '--data', at('functions')],
      ...['--port', '0', '--host-json', at('host.json')],
    ],
    environment: {
      ...common,
      DACHA_STORAGE_CONNECTION: through('host-blob', 'host-queue'),
      DACHA_ANALYSIS_WAIT_MS: String(5 * 60_000),
      DACHA_COMPUTE: 'none',
      DACHA_IOTHUB_CONNECTION: hub.serviceConnectionString,
    },
    rules: rules.get('functions-host'),
  });
  const worker = createVictim({
    main: here('processes/worker-process.ts'),
    args: [],
    environment: {
      ...common,
      DACHA_STORAGE_CONNECTION: through('worker-blob', 'worker-queue'),
      TMPDIR: at('worker'),
    },
    rules: rules.get('worker'),
  });

  const keysOf = () => {
    const ready = host.ready() as { port: number; keysFile: string } | undefined;
    if (!ready || !host.alive() || !existsSync(ready.keysFile)) return undefined;
    return {
      base: `http://127.0.0.1:${ready.port}`,
      keys: JSON.parse(readFileSync(ready.keysFile, 'utf8')) as Record<string, string>,
    };
  };
  eventGrid.deliverTo(keysOf);

  return {
    dir,
    houseDir,
    journal: createJournalReader(houseArguments.journalFile),
    init: readFootage(footageFile).fragment(0).format.init,
    house,
    cloud: cloud ? { host, worker } : undefined,
    victims: new Map<Exclude<Process, 'storage'>, Victim>([
      ['house', house],
      ...(cloud
        ? ([
            ['functions-host', host],
            ['worker', worker],
          ] as const)
        : []),
    ]),
    rules,
    proxies,
    eventGrid,
    clips: BlobServiceClient.fromConnectionString(account().connectionString).getContainerClient(
      CONTAINER_CLIPS,
    ),
    connectionString: () => account().connectionString,
    async killStorage() {
      const one = storage;
      storage = undefined;
      await one?.kill();
    },
    startStorage: startTheStorage,
    cutLink: () => hub.mqtt.drop(),
    breakHub(fault) {
      for (const one of HUB_FAULTS) hub.faults[one] = one === fault;
      // What was not read until now is read with the next packet only.
      if (fault === undefined) hub.mqtt.drop();
    },
    forgetTickets: () => hub.tickets.forgetAll(),
    onHouse: (listener) => void listeners.push(listener),
    keysOf,
    async stop(keep) {
      eventGrid.stop();
      await Promise.all([house.kill(), host.kill(), worker.kill()]);
      await storage?.stop();
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
      await hub.stop();
      for (const page of rules.values()) page.close();
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}
