/** The functions host as it is, with queues that are looked at more often than in life. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVictim, type Victim } from './victim.ts';

const ANALYSIS_WAIT_MS = 5 * 60_000;
const cloudFn = (name: string) => join(import.meta.dirname, '../../../../../cloud-fn', name);

/** Where the host is asked, and with which keys. */
export interface HostAccess {
  readonly base: string;
  readonly keys: Readonly<Record<string, string>>;
}

export interface FunctionsHostDeps {
  /** Its own folder. */
  readonly dataDir: string;
  /** Written here. */
  readonly hostJsonFile: string;
  readonly storageConnection: string;
  readonly hubConnection: string;
  /** Of every process of the harness. */
  readonly environment: NodeJS.ProcessEnv;
  readonly rules: Victim['rules'];
}

export function createFunctionsHost(deps: FunctionsHostDeps): Victim {
  const { dataDir, hostJsonFile, environment, rules } = deps;
  writeHostJson(hostJsonFile);
  return createVictim({
    main: cloudFn('local/functions-host/main.ts'),
    args: [
      ...['--app', cloudFn('functions/app.ts'), '--data', dataDir],
      ...['--port', '0', '--host-json', hostJsonFile],
    ],
    environment: {
      ...environment,
      DACHA_STORAGE_CONNECTION: deps.storageConnection,
      DACHA_ANALYSIS_WAIT_MS: String(ANALYSIS_WAIT_MS),
      DACHA_COMPUTE: 'none',
      DACHA_IOTHUB_CONNECTION: deps.hubConnection,
    },
    rules,
  });
}

function writeHostJson(file: string): void {
  const hostJson = JSON.parse(readFileSync(cloudFn('host.json'), 'utf8')) as {
    extensions: { queues: Record<string, unknown> };
  };
  Object.assign(hostJson.extensions.queues, {
    visibilityTimeout: '00:00:01',
    maxPollingInterval: '00:00:00.2',
  });
  writeFileSync(file, JSON.stringify(hostJson));
}

/** Undefined while the host is down or has no keys yet. */
export function accessTo(host: Victim): HostAccess | undefined {
  const ready = host.ready() as { port: number; keysFile: string } | undefined;
  if (!ready || !host.alive() || !existsSync(ready.keysFile)) return undefined;
  return {
    base: `http://127.0.0.1:${ready.port}`,
    keys: JSON.parse(readFileSync(ready.keysFile, 'utf8')) as Record<string, string>,
  };
}
