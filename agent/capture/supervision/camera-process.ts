import type { ChildProcess } from 'node:child_process';
import type { SuppressionCounts } from '@dachawatch/contracts';
import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import { isBug } from '../../kernel/is-bug.ts';
import type { Log } from '../../kernel/log.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { SuppressedStore } from '../../motion/motion.ts';
import type { CameraDoor, ClosedDoor, DoorStream } from './camera-door.ts';
import { type CameraRequests, createCameraRequests, type RunningChild } from './camera-requests.ts';
import { createChildCalls } from './child-calls.ts';
import { type ClipStore, createClipBroker } from './clip-broker.ts';
import { exitOf, forkChild, tell } from './fork-child.ts';
import type { CaptureTimings, FromChild } from '../messages.ts';
import { type CameraSettings, changeOf, loginsOf } from './settings-change.ts';

export type CameraState = 'starting' | 'live' | 'stalled' | 'down';

export interface CameraStatus {
  readonly cameraId: string;
  readonly title: string;
  readonly state: CameraState;
  /** Wall time since when, Unix milliseconds. */
  readonly sinceMs: number;
  /** What went wrong, for a person; null when live. While starting: why it had to start again. */
  readonly detail: string | null;
  readonly pid: number | null;
  /** Age of the newest fragment and grey frame when asked, milliseconds. */
  readonly lastFragmentAgeMs: number | null;
  readonly lastFrameAgeMs: number | null;
  readonly recording: boolean;
  /** How long something has moved that no clip holds; null: nothing moves, it is recorded, or recording is paused. */
  readonly unrecordedMs: number | null;
  /** Suppressed triggers since start, by reason. */
  readonly suppressed: SuppressionCounts;
}

export interface CameraProcessDeps {
  readonly settings: CameraSettings;
  readonly paused: boolean;
  /** Nothing is forked before this settles: another process of the same camera still ends. */
  readonly after: Promise<void>;
  readonly store: ClipStore;
  readonly suppressed?: Pick<SuppressedStore, 'keep' | 'count'>;
  /** Nobody: what is wrong with a camera's key frames is told only while it waits for one. */
  readonly conditions?: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings: CaptureTimings;
  readonly backoff: BackoffPolicy;
  readonly environment: Readonly<Record<string, string>>;
  readonly door: CameraDoor;
  /** Starts a child; one that runs another program in tests. */
  readonly fork?: typeof forkChild;
}

export interface CameraProcess extends Pick<CameraRequests, 'pause' | 'resume' | 'snapshot' | 'record'> {
  start(): void;
  stop(): Promise<void>;
  /** @param next of the same camera */
  apply(next: CameraSettings): void;
  status(): CameraStatus;
}

type Heartbeat = Extract<FromChild, { type: 'heartbeat' }>;
type Failing = Extract<FromChild, { type: 'failing' }>;

interface Running extends RunningChild {
  readonly child: ChildProcess;
}

/** A child that was live this long has proved the camera: the next failure starts the backoff anew. */
const PROVEN_MS = 30_000;
const NO_PICTURE = 'no new picture comes from the camera';
const RENEWED = 'its address or its login was changed';

/** Supervises the child of one camera.
 *  Invariants
 *  1. At most one child at a time; the next is forked only after the last one's exit was seen and its clips settled.
 *  2. A child that does not show new pictures in time is killed with SIGKILL, which it cannot refuse.
 *  3. Every place that was given is settled, also when the child dies.
 *  4. No child is forked before the camera has said that both streams can be had; one that refuses the login is left
 *     alone for as long as the door says.
 *  5. A child that is forked knows the last settings, and whether recording is paused; while it is, no place is given. */
export function createCameraProcess(deps: CameraProcessDeps): CameraProcess {
  const { clock, log, timings, fork = forkChild } = deps;
  const { id: cameraId } = deps.settings.config;
  const requests = createCameraRequests({
    paused: deps.paused,
    pauseMs: timings.stopMs,
    running: () => running,
    absence: () => detail ?? `camera ${cameraId} is ${state}`,
  });
  const store: ClipStore = {
    open: (request) => (requests.paused ? undefined : deps.store.open(request)),
    written: (clipId, clip) => deps.store.written(clipId, clip),
    abandoned: (clipId, reason) => deps.store.abandoned(clipId, reason),
  };
  const stopping = new AbortController();
  let settings = deps.settings;
  let state: CameraState = 'starting';
  let sinceMs = 0;
  let detail: string | null = null;
  let running: Running | undefined;
  /** The running child was told to end because the next one shall have another connection. */
  let renewing = false;
  /** Ends the wait between two children. */
  let waiting: AbortController | undefined;
  /** Monotonic moment at which a child that should be gone is killed. */
  let endByMs: number | undefined;
  let heartbeat: (Heartbeat & { readonly atMs: number }) | undefined;
  let suppressedBefore: Record<string, number> = {};
  let supervising: Promise<void> = Promise.resolve();

  /** What the last warning was about; null since the camera was live. */
  let lastTrouble: string | null = null;

  function become(next: CameraState, why: string | null): void {
    if (next === state && why === detail && sinceMs !== 0) return;
    if (next !== state || sinceMs === 0) sinceMs = clock.nowMs();
    state = next;
    detail = why;
    // An outage is one warning; its attempts are not.
    const again = next !== 'live' && why !== null && why === lastTrouble;
    const level = again ? 'debug' : next === 'live' || next === 'starting' ? 'info' : 'warn';
    if (next === 'live') lastTrouble = null;
    else if (next !== 'starting') lastTrouble = why;
    log[level]({ event: 'camera.state', cameraId, state, detail }, `camera ${cameraId} is ${state}`);
  }

  async function supervise(): Promise<void> {
    await deps.after;
    let attempt = 0;
    while (!stopping.signal.aborted) {
      renewing = false;
      become('starting', detail);
      waiting = new AbortController();
      const closed = await deps.door.ask(cameraId, streams(), waiting.signal);
      // Told to end, or to connect otherwise, while it was asked.
      if (waiting.signal.aborted) continue;
      const { liveMs, why, waitMs } = closed ? { liveMs: 0, ...outcomeOf(closed) } : await runChild();
      if (stopping.signal.aborted) break;
      if (renewing) {
        attempt = 0;
        log.info({ event: 'camera.renewed', cameraId }, `camera ${cameraId} connects anew: ${RENEWED}`);
        become('starting', null);
        continue;
      }
      become('down', why);
      if (liveMs >= PROVEN_MS) attempt = 0;
      waiting = new AbortController();
      await sleepUnlessAborted(clock, waitMs ?? backoffMs(deps.backoff, attempt++), waiting.signal);
      if (renewing) attempt = 0;
    }
    deps.conditions?.clear('camera-keyframes', cameraId);
    become('down', 'stopped');
  }

  const outcomeOf = ({ detail: why, waitMs }: ClosedDoor) => ({ why, waitMs });

  function streams(): readonly [DoorStream, DoorStream] {
    const { main, sub } = settings.config;
    const { mainLogin, subLogin } = loginsOf(settings);
    return [
      { name: 'main', address: main, credential: mainLogin },
      { name: 'sub', address: sub, credential: subLogin },
    ];
  }

  /** Runs one child from fork to exit. */
  async function runChild(): Promise<{ liveMs: number; why: string; waitMs?: number | undefined }> {
    heartbeat = undefined;
    endByMs = undefined;
    const child = forked();
    if (typeof child === 'string') return { liveMs: 0, why: child };
    const ended = new AbortController();
    const broker = createClipBroker({ cameraId, store, log, send: (message) => tell(child, message) });
    const calls = createChildCalls({ cameraId, send: (question) => tell(child, question) });
    const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
    let why: string | undefined;
    let waitMs: number | undefined;
    let liveSinceMs: number | undefined;
    const kill = (reason: string) => {
      why ??= `camera ${cameraId}: ${reason} and was killed`;
      child.kill('SIGKILL');
    };
    running = { child, calls, broker, gone, kill };
    child.on('message', (message: FromChild) => {
      switch (message.type) {
        case 'heartbeat':
          heartbeat = { ...message, atMs: clock.monotonicMs() };
          if (isLive(message)) liveSinceMs ??= heartbeat.atMs;
          judge(message);
          deps.suppressed?.count(cameraId, counts());
          return;
        case 'failing':
          ({ why, waitMs } = failureOf(message, asked));
          endByMs ??= clock.monotonicMs() + timings.stopMs;
          return;
        case 'suppressed':
          deps.suppressed?.keep(cameraId, message.record);
          return;
        case 'trigger':
        case 'written':
        case 'abandoned':
          return broker.take(message);
        case 'paused':
        case 'picture':
        case 'recording':
        case 'refused':
          return calls.take(message);
      }
    });
    const { config: camera, recording } = settings;
    const { paused } = requests;
    const asked = streams();
    const [main, sub] = asked;
    const credentials = { main: main.credential ?? null, sub: sub.credential ?? null };
    tell(child, { type: 'configure', camera, credentials, recording, timings, paused });
    const guard = guardChild(kill, ended.signal);
    const exit = await exitOf(child);
    ended.abort();
    await guard;
    why ??= `camera ${cameraId}: ${exit}`;
    calls.end(why);
    await broker.settle(why);
    running = undefined;
    isGone();
    keepCounts();
    return { liveMs: liveSinceMs === undefined ? 0 : clock.monotonicMs() - liveSinceMs, why, waitMs };
  }

  /** @returns why the system cannot start another process now, if it cannot */
  function forked(): ChildProcess | string {
    try {
      return fork(deps.environment, (line) =>
        log.warn({ event: 'capture.said', cameraId, line }, 'the capture process said'),
      );
    } catch (error) {
      if (isBug(error)) throw error;
      return `camera ${cameraId}: the capture process could not be started: ${(error as Error).message}`;
    }
  }

  function failureOf({ detail: why, refused, words }: Failing, asked: readonly DoorStream[]) {
    if (words !== undefined)
      log.info(
        { event: 'capture.gstreamer', cameraId, words },
        'what GStreamer said about the end of a stream',
      );
    const stream = asked.find(({ name }) => name === refused);
    return stream ? outcomeOf(deps.door.refused(cameraId, stream)) : { why, waitMs: undefined };
  }

  const isLive = ({ lastFragmentAgeMs, lastFrameAgeMs }: Heartbeat) =>
    lastFragmentAgeMs !== null &&
    lastFrameAgeMs !== null &&
    Math.max(lastFragmentAgeMs, lastFrameAgeMs) < timings.stalledMs;

  function judge(message: Heartbeat): void {
    const { keyFrames } = message;
    if (keyFrames === null) deps.conditions?.clear('camera-keyframes', cameraId);
    else deps.conditions?.raise('camera-keyframes', keyFrames, cameraId);
    if (isLive(message)) become('live', null);
    else if (state === 'live' || state === 'stalled') become('stalled', keyFrames ?? NO_PICTURE);
    else if (keyFrames !== null) become(state, keyFrames);
  }

  /** Kills a child that is silent, shows nothing new for too long, or does not end when it should. */
  async function guardChild(kill: Running['kill'], ended: AbortSignal) {
    const forkedMs = clock.monotonicMs();
    while (!ended.aborted) {
      const now = clock.monotonicMs();
      const silentMs = silence(now, forkedMs);
      if (silentMs >= timings.stalledMs && state === 'live') become('stalled', NO_PICTURE);
      const patienceMs = heartbeat ? timings.killMs : timings.connectMs + timings.killMs;
      if (silentMs >= patienceMs || (endByMs !== undefined && now >= endByMs))
        return kill('the capture process did not answer');
      await sleepUnlessAborted(clock, timings.heartbeatMs, ended);
    }
  }

  /** How long nothing came from the camera, the child's own silence included. */
  function silence(now: number, forkedMs: number): number {
    if (!heartbeat) return now - forkedMs;
    return now - heartbeat.atMs + heartbeat.silentMs;
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

  /** Tells the child to close its clip and to end. */
  function endChild(): void {
    waiting?.abort();
    if (!running) return;
    endByMs ??= clock.monotonicMs() + timings.stopMs;
    tell(running.child, { type: 'stop' });
  }

  function apply(next: CameraSettings): void {
    const change = changeOf(settings, next);
    settings = next;
    if (change === 'nothing') return;
    log.info({ event: 'camera.changed', cameraId, change }, `camera ${cameraId} has other settings`);
    if (change === 'reconfigure') {
      if (running)
        tell(running.child, { type: 'reconfigure', camera: next.config, recording: next.recording });
      return;
    }
    renewing = true;
    endChild();
  }

  function status(): CameraStatus {
    const sinceBeat = heartbeat ? clock.monotonicMs() - heartbeat.atMs : 0;
    const age = (then: number | null | undefined) => (then == null ? null : Math.round(then + sinceBeat));
    return {
      cameraId,
      title: settings.config.title ?? cameraId,
      state,
      sinceMs,
      detail,
      pid: running?.child.pid ?? null,
      lastFragmentAgeMs: age(heartbeat?.lastFragmentAgeMs),
      lastFrameAgeMs: age(heartbeat?.lastFrameAgeMs),
      recording: heartbeat?.recording ?? false,
      unrecordedMs: heartbeat?.unrecordedMs ?? null,
      suppressed: counts(),
    };
  }

  return {
    start: () => {
      supervising = supervise();
    },
    stop: async () => {
      stopping.abort();
      endChild();
      await supervising;
    },
    apply,
    pause: () => requests.pause(),
    resume: () => {
      requests.resume();
      if (running) tell(running.child, { type: 'resume' });
    },
    snapshot: () => requests.snapshot(),
    record: () => requests.record(),
    status,
  };
}
