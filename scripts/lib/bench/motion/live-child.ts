/** One camera watched as the product's capture child watches it: `agent/capture/child/camera-session.ts` unchanged, both streams,
 *  ring, clips written to a folder. Forked by live.ts; what the detector decides is noted and handed over at the end.
 *  It never outlives its parent. */
import { join } from 'node:path';
import type { CaptureTimings } from '../../../../agent/capture/messages.ts';
import { createCameraSession, type CameraSession } from '../../../../agent/capture/child/camera-session.ts';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createWitness, type DetectorCost, type Witnessed } from './witness.ts';

export type ToLiveChild =
  | {
      readonly type: 'watch';
      readonly main: string;
      readonly sub: string;
      readonly sensitivity: number;
      readonly clipDir: string;
    }
  /** Costs count from here. */
  | { readonly type: 'begin' }
  | { readonly type: 'report' };

export type FromLiveChild =
  | { readonly type: 'failed'; readonly detail: string }
  | {
      readonly type: 'report';
      /** Moments in Unix milliseconds, to be compared with those of the camera. */
      readonly seen: readonly Witnessed[];
      readonly cpuS: number;
      readonly detector: DetectorCost;
    };

const TIMINGS: CaptureTimings = {
  heartbeatMs: 1_000,
  connectMs: 30_000,
  keyFrameMs: 150_000,
  stalledMs: 5_000,
  giveUpMs: 10_000,
  killMs: 20_000,
  stopMs: 8_000,
};
const RECORDING = { preRollMs: 5_000, postRollMs: 30_000 };

const witness = createWitness(() => systemClock.monotonicMs());
let session: CameraSession | undefined;
let clips = 0;
let since = process.cpuUsage();

const send = (message: FromLiveChild): void => void process.send?.(message);

function begin(request: Extract<ToLiveChild, { type: 'watch' }>): void {
  session = createCameraSession({
    camera: { id: 'bench', main: request.main, sub: request.sub, sensitivity: request.sensitivity },
    credentials: { main: null, sub: null },
    recording: RECORDING,
    timings: TIMINGS,
    clock: systemClock,
    createDetector: witness.createDetector,
    askSlot: () => {
      const clipId = `clip-${++clips}`;
      return Promise.resolve({
        clipId,
        partFile: join(request.clipDir, `${process.pid}-${clipId}.mp4.part`),
      });
    },
    written: () => undefined,
    abandoned: (_, reason) => send({ type: 'failed', detail: `a clip could not be written: ${reason}` }),
    fail: (detail) => send({ type: 'failed', detail }),
  });
  session.start();
  // A stream that is silent for too long is noticed here.
  setInterval(() => session?.heartbeat(), TIMINGS.heartbeatMs);
}

function report(): void {
  const { user, system } = process.cpuUsage(since);
  const wallAheadMs = Date.now() - systemClock.monotonicMs();
  send({
    type: 'report',
    seen: witness.seen().map((one) => ({ ...one, atMs: one.atMs + wallAheadMs })),
    cpuS: (user + system) / 1e6,
    detector: witness.cost(),
  });
}

process.on('message', (message: ToLiveChild) => {
  switch (message.type) {
    case 'watch':
      return begin(message);
    case 'begin':
      witness.forgetCost();
      since = process.cpuUsage();
      return;
    case 'report':
      return report();
  }
});
// Native threads that wait in a pipeline would keep `exit` from returning.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
