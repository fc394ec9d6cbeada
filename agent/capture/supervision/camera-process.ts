import type { BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { SuppressedStore } from '../../motion/motion.ts';
import type { CaptureTimings } from '../messages.ts';
import { createAttempts } from './attempts.ts';
import { type CameraChild, type ChildEnd, startCameraChild } from './camera-child.ts';
import type { AskedStream } from '../rtsp/ask-stream.ts';
import { type CameraChecks, createCameraChecks } from './camera-check.ts';
import type { CameraProbe } from './camera-probe.ts';
import { type CameraRequests, createCameraRequests } from './camera-requests.ts';
import { createCameraState } from './camera-state.ts';
import { addCounts, type CameraStatus, cameraStatus } from './camera-status.ts';
import { type Heartbeat, isLive } from './child-patience.ts';
import type { ClipStore } from './clip-broker.ts';
import type { forkChild } from './fork-child.ts';
import { type CameraSettings, changeOf, loginsOf } from './settings-change.ts';

export interface CameraProcessDeps {
  readonly settings: CameraSettings;
  readonly paused: boolean;
  readonly sparing: boolean;
  /** Nothing is forked before this settles: another process of the same camera still ends. */
  readonly after: Promise<void>;
  /** As of `Attempts`. */
  readonly ready?: Promise<void>;
  readonly store: ClipStore;
  readonly suppressed?: Pick<SuppressedStore, 'keep' | 'count'>;
  /** Nobody: what is wrong with a camera's key frames is told only while it waits for one. */
  readonly conditions?: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings: CaptureTimings;
  readonly backoff: BackoffPolicy;
  readonly environment: Readonly<Record<string, string>>;
  readonly probe: CameraProbe;
  /** Starts a child; one that runs another program in tests. */
  readonly fork?: typeof forkChild;
}

export interface CameraProcess
  extends Pick<CameraRequests, 'pause' | 'resume' | 'snapshot' | 'record'>,
    Pick<CameraChecks, 'check'> {
  start(): void;
  stop(): Promise<void>;
  /** As of `Capture`. */
  spare(sparing: boolean): void;
  /** @param next of the same camera */
  apply(next: CameraSettings): void;
  status(): CameraStatus;
}

const NO_PICTURE = 'no new picture comes from the camera';
const RENEWED = 'its address or its login was changed';

/** Supervises the child of one camera (camera-child.ts), attempt after attempt (attempts.ts), and says how the camera
 *  is (camera-state.ts).
 *  Invariants
 *  1. At most one child at a time; the next is forked only after the last one's exit was seen and its clips settled.
 *  2. No child is forked before the camera has said that both streams can be had; one that refuses the login is left
 *     alone for as long as the probe says.
 *  3. A child that is forked knows the last settings, and whether recording is paused; while it is, no place is given. */
export function createCameraProcess(deps: CameraProcessDeps): CameraProcess {
  const { clock, log, timings, conditions } = deps;
  const { id: cameraId } = deps.settings.config;
  const camera = createCameraState({ cameraId, clock, log });
  const requests = createCameraRequests({
    paused: deps.paused,
    pauseMs: timings.stopMs,
    running: () => running,
    absence: () => camera.now().detail ?? `camera ${cameraId} is ${camera.now().state}`,
  });
  let settings = deps.settings;
  let { sparing } = deps;
  const checks = createCameraChecks({ ...deps, cameraId, streams: () => streamsOf(settings) });
  let running: CameraChild | undefined;
  /** Of the children before this one. */
  let countedBefore: CameraStatus['suppressed'] = {};

  const attempts = createAttempts({
    ...deps,
    begins: () => camera.take('begins', camera.now().detail),
    ask: (signal) => deps.probe.ask(cameraId, streamsOf(settings), signal),
    runChild,
    endChild: () => running?.end(),
    renewed: () => {
      log.info({ event: 'camera.renewed', cameraId }, `camera ${cameraId} connects anew: ${RENEWED}`);
      camera.take('begins', null);
    },
    failed: (why, absence) => camera.take(absence ?? 'ended', why),
    stopped: () => {
      checks.stop();
      conditions?.clear('camera-keyframes', cameraId);
      camera.take('ended', 'stopped');
    },
  });

  /** Runs one child from fork to exit. */
  async function runChild(): Promise<ChildEnd> {
    try {
      running = startCameraChild({
        ...deps,
        settings,
        streams: streamsOf(settings),
        paused: requests.paused,
        sparing,
        store: unlessPaused(deps.store, requests),
        onHeartbeat: (beat) => {
          judge(beat, camera, deps);
          deps.suppressed?.count(cameraId, counts());
        },
        onSilence: () => camera.take('is-silent', NO_PICTURE),
        onSuppressed: (record) => deps.suppressed?.keep(cameraId, record),
      });
    } catch (error) {
      if (error instanceof Failure && error.code === 'capture.fork') return { liveMs: 0, why: error.message };
      throw error;
    }
    const end = await running.gone;
    countedBefore = counts();
    running = undefined;
    return end;
  }

  const counts = () => addCounts(countedBefore, running?.beat()?.suppressed ?? {});

  function apply(next: CameraSettings): void {
    const change = changeOf(settings, next);
    settings = next;
    if (change === 'nothing') return;
    log.info({ event: 'camera.changed', cameraId, change }, `camera ${cameraId} has other settings`);
    if (change === 'renew') return attempts.renew();
    running?.tell({ type: 'reconfigure', camera: next.config, recording: next.recording });
  }

  return {
    start: () => attempts.start(),
    stop: () => attempts.stop(),
    apply,
    pause: () => requests.pause(),
    resume: () => {
      requests.resume();
      running?.tell({ type: 'resume' });
    },
    spare: (next) => {
      sparing = next;
      running?.tell({ type: 'spare', sparing });
    },
    check: () => checks.check(),
    snapshot: () => requests.snapshot(),
    record: () => requests.record(),
    status: () => {
      const title = settings.config.title ?? cameraId;
      const pid = running?.pid ?? null;
      const about = { cameraId, title, pid, pauseMs: attempts.pauseMs(), suppressed: counts() };
      return cameraStatus(about, camera.now(), running?.beat(), clock.monotonicMs());
    },
  };
}

/** What a heartbeat tells of the camera's state. */
function judge(
  beat: Heartbeat,
  camera: ReturnType<typeof createCameraState>,
  { conditions, settings, timings }: Pick<CameraProcessDeps, 'conditions' | 'settings' | 'timings'>,
): void {
  const { keyFrames, blind } = beat;
  const { id: cameraId } = settings.config;
  if (keyFrames === null) conditions?.clear('camera-keyframes', cameraId);
  else conditions?.raise('camera-keyframes', keyFrames, cameraId);
  if (isLive(beat, timings)) camera.take(blind === null ? 'shows' : 'shows-no-scene', blind);
  else if (keyFrames === null) camera.take('shows-nothing', NO_PICTURE);
  else camera.take('lacks-key-frame', keyFrames);
}

/** No place is given while recording is paused. */
const unlessPaused = (store: ClipStore, requests: Pick<CameraRequests, 'paused'>): ClipStore => ({
  open: (request) => (requests.paused ? undefined : store.open(request)),
  written: (clipId, clip) => store.written(clipId, clip),
  thumbnail: (partFile, jpeg) => store.thumbnail(partFile, jpeg),
  abandoned: (clipId, reason) => store.abandoned(clipId, reason),
});

function streamsOf(settings: CameraSettings): readonly [AskedStream, AskedStream] {
  const { main, sub } = settings.config;
  const { mainLogin, subLogin } = loginsOf(settings);
  return [
    { name: 'main', address: main, credential: mainLogin },
    { name: 'sub', address: sub, credential: subLogin },
  ];
}
