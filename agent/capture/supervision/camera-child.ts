import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { isBug } from '../../kernel/is-bug.ts';
import type { Log } from '../../kernel/log.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { SuppressedRecord } from '../../motion/motion.ts';
import type { CaptureTimings, FromChild, ToChild } from '../messages.ts';
import type { AskedStream } from '../rtsp/ask-stream.ts';
import type { Absence } from '../stream-error.ts';
import type { CameraProbe } from './camera-probe.ts';
import type { RunningChild } from './camera-requests.ts';
import { createChildCalls } from './child-calls.ts';
import { createChildPatience, type HeardBeat, type Heartbeat } from './child-patience.ts';
import { type ClipStore, createClipBroker } from './clip-broker.ts';
import { exitOf, forkChild, tell } from './fork-child.ts';
import type { CameraSettings } from './settings-change.ts';

/** How one child ended. */
export interface ChildEnd {
  /** From its first heartbeat that was live to its end, milliseconds. */
  readonly liveMs: number;
  /** For a person. */
  readonly why: string;
  /** What the camera is; undefined: the child ended for another reason. */
  readonly absence?: Absence | undefined;
  /** How long the camera is left alone; undefined: as the backoff says. */
  readonly waitMs?: number | undefined;
}

export interface CameraChild extends RunningChild {
  readonly pid: number | undefined;
  /** Settles when it is gone and its clips are settled. */
  readonly gone: Promise<ChildEnd>;
  /** The newest. */
  beat(): HeardBeat | undefined;
  tell(message: ToChild): void;
  /** Tells it to close its clip and to end; kills it when it does not. */
  end(): void;
}

export interface CameraChildDeps {
  readonly settings: CameraSettings;
  readonly streams: readonly [AskedStream, AskedStream];
  readonly paused: boolean;
  readonly sparing: boolean;
  readonly store: ClipStore;
  readonly probe: Pick<CameraProbe, 'refused'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings: CaptureTimings;
  readonly environment: Readonly<Record<string, string>>;
  readonly fork?: typeof forkChild | undefined;
  onHeartbeat(beat: Heartbeat): void;
  /** It has said nothing for `stalledMs`; told with each look. */
  onSilence(): void;
  onSuppressed(record: SuppressedRecord): void;
}

type Failing = Extract<FromChild, { type: 'failing' }>;

/** Forks a child for a camera and watches over it until it is gone.
 *  Invariants
 *  1. A child that does not show new pictures in time is killed with SIGKILL, which it cannot refuse.
 *  2. Every place that was given is settled, also when the child dies.
 *  @throws Failure transient `capture.fork` when the system cannot start another process now */
export function startCameraChild(deps: CameraChildDeps): CameraChild {
  const { clock, log, timings, store } = deps;
  const { config: camera, recording } = deps.settings;
  const cameraId = camera.id;
  const child = forked(deps);
  const send = (message: ToChild) => tell(child, message);
  const broker = createClipBroker({ cameraId, store, log, send });
  const calls = createChildCalls({ cameraId, send });
  const patience = createChildPatience({ clock, timings });
  let why: string | undefined;
  let absence: Absence | undefined;
  let waitMs: number | undefined;

  function kill(reason: string): void {
    why ??= `camera ${cameraId}: ${reason} and was killed`;
    child.kill('SIGKILL');
  }

  function take(message: FromChild): void {
    switch (message.type) {
      case 'heartbeat':
        patience.heard(message);
        return deps.onHeartbeat(message);
      case 'failing':
        ({ why, absence, waitMs } = failureOf(message, deps));
        return patience.mustEnd();
      case 'suppressed':
        return deps.onSuppressed(message.record);
      case 'trigger':
      case 'written':
      case 'abandoned':
      case 'thumbnail':
        return broker.take(message);
      case 'paused':
      case 'picture':
      case 'recording':
      case 'refused':
        return calls.take(message);
    }
  }

  /** Kills a child that is silent, shows nothing new for too long, or does not end when it should. */
  async function watch(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      if (patience.isStalled()) deps.onSilence();
      if (patience.isSpent()) return kill('the capture process did not answer');
      await sleepUnlessAborted(clock, timings.heartbeatMs, ended);
    }
  }

  async function run(): Promise<ChildEnd> {
    const ended = new AbortController();
    const watching = watch(ended.signal);
    const exit = await exitOf(child);
    ended.abort();
    await watching;
    why ??= `camera ${cameraId}: ${exit}`;
    calls.end(why);
    await broker.settle(why);
    return { liveMs: patience.liveMs(), why, absence, waitMs };
  }

  child.on('message', take);
  const [main, sub] = deps.streams;
  const credentials = { main: main.credential ?? null, sub: sub.credential ?? null };
  send({
    type: 'configure',
    camera,
    credentials,
    recording,
    timings,
    paused: deps.paused,
    sparing: deps.sparing,
  });
  const gone = run();
  return {
    pid: child.pid,
    calls,
    broker,
    gone,
    kill,
    beat: () => patience.beat(),
    tell: send,
    end: () => {
      patience.mustEnd();
      send({ type: 'stop' });
    },
  };
}

function forked({ settings, log, environment, fork = forkChild }: CameraChildDeps): ChildProcess {
  const cameraId = settings.config.id;
  try {
    return fork(environment, (line) =>
      log.warn({ event: 'capture.said', cameraId, line }, 'the capture process said'),
    );
  } catch (error) {
    if (isBug(error)) throw error;
    const why = `camera ${cameraId}: the capture process could not be started: ${(error as Error).message}`;
    throw new Failure('transient', 'capture.fork', why, { cause: error });
  }
}

/** What a child that fails says of it, or, when a login was refused to it, the probe. */
function failureOf(
  { detail, absence, refused, words }: Failing,
  { settings, streams, probe, log }: CameraChildDeps,
) {
  const cameraId = settings.config.id;
  if (words !== undefined)
    log.info(
      { event: 'capture.gstreamer', cameraId, words },
      'what GStreamer said about the end of a stream',
    );
  const stream = streams.find(({ name }) => name === refused);
  if (!stream) return { why: detail, absence, waitMs: undefined };
  const unwatchable = probe.refused(cameraId, stream);
  return { why: unwatchable.detail, absence: unwatchable.absence, waitMs: unwatchable.waitMs };
}
