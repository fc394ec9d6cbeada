import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { type CameraCheck, checkCamera } from '../check/check-camera.ts';
import type { AskedStream } from '../rtsp/ask-stream.ts';
import type { CameraProbe } from './camera-probe.ts';

export interface CameraChecks {
  /** @throws Failure transient `capture.unwatchable`, in words for a person */
  check(): Promise<CameraCheck>;
  /** Ends one that is on its way. */
  stop(): void;
}

/** A direct method must be answered within 25 s. */
const ANSWER_MS = 4_000;

/** Checks a camera that is watched.
 *  Invariants
 *  1. The camera is probed first: a login that is held back is not sent.
 *  2. One check at a time: cameras have few sessions. */
export function createCameraChecks(deps: {
  readonly cameraId: string;
  streams(): readonly AskedStream[];
  readonly probe: Pick<CameraProbe, 'ask'>;
  readonly clock: Clock;
}): CameraChecks {
  const stopping = new AbortController();
  let running: Promise<CameraCheck> | undefined;

  async function check(): Promise<CameraCheck> {
    const { signal } = stopping;
    try {
      const streams = deps.streams();
      const unwatchable = await deps.probe.ask(deps.cameraId, streams, signal);
      if (unwatchable) throw new Failure('transient', 'capture.unwatchable', unwatchable.detail);
      return await checkCamera({ streams, clock: deps.clock, answerMs: ANSWER_MS, signal });
    } finally {
      running = undefined;
    }
  }

  return {
    check: () => (running ??= check()),
    stop: () => stopping.abort(),
  };
}
