/** So many orchestrations at once through our local functions host, and what that cost. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { startChildService } from '../../../../cloud-fn/local/child-service.ts';
import { loadKeys } from '../../../../cloud-fn/local/functions-host/http/keys.ts';

export interface Load {
  readonly instances: number;
  /** User and system time of the host's process from the first start to the last end, for each instance. */
  readonly cpuMsPerInstance: number;
  /** From the start's request to the instance's last activity. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Most memory of the host's process. */
  readonly rssMb: number;
  /** Slowest answer to a status request meanwhile, and what 99 of 100 take at most. */
  readonly httpWorstMs: number;
  readonly httpP99Ms: number;
}

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Requests on their way at once: starts and answers. */
const AT_ONCE = 16;
const LOOK_EVERY_MS = 250;
const WITHIN_MS = 30 * 60_000;
/** `sysconf(_SC_CLK_TCK)` of Linux. */
const TICKS_PER_S = 100;
/** Rests before the others begin; its status is what is asked for. */
const RESTING = 'resting';

/** @param dir of this load alone */
export async function load(dir: string, instances: number, signal: AbortSignal): Promise<Load> {
  const hostJson = join(dir, 'host.json');
  writeFileSync(
    hostJson,
    JSON.stringify({ version: '2.0', extensions: { durableTask: { hubName: 'bench' } } }),
  );
  const keys = loadKeys(dir);
  const host = await startChildService<{ port: number }>({
    main: file('../../../../cloud-fn/local/functions-host/main.ts'),
    args: ['--app', file('app.ts'), '--data', dir, '--host-json', hostJson, '--port', '0'],
    env: process.env,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const base = `http://127.0.0.1:${host.ready.port}`;
  const manage = (path: string) => `${base}/runtime/webhooks/durabletask/${path}?code=${keys.durableTask}`;
  const call = (method: string, address: string, body?: string) => answered(agent, method, address, body);
  try {
    await call('POST', manage(`orchestrators/measured/${RESTING}`), '{}');
    const before = cpuMsOf(host.pid);
    const probe = new Worker(new URL('probe.ts', import.meta.url), {
      workerData: { address: manage(`instances/${RESTING}`) },
    });
    const broken = new Promise<never>((_, reject) => probe.once('error', reject));
    const probed = new Promise<number[]>((resolve) => probe.once('message', resolve));
    const begun = new Map<string, number>();
    const names = Array.from({ length: instances }, (_, at) => `clip-${at}`).values();
    const lane = async () => {
      for (const id of names) {
        signal.throwIfAborted();
        begun.set(id, Date.now());
        await call('POST', manage(`orchestrators/measured/${id}`), JSON.stringify({ clip: id }));
        await call('POST', manage(`instances/${id}/raiseEvent/answer`), JSON.stringify({ person: true }));
      }
    };
    await Promise.race([broken, Promise.all(Array.from({ length: AT_ONCE }, lane))]);
    for (const endMs = performance.now() + WITHIN_MS; ; await delay(LOOK_EVERY_MS)) {
      signal.throwIfAborted();
      if (Number(await call('GET', `${base}/api/count`)) === instances) break;
      if (performance.now() > endMs) throw new Error(`not ended within ${WITHIN_MS / 60_000} min`);
    }
    const cpuMs = cpuMsOf(host.pid) - before;
    probe.postMessage('over');
    const http = (await Promise.race([broken, probed])).toSorted((one, other) => one - other);
    const ends = JSON.parse(await call('GET', `${base}/api/ends`)) as [string, number][];
    const took = ends.map(([id, at]) => at - (begun.get(id) ?? at)).toSorted((one, other) => one - other);
    return {
      instances,
      cpuMsPerInstance: round(cpuMs / instances),
      p50Ms: share(took, 0.5),
      p95Ms: share(took, 0.95),
      rssMb: Math.round(peakKbOf(host.pid) / 1024),
      httpWorstMs: round(http.at(-1) ?? 0),
      httpP99Ms: round(share(http, 0.99)),
    };
  } finally {
    agent.destroy();
    await host.stop();
  }
}

function answered(agent: Agent, method: string, address: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asking = request(address, { agent, method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.once('end', () => {
        if ((answer.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`the host answered ${answer.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    asking.once('error', reject);
    asking.end(body);
  });
}

function cpuMsOf(pid: number): number {
  // Behind the name, which may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_S;
}

const peakKbOf = (pid: number) =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

const share = (sorted: readonly number[], part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
const round = (value: number) => Math.round(value * 100) / 100;
