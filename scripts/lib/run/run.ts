/** `scripts/run`: the whole product on this machine, with a camera to watch. Its help stands in `scripts/run`. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PRE_ROLL_MAX_MS } from '@dachawatch/contracts';
import { startCamera, type CameraSimulator } from '../../../hardware/simulators/camera/camera.ts';
import { defaultFootage } from '../../../hardware/simulators/camera/default-footage.ts';
import { lockData } from './data-lock.ts';
import { askHidden, type CameraLogin, cameraLogins, LoginRefusal } from './camera-logins.ts';
import { agentRuntimeDir, startHouse, upsSockets } from './local-stack.ts';
import { cacheDir, repoRoot, stateDir } from '../places.ts';
import { watchPowerSwitch } from './power-switch.ts';
import { createSupervisor } from './supervisor.ts';
import { askClips, type ClipView, clipSummary, createStory } from './follow-agent.ts';

const LOOK_EVERY_MS = 500;
const STOP_MS = 15_000;
/** Exit code of a program ended by Ctrl-C. */
const INTERRUPTED = 130;

/** Something the person can mend: said in one sentence, exit code 2. */
class Refusal extends Error {}

const numberIn = (text: string, name: string, min: number, max: number): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < min || value > max)
    throw new Refusal(`--${name} takes a number from ${min} to ${max}, not "${text}"`);
  return value;
};

const SCENARIOS = join(repoRoot, 'hardware/simulators/ups/scenarios');
/** Longest path of a Unix socket on Linux. */
const SOCKET_PATH_MAX = 107;

/** A scenario by its name, or a file. */
function scenarioFile(wish: string, dataDir: string): string {
  if (upsSockets(dataDir).control.length > SOCKET_PATH_MAX)
    throw new Refusal(
      `the path of the data folder is too long for the socket of the UPS: give a shorter --data`,
    );
  const named = join(SCENARIOS, `${wish}.json`);
  if (/^[a-z0-9-]+$/.test(wish) && existsSync(named)) return named;
  if (existsSync(wish)) return resolve(wish);
  const names = readdirSync(SCENARIOS).map((file) => file.replace(/\.json$/, ''));
  throw new Refusal(`--ups takes a scenario file or one of ${names.join(', ')}; "${wish}" is neither`);
}

const HIDDEN = /^hidden:(\d+)$/;
const HIDDEN_FD = 8;

/** What `scripts/lib/run/hide-logins.sh` took out of the arguments and the environment.
 *  @returns gives each value as it was */
function unhide(values: readonly (string | undefined)[]): (value: string) => string {
  if (!values.some((value) => value !== undefined && HIDDEN.test(value))) return (value) => value;
  let lines: readonly string[];
  try {
    lines = readFileSync(HIDDEN_FD, 'utf8').split('\n');
  } catch {
    throw new Refusal('hidden: is no address');
  }
  return (value) => {
    const line = HIDDEN.exec(value)?.[1];
    return line === undefined ? value : (lines[Number(line) - 1] ?? '');
  };
}

function readOptions(args: string[]) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        video: { type: 'string' },
        'lead-in': { type: 'string', default: '10' },
        once: { type: 'boolean', default: false },
        camera: { type: 'string', multiple: true, default: [] },
        sub: { type: 'string', multiple: true, default: [] },
        'camera-login': { type: 'string', multiple: true, default: [] },
        // Of scripts/lib/run/hide-logins.sh.
        'hidden-login': { type: 'string' },
        data: { type: 'string' },
        port: { type: 'string', default: '8080' },
        'pre-roll': { type: 'string', default: '5' },
        'post-roll': { type: 'string', default: '30' },
        ups: { type: 'string' },
        'until-verdict': { type: 'boolean', default: false },
        timeout: { type: 'string', default: '300' },
        json: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new Refusal(`${(error as Error).message} (scripts/run --help lists the options)`);
  }
  if (values.camera.length > 0 && values.video !== undefined)
    throw new Refusal('--video makes a camera of a file and --camera uses real ones: give one of the two');
  if (values.camera.length !== values.sub.length)
    throw new Refusal(
      'each --camera needs a --sub: the address of the small stream of the same camera, which is decoded to look for motion',
    );
  const dataDir = resolve(values.data ?? join(stateDir(), 'run'));
  if (values.camera.length === 0 && values['camera-login'].length > 0)
    throw new Refusal('--camera-login is for real cameras: name them with --camera and --sub');
  const shown = unhide([...values.camera, ...values.sub, values['hidden-login']]);
  return {
    video: values.video,
    leadInS: numberIn(values['lead-in'], 'lead-in', 0, 3600),
    loop: !values.once,
    logins: {
      main: values.camera.map(shown),
      sub: values.sub.map(shown),
      files: values['camera-login'],
      environment: values['hidden-login'] === undefined ? undefined : shown(values['hidden-login']),
      ask: process.stdin.isTTY && process.stderr.isTTY ? askHidden : undefined,
    },
    exposed: [...values.camera, ...values.sub].some((text) => /:[^/@]+@|pass\w*=|pwd=/i.test(shown(text))),
    dataDir,
    upsScenario: values.ups === undefined ? undefined : scenarioFile(values.ups, dataDir),
    port: numberIn(values.port, 'port', 0, 65_535),
    recording: {
      preRollMs: Math.round(numberIn(values['pre-roll'], 'pre-roll', 0, PRE_ROLL_MAX_MS / 1000) * 1000),
      postRollMs: Math.round(numberIn(values['post-roll'], 'post-roll', 1, 300) * 1000),
    },
    untilVerdict: values['until-verdict'],
    timeoutS: numberIn(values.timeout, 'timeout', 1, 86_400),
    json: values.json,
  };
}

// Whatever anybody of us writes is for its owner alone.
process.umask(0o077);

const options = (() => {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`scripts/run: ${error.message}\n`);
    return process.exit(2);
  }
})();

// With --json, standard output carries nothing but the object.
const tell = (sentence: string) => {
  const line = `${new Date().toTimeString().slice(0, 8)}  ${sentence}\n`;
  if (options.json) process.stderr.write(line);
  else process.stdout.write(line);
};

async function main(interrupted: AbortSignal): Promise<number> {
  const realCameras = await cameraLogins(options.logins);
  if (options.exposed)
    process.stderr.write(
      'scripts/run: a password in an argument stays in the history of your shell, and others could see it for a moment; give only the user, then it is asked for, or --camera-login FILE\n',
    );
  try {
    mkdirSync(join(options.dataDir, 'log'), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Refusal(`the data folder ${options.dataDir} cannot be made: ${(error as Error).message}`);
  }
  const lock = lockData(options.dataDir);
  if (!lock)
    throw new Refusal(
      `another scripts/run uses ${options.dataDir}; stop it, or give another folder with --data`,
    );

  await requireFreePort(options.port);

  const logDir = join(options.dataDir, 'log');
  const supervisor = createSupervisor({
    logDir,
    stopMs: STOP_MS,
    onRestart: (name, why, inMs) => tell(`${name} ended (${why}); starting it again in ${inMs / 1000} s`),
  });
  // Ctrl-C during the start ends what has been started; the step that waits for it fails and we go to the end.
  const stopEarly = () => void supervisor.stop();
  interrupted.addEventListener('abort', stopEarly);
  let camera: CameraSimulator | undefined;
  const ending = new AbortController();
  let plug: Promise<void> = Promise.resolve();
  try {
    const cameras: CameraLogin[] = [...realCameras];
    if (cameras.length === 0) {
      const video =
        options.video === undefined ? await defaultFootage(cacheDir(), tell) : resolve(options.video);
      tell(`preparing the camera: ${video}`);
      camera = await startCamera({
        video,
        leadInS: options.leadInS,
        loop: options.loop,
        cacheDir: cacheDir(),
        onProgress: tell,
        signal: interrupted,
      });
      const { mainUrl, subUrl } = camera;
      cameras.push({ id: 'demo', main: mainUrl, sub: subUrl, login: undefined, subLogin: undefined });
    }
    if (interrupted.aborted) return INTERRUPTED;
    const { dashboard } = await startHouse(supervisor, {
      dataDir: options.dataDir,
      modelsDir: join(cacheDir(), 'models'),
      dashboardPort: options.port,
      cameras,
      recording: options.recording,
      upsScenario: options.upsScenario,
      tell,
    });
    if (options.upsScenario !== undefined) {
      const { control } = upsSockets(options.dataDir);
      plug = watchPowerSwitch(
        { supervisor, runtimeDir: agentRuntimeDir(options.dataDir), controlSocket: control, tell },
        ending.signal,
      );
      tell(
        `the UPS takes commands: node hardware/simulators/ups/main.ts --control ${control} --tell "mains off"`,
      );
    }
    tell(`watching; the page is at ${dashboard}`);
    if (!options.json) tell(`state and logs are in ${options.dataDir}; Ctrl-C stops everything`);
    interrupted.removeEventListener('abort', stopEarly);
    return await watch(dashboard, interrupted);
  } catch (error) {
    if (interrupted.aborted) return INTERRUPTED;
    throw error;
  } finally {
    tell('stopping');
    ending.abort();
    await supervisor.stop();
    await plug;
    await camera?.stop();
    lock.release();
    tell('stopped');
  }
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

/** Tells what happens until Ctrl-C, or until the first verdict with --until-verdict. */
async function watch(dashboard: string, interrupted: AbortSignal): Promise<number> {
  const story = createStory(tell);
  const atStart = await askClips(dashboard);
  story.begin(atStart ?? []);
  const endAt = performance.now() + options.timeoutS * 1000;
  let last: readonly ClipView[] = atStart ?? [];

  while (!interrupted.aborted) {
    const clips = await askClips(dashboard);
    if (clips) {
      last = clips;
      const [judged] = story.look(clips);
      if (judged && options.untilVerdict) {
        const found = clipSummary(join(options.dataDir, 'agent'), judged.clipId);
        process.stdout.write(
          options.json ? `${JSON.stringify(found)}\n` : `${JSON.stringify(found, null, 2)}\n`,
        );
        return 0;
      }
    }
    if (options.untilVerdict && performance.now() > endAt) {
      process.stderr.write(`scripts/run: no verdict within ${options.timeoutS} s: ${whyNot(last)}\n`);
      return 1;
    }
    await delay(LOOK_EVERY_MS);
  }
  return options.untilVerdict ? INTERRUPTED : 0;
}

/** The step that the newest clip has not passed. */
function whyNot(clips: readonly ClipView[]): string {
  const newest = clips[0];
  if (!newest)
    return 'nothing moved before the camera, or the camera gave no picture; its state is on the page and in log/agent.log';
  if (newest.state === 'recording') return 'the clip is still being recorded';
  if (!newest.uploadedUtc)
    return `the clip is ${newest.state} and not uploaded: ${newest.reason ?? 'no upload has failed so far'}`;
  return 'the clip is uploaded and the cloud has not judged it; see log/functions-host.log';
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());

try {
  process.exitCode = await main(interruption.signal);
} catch (error) {
  process.stderr.write(`scripts/run: ${(error as Error).message}\n`);
  process.exitCode = error instanceof Refusal || error instanceof LoginRefusal ? 2 : 1;
}
