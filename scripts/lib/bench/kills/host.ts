/** A functions host in a process of its own, with the sample app, that is killed and started again on the same folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ChildService, startChildService } from '../../../../cloud-fn/local/child-service.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** A host that has nothing more to do says nothing more: it is killed then. */
const QUIET_MS = 1_000;
const REQUEST_MS = 30_000;

export interface Instance {
  readonly runtimeStatus: string;
  readonly output: unknown;
  readonly historyEvents: readonly { readonly EventType: string; readonly Result?: unknown }[];
}

interface Ready {
  readonly port: number;
  readonly keysFile: string;
}

export type KilledHost = Awaited<ReturnType<typeof startKilledHost>>;

/** @param compileCache folder in which Node keeps what it has compiled: starting is most of the work */
export async function startKilledHost(dataDir: string, compileCache: string) {
  const effects = join(dataDir, 'effects');
  let lines = 0;
  let onLine: () => void = () => undefined;
  let service: ChildService<Ready>;

  async function boot(): Promise<void> {
    lines = 0;
    service = await startChildService<Ready>({
      main: file('../../../../cloud-fn/local/functions-host/main.ts'),
      args: [
        '--app',
        file('../../../../test/fakes/apps/durable-sample.ts'),
        '--data',
        dataDir,
        '--port',
        '0',
      ],
      env: { ...process.env, SAMPLE_EFFECTS_FILE: effects, NODE_COMPILE_CACHE: compileCache },
      onLog: (text) => {
        lines += text.split('\n').length - 1;
        onLine();
      },
    });
  }
  await boot();

  async function manage(path: string, init: RequestInit = {}): Promise<Response> {
    const keys = JSON.parse(readFileSync(service.ready.keysFile, 'utf8')) as { durableTask: string };
    const address = `http://127.0.0.1:${service.ready.port}/runtime/webhooks/durabletask/${path}`;
    return fetch(`${address}${path.includes('?') ? '&' : '?'}code=${keys.durableTask}`, {
      ...init,
      signal: AbortSignal.timeout(REQUEST_MS),
    });
  }

  return {
    /** SIGKILL once it has said so many lines in this life, or has nothing more to say; then it is started again. */
    async killAtLine(line: number): Promise<void> {
      const quiet = new AbortController();
      const reached = new Promise<void>((resolve) => {
        onLine = () => {
          if (lines >= line) resolve();
        };
        onLine();
      });
      await Promise.race([reached, delay(QUIET_MS, undefined, { signal: quiet.signal })]).finally(() =>
        quiet.abort(),
      );
      onLine = () => undefined;
      await service.kill();
    },
    boot,
    /** Whether a chain of this id was begun, now or before. A kill may hit the request: asking again shows it. */
    async begin(id: string): Promise<boolean> {
      const init = { method: 'POST', body: JSON.stringify(id) };
      const status = await manage(`orchestrators/chain/${id}`, init).then(
        (answer) => answer.status,
        () => 0,
      );
      return status === 202 || status === 409;
    },
    instance: async (id: string): Promise<Instance> =>
      (await (await manage(`instances/${id}?showHistory=true&showHistoryOutput=true`)).json()) as Instance,
    /** What its activities did, a line each. */
    effects: (): string[] => readFileSync(effects, 'utf8').split('\n'),
    stop: () => service.stop(),
  };
}
