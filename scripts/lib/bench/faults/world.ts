/** The house and its cloud on this machine, with everything in between that can go wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { ensureCertificates } from '../../../../cloud-fn/local/certificates.ts';
import { buildDiskFaults } from './disk/disk-faults.ts';
import { drawFootage, readFootage } from './footage.ts';
import { createJournalReader, type JournalReader } from './journal.ts';
import type { EventGrid } from './network/event-grid.ts';
import type { FaultProxy } from './network/fault-proxy.ts';
import { startServices } from './network/services.ts';
import { HUB_FAULTS, type HubFault, type Process, type Route } from './plan.ts';
import { accessTo, type HostAccess } from './processes/functions-host.ts';
import { createRules, createVictims, type RulesOf } from './processes/victims.ts';
import type { Victim } from './processes/victim.ts';
import { HUB_NAME, type Sabotage } from './settings.ts';

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
  readonly rules: RulesOf;
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
  keysOf(): HostAccess | undefined;
  stop(keep: boolean): Promise<void>;
}

export interface WorldOptions {
  readonly seed: number;
  readonly cloud: boolean;
  readonly sabotage?: Sabotage | undefined;
}

/** Makes it all and starts storage, hub and proxies; house and cloud are started by whoever plays. */
export async function makeWorld({ seed, cloud, sabotage }: WorldOptions): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-faults-'));
  const at = (name: string) => join(dir, name);
  const [library, footageFile, certificates] = await Promise.all([
    buildDiskFaults(dir),
    drawFootage(dir),
    ensureCertificates(at('certificates'), [HUB_NAME]),
  ]);
  const ca = trust(certificates.caFile, at('ca.pem'));
  const services = await startServices({
    at,
    certificates,
    cloud,
    killClient: (route) => void clientOf(route).kill(),
  });
  const { storage, hub, eventGrid, routes } = services;
  const rules = createRules(library, at);
  const journalFile = at('journal.ndjson');
  const listeners: ((message: unknown) => void)[] = [];
  const { house, host, worker } = createVictims({
    ...{ at, services, rules, journalFile, footageFile, ca, seed, sabotage },
    caFile: at('ca.pem'),
    onHouse: (message) => {
      for (const listener of listeners) listener(message);
    },
  });
  const clientOf = (route: Route) =>
    route.startsWith('host') ? host : route.startsWith('worker') ? worker : house;
  const keysOf = () => accessTo(host);
  eventGrid.deliverTo(keysOf);

  return {
    dir,
    houseDir: at('house'),
    journal: createJournalReader(journalFile),
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
    proxies: routes.proxies,
    eventGrid,
    clips: BlobServiceClient.fromConnectionString(storage.account().connectionString).getContainerClient(
      CONTAINER_CLIPS,
    ),
    connectionString: () => storage.account().connectionString,
    killStorage: () => storage.kill(),
    startStorage: () => storage.start(),
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
      await Promise.all([house.kill(), host.kill(), worker.kill()]);
      await services.stop();
      for (const page of rules.values()) page.close();
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Clients of this process trust the harness's certificates, and those that read the copy.
 *  @returns the certificate authority */
function trust(caFile: string, copy: string): string {
  const ca = readFileSync(caFile, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);
  writeFileSync(copy, ca);
  return ca;
}
