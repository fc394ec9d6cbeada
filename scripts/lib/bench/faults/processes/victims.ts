/** House, functions host and worker of a world: every process of ours that is killed and whose disk fails. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createDiskRules, type DiskRules } from '../disk/disk-faults.ts';
import type { Services } from '../network/services.ts';
import { CAMERAS, type Process } from '../plan.ts';
import { DEVICE, type HouseArguments, type Sabotage } from '../settings.ts';
import { createFunctionsHost } from './functions-host.ts';
import { createVictim, type Victim } from './victim.ts';

/** Disk rules of each process; the recorders share theirs. */
export type RulesOf = ReadonlyMap<Exclude<Process, 'storage'>, DiskRules>;

const FOLDERS = {
  house: 'house',
  recorder: 'house',
  'functions-host': 'functions',
  worker: 'worker',
} as const;

/** A page of rules for each process, for what lies in its folder, which is made here.
 *  @param at path of a file or folder of the world */
export function createRules(library: string, at: (name: string) => string): RulesOf {
  const processes = Object.keys(FOLDERS) as (keyof typeof FOLDERS)[];
  return new Map(
    processes.map((name) => {
      mkdirSync(at(FOLDERS[name]), { recursive: true });
      return [name, createDiskRules(library, at(`${name}.page`), `${at(FOLDERS[name])}/`)] as const;
    }),
  );
}

export interface VictimsDeps {
  /** Path of a file or folder of the world. */
  readonly at: (name: string) => string;
  readonly services: Pick<Services, 'hub' | 'routes'>;
  readonly rules: RulesOf;
  readonly journalFile: string;
  readonly footageFile: string;
  /** Certificate authority of the services, and a file with it. */
  readonly ca: string;
  readonly caFile: string;
  readonly seed: number;
  readonly sabotage: Sabotage | undefined;
  /** What the house says. */
  readonly onHouse: (message: unknown) => void;
}

/** None of them runs yet. */
export function createVictims(deps: VictimsDeps): { house: Victim; host: Victim; worker: Victim } {
  const { at, services, rules } = deps;
  const { hub, routes } = services;
  const environment = {
    PATH: process.env['PATH'],
    NODE_EXTRA_CA_CERTS: deps.caFile,
    NODE_COMPILE_CACHE: at('compiled'),
  };
  const house = createVictim({
    main: join(import.meta.dirname, 'house-process.ts'),
    args: [JSON.stringify(houseArguments(deps))],
    environment,
    rules: rules.get('house'),
    onMessage: deps.onHouse,
  });
  const host = createFunctionsHost({
    dataDir: at(FOLDERS['functions-host']),
    hostJsonFile: at('host.json'),
    storageConnection: routes.connection('host-blob', 'host-queue'),
    hubConnection: hub.serviceConnectionString,
    environment,
    rules: rules.get('functions-host'),
  });
  const worker = createVictim({
    main: join(import.meta.dirname, 'worker-process.ts'),
    args: [],
    environment: {
      ...environment,
      DACHA_STORAGE_CONNECTION: routes.connection('worker-blob', 'worker-queue'),
      TMPDIR: at(FOLDERS.worker),
    },
    rules: rules.get('worker'),
  });
  return { house, host, worker };
}

function houseArguments({ at, services, rules, ...deps }: VictimsDeps): HouseArguments {
  const { hub, routes } = services;
  return {
    dir: at(FOLDERS.house),
    journalFile: deps.journalFile,
    footageFile: deps.footageFile,
    cameras: CAMERAS,
    recorderEnvironment: rules.get('recorder')?.environment ?? {},
    seed: deps.seed,
    hub: {
      credential: hub.deviceConnectionString(DEVICE),
      mqttEndpoint: `localhost:${hub.mqttPort}`,
      httpsEndpoint: `localhost:${routes.port('hub')}`,
      ca: deps.ca,
    },
    ...(deps.sabotage ? { sabotage: deps.sabotage } : {}),
  };
}
