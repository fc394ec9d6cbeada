/** What runs and answers. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isJson } from '@dachawatch/contracts';
import { connectionStringOf, loadAccount } from '../../../cloud-fn/local/storage/account.ts';
import { createHubClient } from '../hub/client.ts';
import { CONNECTION_VARIABLE, findHub } from '../hub/place.ts';
import { askStatus } from '../run/follow-agent.ts';
import { cameraSentence } from '../run/appliance-story.ts';
import { loadPageWords } from '../run/page-words.ts';
import { type Check, notice, ok } from './check.ts';

const ANSWER_MS = 3_000;
const START = 'scripts/run';

/** The processes of the `scripts/run` that uses this folder, by its own list. */
export function whoRuns(dataDir: string): Check {
  const alive = Object.entries(jsonIn(join(dataDir, 'log/processes.json'))).filter(
    ([, pid]) => typeof pid === 'number' && existsSync(`/proc/${pid}`),
  );
  if (alive.length === 0) return notice('scripts/run', `does not run in ${dataDir}`, START);
  return ok(
    'scripts/run',
    `runs in ${dataDir}: ${alive.map(([name, pid]) => `${name} ${String(pid)}`).join(', ')}`,
  );
}

/** Whether the page answers, and what its first sentence is. */
export async function page(dataDir: string): Promise<Check> {
  const { dashboard } = jsonIn(join(dataDir, 'appliance.json'));
  const port = isJson(dashboard) ? dashboard['port'] : undefined;
  if (typeof port !== 'number') return notice('page', 'none has been started', START);
  const url = `http://127.0.0.1:${port}`;
  const status = await askStatus(url);
  if (!status) return notice('page', `${url} does not answer`, START);
  const unwatched = status.cameras.filter(({ state }) => state !== 'live').map(cameraSentence);
  const said = [(await loadPageWords()).house(status), ...unwatched.filter((one) => one !== undefined)].join(
    ' ',
  );
  return status.house.level === 'calm'
    ? ok('page', `${url}: ${said}`)
    : notice(
        'page',
        `${url}: ${said}`,
        unwatched.length > 0
          ? `open ${url}; scripts/camera check says what is wrong with a camera`
          : `open ${url}`,
      );
}

/** Whether the hub answers, and which devices are connected. */
export async function hub(dataDir: string): Promise<Check> {
  try {
    const place = findHub(dataDir, process.env[CONNECTION_VARIABLE] || undefined);
    const twins = await createHubClient(place).list();
    const on = twins.filter(({ connectionState }) => connectionState === 'Connected');
    return ok('IoT hub', `answers; ${on.length} of ${twins.length} devices are connected`);
  } catch (error) {
    return notice('IoT hub', (error as Error).message, START);
  }
}

/** Whether the local storage account takes connections. */
export async function storage(dataDir: string): Promise<Check> {
  const dir = join(dataDir, 'cloud/storage');
  if (!existsSync(join(dir, 'account.json'))) return notice('storage', 'none has been started', START);
  const endpoint = /BlobEndpoint=([^;]+)/.exec(connectionStringOf(loadAccount(dir)))?.[1] ?? '';
  const { hostname, port } = new URL(endpoint);
  const isUp = await new Promise<boolean>((done) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
  return isUp
    ? ok('storage', `answers at ${hostname}:${port}`)
    : notice('storage', `does not answer at ${hostname}:${port}`, START);
}

/** An empty object for what is not there or cannot be read: the line says so then. */
function jsonIn(file: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isJson(found) ? found : {};
  } catch {
    return {};
  }
}
