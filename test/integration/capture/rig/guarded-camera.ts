import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import type { Capture } from '../../../../agent/capture/capture.ts';
import { type CameraSimulator, startCamera } from '../../../../hardware/simulators/camera/camera.ts';
import {
  type ProxyOptions,
  startRtspProxy,
  type RtspProxy,
} from '../../../../hardware/simulators/camera/rtsp-proxy.ts';
import { makeVideo } from '../../../fakes/media.ts';
import { type CaptureRig, createRig, until } from '../capture-rig.ts';

export interface GuardedCamera {
  readonly rig: CaptureRig;
  readonly port: number;
  /** A proxy that leads to the camera, as the test wants it; it ends with the test. */
  readonly proxyOf: (t: TestContext, options: ProxyOptions) => Promise<RtspProxy>;
}

/** A camera with real pictures, behind proxies that ask for logins and count requests. To be called at the top of a
 *  file: registers what comes before and after its tests. */
export function useGuardedCamera(): GuardedCamera {
  let rig: CaptureRig;
  let behind: CameraSimulator;
  before(async () => {
    rig = await createRig();
    const video = join(rig.dir, 'walks.mp4');
    await makeVideo(video, { seconds: 8, fps: 10, fromS: 1, toS: 7 });
    behind = await startCamera({ video, leadInS: 3, cacheDir: rig.dir });
  });
  after(async () => {
    await rig?.close();
    await behind?.stop();
  });
  const port = () => Number(new URL(behind.mainUrl).port);
  return {
    get rig() {
      return rig;
    },
    get port() {
      return port();
    },
    proxyOf: async (t, options) => {
      const proxy = await startRtspProxy({ cameraPort: port(), ...options });
      t.after(() => proxy.stop());
      return proxy;
    },
  };
}

/** Of its only camera. */
export const state = (capture: Capture) => capture.status()[0] ?? assert.fail();
export const live = (capture: Capture) => until('a live camera', () => state(capture).state === 'live');
