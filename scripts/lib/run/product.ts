import { statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startCamera, type CameraSimulator } from '../../../hardware/simulators/camera/camera.ts';
import { defaultFootage } from '../../../hardware/simulators/camera/default-footage.ts';
import { MIN_FREE_BYTES } from '../../../agent/ledger/ledger.ts';
import { Refusal } from '../command/ends.ts';
import { needFolder } from '../command/folders.ts';
import { cacheDir } from '../places.ts';
import { type CameraLogin, cameraLogins } from './camera-logins.ts';
import { lockData } from './data-lock.ts';
import { agentRuntimeDir, startHouse, upsSockets } from './local-stack.ts';
import { upsCommand } from './ups-command.ts';
import { readRunOptions, type RunOptions } from './options.ts';
import { loadPageWords } from './page-words.ts';
import { watchPowerSwitch } from './power-switch.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import { watch } from './watch.ts';

const STOP_MS = 15_000;
/** What the agent keeps free, and a few clips. */
const ROOM_BYTES = MIN_FREE_BYTES + 100_000_000;

type Tell = (sentence: string) => void;

/** What stands in `scripts/run`. */
export async function runProduct(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readRunOptions(args);
  const tell = createTell(options.json);
  const cameras = await cameraLogins(options.logins, signal);
  if (options.exposed)
    process.stderr.write(
      'scripts/run: a password in an argument stays in the history of your shell, and others could see it for a moment; give only the user, then it is asked for, or --camera-login FILE\n',
    );
  const logDir = join(options.dataDir, 'log');
  needFolder('the data folder', options.dataDir);
  needFolder('the folder of the logs', logDir);
  const lock = lockData(options.dataDir);
  if (!lock)
    throw new Refusal(
      `another scripts/run uses ${options.dataDir}; stop it, or give another folder with --data`,
    );
  const supervisor = createSupervisor({
    logDir,
    stopMs: STOP_MS,
    onRestart: (name, why, inMs) => tell(`${name} ended (${why}); starting it again in ${inMs / 1_000} s`),
  });
  try {
    await requireFreePort(options.port);
    tellOfDisk(options.dataDir, tell);
    return await serve({ options, supervisor, cameras, tell, signal });
  } finally {
    await supervisor.stop();
    lock.release();
  }
}

// With --json, standard output carries nothing but the object.
function createTell(json: boolean): Tell {
  const stream = json ? process.stderr : process.stdout;
  return (sentence) => void stream.write(`${new Date().toTimeString().slice(0, 8)}  ${sentence}\n`);
}

interface Running {
  readonly options: RunOptions;
  readonly supervisor: Supervisor;
  readonly cameras: readonly CameraLogin[];
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/** Starts camera, cloud and agent, follows them, and stops them in reverse. A signal during the start ends what has
 *  been started; the step that waits for it fails, and nothing else starts. */
async function serve({ options, supervisor, cameras, tell, signal }: Running): Promise<number> {
  const sinceMs = Date.now();
  const stopEarly = () => void supervisor.stop();
  signal.addEventListener('abort', stopEarly);
  const ending = new AbortController();
  let simulator: CameraSimulator | undefined;
  let plug: Promise<void> = Promise.resolve();
  try {
    if (cameras.length === 0) simulator = await startFootage(options, tell, signal);
    signal.throwIfAborted();
    const { dashboard } = await startHouse(supervisor, {
      dataDir: options.dataDir,
      modelsDir: join(cacheDir(), 'models'),
      dashboardPort: options.port,
      cameras: simulator ? [footageCamera(simulator)] : cameras,
      recording: options.recording,
      upsScenario: options.upsScenario,
      tell,
    });
    signal.throwIfAborted();
    if (options.upsScenario !== undefined) {
      const { control } = upsSockets(options.dataDir);
      const runtimeDir = agentRuntimeDir(options.dataDir);
      plug = watchPowerSwitch({ supervisor, runtimeDir, controlSocket: control, tell }, ending.signal);
      tell(`the UPS takes commands: ${upsCommand(control)}`);
    }
    tell(`started; the page is at ${dashboard}`);
    if (!options.json) tell(`state and logs are in ${options.dataDir}; Ctrl-C stops everything`);
    return await watch(dashboard, { ...options, sinceMs, words: await loadPageWords(), tell }, signal);
  } finally {
    tell('stopping');
    signal.removeEventListener('abort', stopEarly);
    ending.abort();
    await supervisor.stop();
    await plug;
    await simulator?.stop();
    tell('stopped');
  }
}

async function startFootage(options: RunOptions, tell: Tell, signal: AbortSignal): Promise<CameraSimulator> {
  const video = options.video ?? (await defaultFootage(cacheDir(), tell, signal));
  tell(`preparing the camera: ${video}`);
  const { leadInS, loop } = options;
  return await startCamera({ video, leadInS, loop, cacheDir: cacheDir(), onProgress: tell, signal });
}

const footageCamera = ({ mainUrl, subUrl }: CameraSimulator): CameraLogin => ({
  id: 'demo',
  main: mainUrl,
  sub: subUrl,
  login: undefined,
  subLogin: undefined,
});

/** Before minutes of preparation, and though a part of it may be taken by clips that may go. */
function tellOfDisk(dir: string, tell: Tell): void {
  const { bavail, bsize, blocks } = statfsSync(dir);
  const [free, total] = [bavail * bsize, blocks * bsize];
  const mb = (bytes: number) => `${Math.floor(bytes / 1e6)} MB`;
  if (free < ROOM_BYTES)
    tell(
      `the disk of ${dir} has ${mb(free)} of ${mb(total)} free; recording needs ${mb(ROOM_BYTES)}: make room, or give another folder with --data`,
    );
}

/** Asked before minutes of preparation, not after. */
async function requireFreePort(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((done, refuse) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      refuse(
        new Refusal(
          error.code === 'EADDRINUSE'
            ? `port ${port} is in use; stop what uses it, or give another with --port`
            : `port ${port} cannot be used: ${error.message}`,
        ),
      ),
    );
    probe.listen(port, '127.0.0.1', done);
  });
  await new Promise((done) => probe.close(done));
}
