import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChildService } from '../../cloud-fn/local/child-service.ts';
import { loadKeys, type HostKeys } from '../../cloud-fn/local/functions-host/http/keys.ts';
import { lineReader } from './lines.ts';
import type { Webhook } from './webhook.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const READY_WITHIN_MS = 120_000;
const START_TRIES = 60;
const START_AGAIN_MS = 2_000;

/** Somewhere an app runs, with its management API. */
export interface Engine {
  readonly name: string;
  /** Without a slash at the end. */
  readonly base: string;
  /** Opens the management API of Durable Functions. */
  readonly systemKey: string;
  /** Opens HTTP functions. */
  readonly functionKey: string;
  readonly eventGridKey: string;
  /** Connection string of the app's storage; undefined where it is not known. */
  readonly storage: string | undefined;
  /** Where the product's notifications go; undefined where there is no such place. */
  readonly webhook: Webhook | undefined;
  /** SIGKILL to the process that runs the app, or to the engine and all of it. It is started again by itself.
   *  Undefined where its processes are out of reach. */
  readonly kill: ((what: 'worker' | 'engine') => Promise<void>) | undefined;
  stop(): Promise<void>;
}

export interface App {
  readonly file: string;
  readonly hostJson: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface EngineDeps {
  readonly name: string;
  readonly app: App;
  /** Of this engine alone. */
  readonly dir: string;
  readonly storage: string;
  readonly webhook?: Webhook;
  readonly log: (text: string) => void;
}

interface Running {
  readonly port: number;
  readonly ended: Promise<unknown>;
  /** Resolves when a worker that was killed has a successor. */
  kill(what: 'worker' | 'engine'): void | Promise<void>;
  stop(): Promise<void>;
}

/** Keeps an engine running on the port it had first, whoever kills it. */
async function supervised(deps: EngineDeps, start: (port: number) => Promise<Running>, keys: HostKeys) {
  let running = await start(0);
  let stopping = false;
  const { port } = running;
  let again = Promise.resolve();
  /** Its storage may be away just now. */
  const startAgain = async (): Promise<Running> => {
    for (let left = START_TRIES; ; left -= 1)
      try {
        return await start(port);
      } catch (error) {
        deps.log(`${deps.name}: ${(error as Error).message}\n`);
        if (stopping || left === 1) throw error;
        await delay(START_AGAIN_MS);
      }
  };
  const watch = () =>
    void running.ended.then(() => {
      if (stopping) return;
      again = startAgain().then((next) => {
        running = next;
        watch();
      });
      again.catch(() => undefined);
    });
  watch();
  return {
    name: deps.name,
    base: `http://127.0.0.1:${port}`,
    systemKey: keys.durableTask,
    functionKey: keys.function,
    eventGridKey: keys.eventGrid,
    storage: deps.storage,
    webhook: deps.webhook,
    kill: async (what: 'worker' | 'engine') => {
      const killed = running;
      await killed.kill(what);
      if (what === 'engine') await killed.ended;
      await again;
    },
    stop: async () => {
      stopping = true;
      await again.catch(() => undefined);
      await running.stop();
    },
  } satisfies Engine;
}

/** The Durable extension itself, in the program of `host/`, with the app in a Node process beside it.
 *  @param program what `buildHost` gave */
export function startRealEngine(deps: EngineDeps, program: string): Promise<Engine> {
  const keys = loadKeys(deps.dir);
  const { app } = deps;
  const start = async (port: number): Promise<Running> => {
    const worker = [process.execPath, file('worker.ts'), app.file, app.hostJson];
    const args = [program, '--host-json', app.hostJson, '--port', String(port), '--', ...worker];
    const child = spawn('dotnet', args, {
      // A group of its own: who kills the engine kills its worker too.
      detached: true,
      env: {
        ...process.env,
        ...app.env,
        AzureWebJobsStorage: deps.storage,
        FUNCTIONS_WORKER_RUNTIME: 'node',
        DOTNET_gcServer: '0',
        ENGINE_KEY: keys.durableTask,
        ENGINE_KEYS: JSON.stringify(keys),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', deps.log);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const read = lineReader(child);
    let workerPid = 0;
    let onWorker: () => void = () => undefined;
    const portSaid = async (withinMs?: number) => {
      for (;;) {
        const line = JSON.parse(await read(withinMs)) as { worker?: number; port?: number };
        if (line.worker !== undefined) {
          workerPid = line.worker;
          onWorker();
        }
        if (line.port !== undefined) return line.port;
      }
    };
    const used = await portSaid(READY_WITHIN_MS);
    // From here on it says nothing but which process its worker is; it rejects when it ends.
    portSaid().catch(() => undefined);
    return {
      port: used,
      ended,
      kill: (what) => {
        if (what === 'engine') return void process.kill(-(child.pid ?? 0), 'SIGKILL');
        const succeeded = new Promise<void>((resolve) => {
          onWorker = resolve;
        });
        process.kill(workerPid, 'SIGKILL');
        return succeeded;
      },
      stop: async () => {
        child.stdin.end();
        await ended;
      },
    };
  };
  return supervised(deps, start, keys);
}

export interface OurEngineDeps extends EngineDeps {
  /** The app in a process of its own. Without it, app and host are one: who kills the worker kills both. */
  readonly appProcess?: boolean;
  /** Seed of what is done to the app. */
  readonly hostile?: number | undefined;
}

/** Our own functions host. */
export function startOurEngine(deps: OurEngineDeps): Promise<Engine> {
  const keys = loadKeys(deps.dir);
  const { app } = deps;
  const start = async (port: number): Promise<Running> => {
    const workers = followWorkers(deps.log);
    const service = await startChildService<{ port: number }>({
      main: file('../../cloud-fn/local/functions-host/main.ts'),
      args: [
        ...['--app', app.file, '--data', deps.dir, '--host-json', app.hostJson, '--port', String(port)],
        ...(deps.appProcess === true ? ['--app-process'] : []),
        ...(deps.hostile === undefined ? [] : ['--hostile', String(deps.hostile)]),
      ],
      env: { ...process.env, ...app.env, AzureWebJobsStorage: deps.storage },
      onLog: workers.onLog,
    });
    return {
      port: service.ready.port,
      ended: service.ended,
      kill: async (what) => {
        if (what === 'worker' && deps.appProcess === true) return workers.kill();
        process.kill(service.pid, 'SIGKILL');
        await service.ended;
        return undefined;
      },
      stop: () => service.stop(),
    };
  };
  return supervised(deps, start, keys);
}

/** The process that runs the app, by what the host logs of it. */
function followWorkers(log: EngineDeps['log']) {
  let pid: number | undefined;
  let rest = '';
  let onWorker: () => void = () => undefined;
  return {
    onLog: (text: string): void => {
      log(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const running = /"event":"app\.running","pid":(\d+)/.exec(line)?.[1];
        if (running !== undefined) {
          pid = Number(running);
          onWorker();
        } else if (line.includes('"event":"app.ended"')) pid = undefined;
      }
    },
    /** Resolves when the one that was killed has a successor; at once when it is dying just now. */
    kill: async (): Promise<void> => {
      const victim = pid;
      if (victim === undefined) return;
      const succeeded = new Promise<void>((resolve) => {
        onWorker = resolve;
      });
      process.kill(victim, 'SIGKILL');
      await succeeded;
    },
  };
}

/** An app that runs somewhere else: `func start`, or one that is deployed. */
export function engineAt(url: string, key: string, storage: string | undefined): Engine {
  return {
    name: new URL(url).host,
    base: url.replace(/\/$/, ''),
    systemKey: key,
    functionKey: key,
    eventGridKey: key,
    storage,
    webhook: undefined,
    kill: undefined,
    stop: () => Promise.resolve(),
  };
}
