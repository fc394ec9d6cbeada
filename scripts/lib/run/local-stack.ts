/** The whole product on one machine: which processes there are, in which order they start, and what each is told. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type CameraCredential, CONTAINER_CLIPS, type RecordingConfig } from '@dachawatch/contracts';
import { ensureCertificates } from '../../../cloud-fn/local/certificates.ts';
import { loadKeys } from '../../../cloud-fn/local/functions-host/http/keys.ts';
import { writeHubPlace } from '../hub/place.ts';
import type { CameraLogin } from './camera-logins.ts';
import { repoRoot } from '../places.ts';
import type { Ready, Supervisor } from './supervisor.ts';

export interface HouseOptions {
  readonly dataDir: string;
  readonly modelsDir: string;
  readonly dashboardPort: number;
  readonly cameras: readonly CameraLogin[];
  readonly recording: RecordingConfig;
  /** Scenario of a simulated UPS; none when absent. */
  readonly upsScenario: string | undefined;
  readonly tell: (sentence: string) => void;
}

const DEVICE_ID = 'dacha-1';
const HUB_NAME = 'dachawatch-hub.local';
const READY_MS = 60_000;

const entry = (path: string) => join(repoRoot, path);
const text = (ready: Ready, field: string): string => {
  const value = ready[field];
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new Error(`a process became ready without saying its ${field}`);
  return String(value);
};

/** A port that is free now. Chosen here and not by the process, so that it stays the same when that is restarted. */
const freePort = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(String(typeof address === 'object' && address ? address.port : 0)));
    });
  });

/** Starts cloud and agent. Resolves when the agent watches.
 *  @returns address of the agent's page */
export async function startHouse(
  supervisor: Supervisor,
  options: HouseOptions,
): Promise<{ dashboard: string }> {
  const { dataDir, upsScenario, tell } = options;
  const hub = await startCloud(supervisor, options);
  if (upsScenario !== undefined) {
    tell('starting the UPS');
    const ups = upsSockets(dataDir);
    await supervisor.start({
      name: 'ups',
      entry: entry('hardware/simulators/ups/main.ts'),
      args: ['--socket', ups.bus, '--control', ups.control, '--scenario', upsScenario],
      env: {},
      readyMs: READY_MS,
    });
  }

  tell('starting the agent');
  const dashboardPort = options.dashboardPort === 0 ? Number(await freePort()) : options.dashboardPort;
  writeAgentFiles({ ...options, dashboardPort }, hub);
  const agent = await supervisor.start({
    name: 'agent',
    entry: entry('agent/main.ts'),
    args: [
      ...['--config', join(dataDir, 'appliance.json'), '--data', join(dataDir, 'agent')],
      ...['--credentials', join(dataDir, 'credentials')],
    ],
    env: {
      ...trust(hub.caFile),
      ...(upsScenario === undefined ? {} : { RUNTIME_DIRECTORY: agentRuntimeDir(dataDir) }),
    },
    readyMs: READY_MS,
  });
  return { dashboard: text(agent, 'dashboard') };
}

/** Where devices and operators find the hub, and with which keys. */
interface HubAddress {
  readonly connectionString: string;
  readonly serviceConnectionString: string;
  readonly mqttPort: string;
  readonly httpsPort: string;
  readonly caFile: string;
}

const trust = (caFile: string) => ({ NODE_EXTRA_CA_CERTS: caFile });

/** Storage, hub, functions and the bridge between storage and functions, in the order in which they need each other.
 *  `scripts/hub` finds the hub as soon as it runs. */
async function startCloud(
  supervisor: Supervisor,
  { dataDir, modelsDir, tell }: Pick<HouseOptions, 'dataDir' | 'modelsDir' | 'tell'>,
): Promise<HubAddress> {
  const dirOf = (name: string) => join(dataDir, 'cloud', name);
  const certificates = await ensureCertificates(dirOf('certificates'), [HUB_NAME]);
  const { caFile } = certificates;

  tell('starting storage (Azurite)');
  const storage = await supervisor.start({
    name: 'storage',
    entry: entry('cloud-fn/local/storage/main.ts'),
    args: ['--data', dirOf('storage'), '--certificates', dirOf('certificates')],
    env: {},
    readyMs: READY_MS,
  });
  const environment = {
    DACHA_STORAGE_CONNECTION: text(storage, 'connectionString'),
    ...trust(caFile),
  };

  tell('starting the IoT hub');
  const hub = await supervisor.start({
    name: 'iot-hub',
    entry: entry('cloud-fn/local/iot-hub/main.ts'),
    args: [
      ...['--data', dirOf('iot-hub'), '--cert', certificates.certFile, '--key', certificates.keyFile],
      ...['--host-name', HUB_NAME, '--device', DEVICE_ID, '--container', CONTAINER_CLIPS],
      ...['--mqtt-port', await freePort(), '--https-port', await freePort(), '--amqp-port', await freePort()],
    ],
    env: environment,
    readyMs: READY_MS,
  });

  const address: HubAddress = {
    connectionString: text(hub, 'deviceConnectionString'),
    serviceConnectionString: text(hub, 'serviceConnectionString'),
    mqttPort: text(hub, 'mqttPort'),
    httpsPort: text(hub, 'httpsPort'),
    caFile,
  };
  writeHubPlace(dataDir, address);

  tell('starting the functions host');
  const functionsDir = dirOf('functions-host');
  const functions = await supervisor.start({
    name: 'functions-host',
    entry: entry('cloud-fn/local/functions-host/main.ts'),
    args: ['--app', entry('cloud-fn/functions/app.ts'), '--data', functionsDir, '--port', await freePort()],
    env: {
      ...environment,
      AzureWebJobsStorage: text(storage, 'connectionString'),
      DACHA_IOTHUB_CONNECTION: address.serviceConnectionString,
      DACHA_COMPUTE: 'local-process',
      DACHA_MODELS_DIR: modelsDir,
    },
    readyMs: READY_MS,
  });

  tell('starting the event grid bridge');
  await supervisor.start({
    name: 'event-grid',
    entry: entry('cloud-fn/local/event-grid/main.ts'),
    args: ['--data', dirOf('event-grid'), '--endpoint', text(functions, 'eventGridUrl')],
    env: { ...environment, DACHA_EVENTGRID_KEY: loadKeys(functionsDir).eventGrid },
    readyMs: READY_MS,
  });

  return address;
}

/** Where the simulated UPS listens: its bus, and the commands that pull the plug. */
export const upsSockets = (dataDir: string) => ({
  bus: join(dataDir, 'ups.sock'),
  control: join(dataDir, 'ups.control'),
});

/** Where the agent asks to be powered off. */
export const agentRuntimeDir = (dataDir: string) => join(dataDir, 'runtime');

/** `appliance.json` and the credentials folder, as an installer would write them. */
function writeAgentFiles(options: HouseOptions, hub: HubAddress): void {
  const credentials = join(options.dataDir, 'credentials');
  // Made anew: no login of another time stays behind, and no mode that an older file had.
  rmSync(credentials, { recursive: true, force: true });
  mkdirSync(credentials, { recursive: true, mode: 0o700 });
  const secret = (name: string, content: string) =>
    writeFileSync(join(credentials, name), content, { mode: 0o600 });
  secret('iothub', hub.connectionString);
  const credential = (key: string, name: string, login: CameraCredential | undefined) => {
    if (!login) return {};
    secret(name, JSON.stringify(login));
    return { [key]: name };
  };
  const cameras = options.cameras.map(({ id, main, sub, login, subLogin }) => ({
    id,
    main,
    sub,
    ...credential('credential', `camera-${id}`, login),
    ...credential('subCredential', `camera-${id}-sub`, subLogin),
  }));
  const config = {
    schema: 'dachawatch/appliance/1',
    deviceId: DEVICE_ID,
    hub: {
      credential: 'iothub',
      mqttEndpoint: `localhost:${hub.mqttPort}`,
      httpsEndpoint: `127.0.0.1:${hub.httpsPort}`,
      caFile: hub.caFile,
    },
    cameras,
    recording: options.recording,
    storage: {},
    ...(options.upsScenario === undefined
      ? {}
      : {
          power: {
            ups: { model: 'waveshare-ups-module-3s', simulator: upsSockets(options.dataDir).bus },
          },
        }),
    dashboard: { port: options.dashboardPort },
  };
  writeFileSync(join(options.dataDir, 'appliance.json'), `${JSON.stringify(config, null, 2)}\n`);
}
