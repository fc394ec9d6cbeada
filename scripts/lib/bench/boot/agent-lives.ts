import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { MadeCamera } from '../../../../hardware/simulators/camera/made-camera.ts';
import { repoRoot } from '../../places.ts';

const AGENT = join(repoRoot, 'agent/main.ts');
const UNIT = join(repoRoot, 'systemd/dachawatch-agent.service');
const UP_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 60_000;
const RECORDS_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;
const LAST_LINES = 5;

/** When an agent got where, milliseconds since it was started. */
export interface Milestones {
  /** Each camera has a fragment in its ring and a picture that was looked at: what moves from now on is recorded. */
  readonly recordingMs: number;
  /** It told that it is ready. */
  readonly readyMs: number;
  /** Its page answered. */
  readonly pageMs: number;
}

export interface AgentLife {
  /** @throws Error with its last words when it ends before, or does not get there */
  readonly up: Promise<Milestones>;
  /** Waits until pictures of a clip are on disk.
   *  @throws Error when that takes too long */
  recordsClip(): Promise<void>;
  /** @returns when it is gone */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** A house whose hub does not answer, in a folder. What is compiled is kept there, as the unit has it.
 *  @returns starts its agent */
export async function makeHouse(
  dir: string,
  cameras: readonly Pick<MadeCamera, 'mainUrl' | 'subUrl'>[],
): Promise<(signal: AbortSignal) => AgentLife> {
  const [config, data, credentials] = ['appliance.json', 'data', 'credentials'].map((name) =>
    join(dir, name),
  ) as [string, string, string];
  for (const folder of [data, credentials]) await mkdir(folder, { recursive: true });
  const key = Buffer.from('no key of anybody').toString('base64');
  await writeFile(
    join(credentials, 'iothub'),
    `HostName=house.example;DeviceId=dacha-1;SharedAccessKey=${key}`,
  );
  await writeFile(
    config,
    JSON.stringify({
      schema: 'dachawatch/appliance/1',
      deviceId: 'dacha-1',
      hub: { credential: 'iothub', mqttEndpoint: '127.0.0.1:9', httpsEndpoint: '127.0.0.1:9' },
      cameras: cameras.map(({ mainUrl, subUrl }, index) => ({
        id: `camera-${index}`,
        main: mainUrl,
        sub: subUrl,
      })),
      recording: {},
      storage: {},
      dashboard: { port: 0 },
    }),
  );
  const args = [AGENT, '--config', config, '--data', data, '--credentials', credentials];
  const environment = { ...process.env, NODE_COMPILE_CACHE: join(dir, 'compiled') };
  return (signal) => startLife({ args, environment, dataDir: data, cameras: cameras.length }, signal);
}

interface House {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly dataDir: string;
  readonly cameras: number;
}

function startLife({ args, environment, dataDir, cameras }: House, signal: AbortSignal): AgentLife {
  const startedMs = performance.now();
  const agent = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: environment,
  });
  const exit = once(agent, 'exit');
  const lastLines: string[] = [];
  const live = new Set<string>();
  const reached: { -readonly [K in keyof Milestones]?: Milestones[K] } = {};
  const up = Promise.withResolvers<Milestones>();
  const sinceStart = () => Math.round(performance.now() - startedMs);

  function note(what: keyof Milestones): void {
    reached[what] ??= sinceStart();
    const { recordingMs, readyMs, pageMs } = reached;
    if (recordingMs === undefined || readyMs === undefined || pageMs === undefined) return;
    up.resolve({ recordingMs, readyMs, pageMs });
  }

  async function askPage(url: string): Promise<void> {
    const answer = await fetch(`${url}/api/status`, { signal: AbortSignal.timeout(UP_WITHIN_MS) });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
    note('pageMs');
  }

  agent.on('message', (message: { ready?: boolean; dashboard?: string }) => {
    if (!message.ready) return;
    note('readyMs');
    if (message.dashboard === undefined) up.reject(new Error('the agent has no page'));
    else askPage(message.dashboard).catch(up.reject);
  });
  if (agent.stderr)
    createInterface({ input: agent.stderr }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > LAST_LINES) lastLines.shift();
      const { event, state, cameraId = '' } = read(line);
      if (event !== 'camera.state' || state !== 'live') return;
      live.add(cameraId);
      if (live.size === cameras) note('recordingMs');
    });
  const failed = (why: string) =>
    up.reject(new Error(`${why}; its last words: ${lastLines.join(' | ') || 'none'}`));
  const timer = setTimeout(
    () => failed(`the agent was not up within ${UP_WITHIN_MS / 1000} s`),
    UP_WITHIN_MS,
  );
  const interrupted = () => up.reject(signal.reason);
  signal.addEventListener('abort', interrupted);
  void exit.then(() => failed('the agent ended'));
  const settled = up.promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
  });
  // Who does not wait for it any more ends it.
  settled.catch(() => undefined);
  return {
    up: settled,
    recordsClip: () => untilRecording(dataDir, signal),
    end: (how) => endOf(agent, exit, how),
  };
}

async function untilRecording(dataDir: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + RECORDS_WITHIN_MS;
  while (!(await holdsOpenClip(dataDir))) {
    if (performance.now() > deadlineMs) throw new Error('no clip was begun, although something moves');
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function holdsOpenClip(dataDir: string): Promise<boolean> {
  const names = await readdir(dataDir, { recursive: true });
  const sizes = names
    .filter((name) => name.endsWith('.part'))
    .map(async (name) => (await stat(join(dataDir, name)).catch(() => undefined))?.size ?? 0);
  return (await Promise.all(sizes)).some((size) => size > 0);
}

async function endOf(
  agent: ChildProcess,
  exit: Promise<unknown>,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  agent.kill(signal);
  const timer = setTimeout(() => agent.kill('SIGKILL'), ENDS_WITHIN_MS);
  await exit;
  clearTimeout(timer);
}

interface Line {
  readonly event?: string;
  readonly state?: string;
  readonly cameraId?: string;
}

/** A line of the log; anything else says nothing. */
function read(line: string): Line {
  if (!line.startsWith('{') || !line.endsWith('}')) return {};
  return JSON.parse(line) as Line;
}

/** How long systemd waits before it starts a dead agent again, as the unit says. */
export async function restartWaitMs(): Promise<number> {
  const seconds = /^RestartSec=(\d+(?:\.\d+)?)s$/m.exec(await readFile(UNIT, 'utf8'))?.[1];
  if (seconds === undefined) throw new Error(`${UNIT} has no RestartSec in seconds`);
  return Number(seconds) * 1000;
}
