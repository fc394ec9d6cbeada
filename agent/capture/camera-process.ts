import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CameraConfig, CameraCredential, RecordingConfig } from '@dachawatch/contracts';
import { backoffMs, type BackoffPolicy } from '../kernel/backoff.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { CameraState, CameraStatus, ClipKeeper, SuppressedKeeper } from './capture.ts';
import { createClipDesk } from './clip-desk.ts';
import type { CaptureTimings, FromChild, ToChild } from './messages.ts';

export interface CameraProcessDeps {
  readonly camera: CameraConfig;
  readonly credential: CameraCredential | undefined;
  readonly recording: RecordingConfig;
  readonly keeper: ClipKeeper;
  readonly suppressed?: SuppressedKeeper;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings: CaptureTimings;
  readonly backoff: BackoffPolicy;
  readonly environment: Readonly<Record<string, string>>;
}

export interface CameraProcess {
  start(): void;
  stop(): Promise<void>;
  status(): CameraStatus;
}

type Heartbeat = Extract<FromChild, { type: 'heartbeat' }>;

/** A child that was live this long has proved the camera: the next failure starts the backoff anew. */
const PROVEN_MS = 30_000;
const PROGRAM = new URL('child.ts', import.meta.url);
/** Node's default of 4 threads is used up by two pipelines: files would wait for ever. */
const THREADS = '16';
const NO_PICTURE = 'no new picture comes from the camera';
/** Messages of a child may come after its exit, but not for long. */
const LAST_MESSAGES_MS = 2_000;

/** Supervises the child of one camera.
 *  Invariants
 *  1. At most one child at a time; the next is forked only after the last one's exit was seen and its clips settled.
 *  2. A child that does not show new pictures in time is killed with SIGKILL, which it cannot refuse.
 *  3. Every place that was given is settled, also when the child dies. */
export function createCameraProcess(deps: CameraProcessDeps): CameraProcess {
  const { camera, clock, log, timings } = deps;
  const stopping = new AbortController();
  let state: CameraState = 'starting';
  let sinceMs = 0;
  let detail: string | null = null;
  let child: ChildProcess | undefined;
  /** Monotonic moment at which a child that should be gone is killed. */
  let endByMs: number | undefined;
  let heartbeat: (Heartbeat & { readonly atMs: number }) | undefined;
  let suppressedBefore: Record<string, number> = {};
  let supervising: Promise<void> = Promise.resolve();

  function become(next: CameraState, why: string | null): void {
    if (next === state && why === detail && sinceMs !== 0) return;
    if (next !== state || sinceMs === 0) sinceMs = clock.nowMs();
    state = next;
    detail = why;
    const level = next === 'live' || next === 'starting' ? 'info' : 'warn';
    log[level](
      { event: 'camera.state', cameraId: camera.id, state, detail },
      `camera ${camera.id} is ${state}`,
    );
  }

  async function supervise(): Promise<void> {
    let attempt = 0;
    while (!stopping.signal.aborted) {
      const { liveMs, why } = await runChild();
      if (stopping.signal.aborted) break;
      become('down', why);
      if (liveMs >= PROVEN_MS) attempt = 0;
      await sleep(backoffMs(deps.backoff, attempt++), stopping.signal);
    }
    become('down', 'stopped');
  }

  /** Runs one child from fork to exit. */
  async function runChild(): Promise<{ liveMs: number; why: string }> {
    become('starting', detail);
    const running = forkChild();
    child = running;
    heartbeat = undefined;
    endByMs = undefined;
    const ended = new AbortController();
    const desk = createClipDesk({ ...deps, cameraId: camera.id, send: (message) => send(running, message) });
    let why: string | undefined;
    let liveSinceMs: number | undefined;
    running.on('message', (message: FromChild) => {
      if (message.type === 'heartbeat') {
        heartbeat = { ...message, atMs: clock.monotonicMs() };
        if (isLive(message)) liveSinceMs ??= heartbeat.atMs;
        judge(message);
        deps.suppressed?.count(camera.id, counts());
      } else if (message.type === 'failing') {
        why = message.detail;
        endByMs ??= clock.monotonicMs() + timings.stopMs;
      } else if (message.type === 'suppressed') deps.suppressed?.keep(camera.id, message.signature);
      else desk.take(message);
    });
    const { camera: config, credential = null, recording } = deps;
    send(running, { type: 'configure', camera: config, credential, recording, timings });
    const guard = guardChild(running, ended.signal, (reason) => (why ??= reason));
    const exit = await exitOf(running);
    ended.abort();
    await guard;
    why ??= `camera ${camera.id}: ${exit}`;
    await desk.settle(why);
    child = undefined;
    keepCounts();
    return { liveMs: liveSinceMs === undefined ? 0 : clock.monotonicMs() - liveSinceMs, why };
  }

  const isLive = ({ lastFragmentAgeMs, lastFrameAgeMs }: Heartbeat) =>
    lastFragmentAgeMs !== null &&
    lastFrameAgeMs !== null &&
    Math.max(lastFragmentAgeMs, lastFrameAgeMs) < timings.stalledMs;

  function judge(message: Heartbeat): void {
    if (isLive(message)) become('live', null);
    else if (state === 'live') become('stalled', NO_PICTURE);
  }

  /** Kills a child that is silent, shows nothing new for too long, or does not end when it should. */
  async function guardChild(running: ChildProcess, ended: AbortSignal, killing: (why: string) => void) {
    const forkedMs = clock.monotonicMs();
    while (!ended.aborted) {
      const now = clock.monotonicMs();
      const silentMs = silence(now, forkedMs);
      if (silentMs >= timings.stalledMs && state === 'live') become('stalled', NO_PICTURE);
      const patienceMs = heartbeat ? timings.killMs : timings.connectMs + timings.killMs;
      if (silentMs >= patienceMs || (endByMs !== undefined && now >= endByMs)) {
        killing(`camera ${camera.id}: the capture process did not answer and was killed`);
        running.kill('SIGKILL');
        return;
      }
      await sleep(timings.heartbeatMs, ended);
    }
  }

  /** How long nothing new was seen from the camera, the child's own silence included. */
  function silence(now: number, forkedMs: number): number {
    if (!heartbeat) return now - forkedMs;
    return now - heartbeat.atMs + Math.max(heartbeat.lastFragmentAgeMs ?? 0, heartbeat.lastFrameAgeMs ?? 0);
  }

  const sleep = (ms: number, signal: AbortSignal) =>
    clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });

  function forkChild(): ChildProcess {
    const running = fork(PROGRAM, [], {
      execArgv: [],
      env: { ...deps.environment, UV_THREADPOOL_SIZE: THREADS },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [running.stdout, running.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) =>
        log.warn(
          { event: 'capture.said', cameraId: camera.id, line: line.slice(0, 500) },
          'the capture process said',
        ),
      );
    }
    return running;
  }

  function send(to: ChildProcess, message: ToChild): void {
    // A child that is gone is told by its exit.
    if (to.connected) to.send(message, () => undefined);
  }

  /** Children come and go; the counts since start stay. */
  function keepCounts(): void {
    suppressedBefore = counts();
    heartbeat = undefined;
  }

  function counts(): Record<string, number> {
    const sum = { ...suppressedBefore };
    for (const [reason, count] of Object.entries(heartbeat?.suppressed ?? {}))
      sum[reason] = (sum[reason] ?? 0) + count;
    return sum;
  }

  function status(): CameraStatus {
    const sinceBeat = heartbeat ? clock.monotonicMs() - heartbeat.atMs : 0;
    const age = (then: number | null | undefined) => (then == null ? null : Math.round(then + sinceBeat));
    return {
      cameraId: camera.id,
      title: camera.title ?? camera.id,
      state,
      sinceMs,
      detail,
      pid: child?.pid ?? null,
      lastFragmentAgeMs: age(heartbeat?.lastFragmentAgeMs),
      lastFrameAgeMs: age(heartbeat?.lastFrameAgeMs),
      recording: heartbeat?.recording ?? false,
      suppressed: counts(),
    };
  }

  return {
    start: () => {
      supervising = supervise();
    },
    stop: async () => {
      stopping.abort();
      endByMs ??= clock.monotonicMs() + timings.stopMs;
      if (child) send(child, { type: 'stop' });
      await supervising;
    },
    status,
  };
}

/** Waits until a child is gone and its last messages are read.
 *  @returns how it ended */
function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(`the capture process could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      const how = `the capture process ended (${signal ?? `code ${code}`})`;
      const timer = setTimeout(() => resolve(how), LAST_MESSAGES_MS);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
  });
}
