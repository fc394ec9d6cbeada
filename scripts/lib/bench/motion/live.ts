import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GREY } from '../../../../agent/capture/child/pipelines.ts';
import { withDeadline } from '../../../../agent/kernel/waiting/deadline.ts';
import { type CameraSimulator, startCamera } from '../../../../hardware/simulators/camera/camera.ts';
import type { FromLiveChild, ToLiveChild } from './live-child.ts';
import type { BenchClip } from './manifest.ts';
import { runOf, type Run } from './measure.ts';

export interface LiveDeps {
  readonly sensitivity: number;
  /** Where encoded footage is kept; it should be there already. */
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

const PROGRAM = new URL('live-child.ts', import.meta.url);
/** The second stream is shown from its next key picture on: until then the first picture stands still. */
const CONNECT_S = 5;
/** A picture travels this long at most; then the clip's last one has been judged. */
const TRAVEL_MS = 400;
const REPORT_MS = 10_000;
/** Both streams, then the footage: what is longer has got stuck. */
const SLACK_S = 90;
/** As the agent gives its children: two pipelines hold four threads of Node's pool. */
const THREADS = '16';

/** One clip in real time through the real capture path: simulated camera, RTSP, the product's watch with both of
 *  its pipelines in a process of its own. Times include the way of a picture from the camera to the detector. */
export async function runLive(clip: BenchClip, deps: LiveDeps): Promise<Run> {
  const { sensitivity, cacheDir, signal } = deps;
  const clipDir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-'));
  const leadInS = Math.max(clip.leadInS, CONNECT_S);
  let camera: CameraSimulator | undefined;
  let child: LiveChild | undefined;
  try {
    camera = await startCamera({ video: clip.path, leadInS, loop: false, cacheDir, signal });
    child = forkLive(signal);
    const { failed, send } = child;
    const limitMs = (leadInS + clip.durationS + SLACK_S) * 1000;
    const within = <T>(work: Promise<T>, what: string, ms = limitMs) =>
      withDeadline(Promise.race([work, failed]), ms, what, 'bench.live');
    send({ type: 'watch', main: camera.mainUrl, sub: camera.subUrl, sensitivity, clipDir });
    const started = await within(
      camera.event(({ event }) => event === 'footage-started'),
      'waiting for the footage to start',
    );
    send({ type: 'begin' });
    const ended = await within(
      camera.event(({ event }) => event === 'footage-ended'),
      'showing the footage',
    );
    await delay(TRAVEL_MS, undefined, { signal });
    const report = await within(child.report(), 'asking what was decided', REPORT_MS);
    const watchedS = (ended.atMs - started.atMs) / 1000;
    const decisions = report.seen
      .map(({ atMs, ...said }) => ({ ...said, atS: (atMs - started.atMs) / 1000 }))
      .filter(({ atS }) => atS <= watchedS + TRAVEL_MS / 1000);
    if (!decisions.some(({ atS }) => atS < 0))
      throw new Error('the footage began before the detector saw a picture; is the machine too busy?');
    const { cpuS, detector } = report;
    return runOf(decisions, 1 / GREY.framesPerSecond, { watchedS, cpuS, detector });
  } finally {
    await child?.end();
    await camera?.stop();
    await rm(clipDir, { recursive: true, force: true });
  }
}

type LiveChild = ReturnType<typeof forkLive>;

function forkLive(signal: AbortSignal) {
  const { HOME, GST_REGISTRY, PATH, TMPDIR } = process.env;
  const kept = Object.entries({ HOME, GST_REGISTRY, PATH, TMPDIR }).filter(
    ([, value]) => value !== undefined,
  );
  const child = fork(PROGRAM, [], {
    execArgv: [],
    env: { ...Object.fromEntries(kept), UV_THREADPOOL_SIZE: THREADS },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const reported = Promise.withResolvers<Extract<FromLiveChild, { type: 'report' }>>();
  const failed = new Promise<never>((_, reject) => {
    child.on('message', (message: FromLiveChild) => {
      if (message.type === 'report') reported.resolve(message);
      else reject(new Error(message.detail));
    });
    child.once('error', reject);
    void exited.then(() =>
      reject(new Error(`the capture process ended: ${words.trim().split('\n').at(-1)}`)),
    );
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  // Told to whoever waits for something; nobody waits at the end.
  failed.catch(() => undefined);
  const send = (message: ToLiveChild): void => void child.send(message, () => undefined);
  return {
    failed,
    send,
    report: () => {
      send({ type: 'report' });
      return reported.promise;
    },
    /** Nothing of it is worth closing in order. */
    end: async (): Promise<void> => {
      kill(child);
      await exited;
    },
  };
}

const kill = (child: ChildProcess): boolean => child.kill('SIGKILL');
