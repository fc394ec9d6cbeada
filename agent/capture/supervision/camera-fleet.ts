import type { RecordingConfig } from '@dachawatch/contracts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { type CameraProcess, createCameraProcess, type CameraProcessDeps } from './camera-process.ts';
import type { CameraStatus } from './camera-status.ts';
import type { CaptureCamera } from './settings-change.ts';

export interface CameraFleet {
  apply(settings: { readonly cameras: readonly CaptureCamera[]; readonly recording: RecordingConfig }): void;
  start(): void;
  stop(): Promise<void>;
  /** As of `Capture`; cameras that are added later know it. */
  spare(sparing: boolean): void;
  pause(): Promise<void>;
  resume(): void;
  /** @throws Failure rejected `capture.unknown-camera` */
  camera(cameraId: string): CameraProcess;
  status(): CameraStatus[];
}

/** Which cameras are watched.
 *  Invariants
 *  1. One process per id. A camera that leaves and comes back waits until the process it had has ended.
 *  2. After `stop` none is added. */
export function createCameraFleet(
  deps: Omit<CameraProcessDeps, 'settings' | 'paused' | 'sparing' | 'after'> & { readonly log: Log },
): CameraFleet {
  const watched = new Map<string, CameraProcess>();
  const leaving = new Map<string, Promise<void>>();
  let order: readonly string[] = [];
  let phase: 'built' | 'started' | 'stopped' = 'built';
  let paused = false;
  let sparing = false;

  function remove(id: string, process: CameraProcess): void {
    deps.log.info({ event: 'camera.removed', cameraId: id }, `camera ${id} is not watched any more`);
    watched.delete(id);
    const gone = process.stop().finally(() => {
      if (leaving.get(id) === gone) leaving.delete(id);
    });
    leaving.set(id, gone);
  }

  function add(camera: CaptureCamera, recording: RecordingConfig): void {
    const { id } = camera.config;
    const process = createCameraProcess({
      ...deps,
      settings: { ...camera, recording },
      paused,
      sparing,
      after: leaving.get(id) ?? Promise.resolve(),
    });
    watched.set(id, process);
    if (phase === 'started') process.start();
  }

  return {
    apply: ({ cameras, recording }) => {
      if (phase === 'stopped') return;
      order = [...new Set(cameras.map(({ config }) => config.id))];
      for (const [id, process] of watched) if (!order.includes(id)) remove(id, process);
      for (const camera of cameras) {
        const process = watched.get(camera.config.id);
        if (process) process.apply({ ...camera, recording });
        else add(camera, recording);
      }
    },
    start: () => {
      phase = 'started';
      for (const process of watched.values()) process.start();
    },
    stop: async () => {
      phase = 'stopped';
      const ends = [...watched.values()].map((process) => process.stop());
      await Promise.all([...ends, ...leaving.values()]);
    },
    spare: (next) => {
      sparing = next;
      for (const process of watched.values()) process.spare(sparing);
    },
    pause: async () => {
      paused = true;
      const pauses = [...watched.values()].map((process) => process.pause());
      // Those that leave close their clips, too.
      await Promise.all([...pauses, ...leaving.values()]);
    },
    resume: () => {
      paused = false;
      for (const process of watched.values()) process.resume();
    },
    camera: (cameraId) => {
      const process = watched.get(cameraId);
      if (process) return process;
      throw new Failure(
        'rejected',
        'capture.unknown-camera',
        `There is no camera ${JSON.stringify(cameraId)}`,
      );
    },
    status: () => order.flatMap((id) => watched.get(id)?.status() ?? []),
  };
}
