import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CONTAINER_CLIPS } from '../../../contracts/index.ts';
import { ensureCertificates } from '../../../cloud-fn/local/certificates.ts';
import { type CameraSimulator, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { cacheDir, repoRoot } from '../../../scripts/lib/places.ts';
import { createHubClient } from '../../../scripts/lib/hub/client.ts';
import { findHub, writeHubPlace } from '../../../scripts/lib/hub/place.ts';
import { createSupervisor } from '../../../scripts/lib/run/supervisor.ts';
import { makeVideo } from '../../fakes/media.ts';
import type { Guest } from './guest.ts';

const DEVICE_ID = 'dacha-1';
const CAMERA_ID = 'gate';
const HUB_NAME = 'dachawatch-hub.local';
const READY_MS = 60_000;

/** What a secret of the appliance is made of here, to look for it where it must not be. */
export const CAMERA_PASSWORD = 'hunter2-of-the-gate-camera';

/** The link to a cloud; the same ports before it starts and after it ended. */
export interface Cloud {
  readonly mqttPort: number;
  readonly httpsPort: number;
  readonly caFile: string;
  /** Key and all. */
  readonly connectionString: string;
  stop(): Promise<void>;
}

export interface RunningCloud extends Cloud {
  /** Asks the device for a clip of its camera, now. @returns the clip's id; undefined when it cannot yet */
  recordNow(): Promise<string | undefined>;
}

const workDir = (name: string) => mkdtempSync(join(process.env['DACHAWATCH_HIL_WORK'] ?? '', `${name}-`));

/** A port that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Storage and IoT hub of this checkout on loopback. */
export async function startCloud(): Promise<RunningCloud> {
  const dir = workDir('cloud');
  const supervisor = createSupervisor({ logDir: dir, stopMs: 5_000, onRestart: () => undefined });
  const certificates = await ensureCertificates(join(dir, 'certificates'), [HUB_NAME]);
  const trustCa = { NODE_EXTRA_CA_CERTS: certificates.caFile };
  const [mqttPort, httpsPort] = [await freePort(), await freePort()];
  const storage = await supervisor.start({
    name: 'storage',
    entry: join(repoRoot, 'cloud-fn/local/storage/main.ts'),
    args: ['--data', join(dir, 'storage'), '--certificates', join(dir, 'certificates')],
    env: {},
    readyMs: READY_MS,
  });
  const hub = await supervisor.start({
    name: 'iot-hub',
    entry: join(repoRoot, 'cloud-fn/local/iot-hub/main.ts'),
    args: [
      ...['--data', join(dir, 'iot-hub'), '--cert', certificates.certFile, '--key', certificates.keyFile],
      ...['--host-name', HUB_NAME, '--device', DEVICE_ID, '--container', CONTAINER_CLIPS],
      ...['--mqtt-port', `${mqttPort}`, '--https-port', `${httpsPort}`, '--amqp-port', '0'],
    ],
    env: { ...trustCa, DACHA_STORAGE_CONNECTION: String(storage['connectionString']) },
    readyMs: READY_MS,
  });
  const { caFile } = certificates;
  writeHubPlace(dir, {
    serviceConnectionString: String(hub['serviceConnectionString']),
    httpsPort: `${httpsPort}`,
    caFile,
  });
  const client = createHubClient(findHub(dir, undefined));
  return {
    mqttPort,
    httpsPort,
    caFile,
    connectionString: String(hub['deviceConnectionString']),
    recordNow: async () => {
      // The device is not connected, or its camera gives no picture yet.
      const answer = await client
        .call(DEVICE_ID, 'recordNow', { cameraId: CAMERA_ID }, 10)
        .catch(() => undefined);
      const { clips } = (answer?.payload ?? {}) as { clips?: { clipId?: string }[] };
      return clips?.[0]?.clipId;
    },
    stop: () => supervisor.stop(),
  };
}

/** A cloud that is not there: nothing listens on its ports. */
export async function absentCloud(): Promise<Cloud> {
  const certificates = await ensureCertificates(workDir('certificates'), [HUB_NAME]);
  const key = Buffer.from('the key of a device of a test').toString('base64');
  return {
    mqttPort: await freePort(),
    httpsPort: await freePort(),
    caFile: certificates.caFile,
    connectionString: `HostName=${HUB_NAME};DeviceId=${DEVICE_ID};SharedAccessKey=${key}`,
    stop: () => Promise.resolve(),
  };
}

/** A camera before which nothing moves. */
export async function stillCamera(): Promise<CameraSimulator> {
  const video = join(workDir('video'), 'still.mp4');
  await makeVideo(video, { seconds: 8, fps: 10, kind: 'still' });
  return startCamera({ video, cacheDir: join(cacheDir(), 'footage') });
}

/** Configuration and credentials as a person puts them there.
 *  @returns where the page answers */
export function writeAppliance(
  write: Guest['write'],
  cloud: Cloud,
  camera: Pick<CameraSimulator, 'mainUrl' | 'subUrl'>,
  port: number,
): string {
  const config = {
    schema: 'dachawatch/appliance/1',
    deviceId: DEVICE_ID,
    hub: {
      credential: 'iothub',
      mqttEndpoint: `localhost:${cloud.mqttPort}`,
      httpsEndpoint: `127.0.0.1:${cloud.httpsPort}`,
      caFile: '/etc/dachawatch/ca.pem',
    },
    cameras: [{ id: CAMERA_ID, main: camera.mainUrl, sub: camera.subUrl, credential: 'camera-gate' }],
    recording: { preRollMs: 2_000, postRollMs: 10_000 },
    storage: {},
    dashboard: { port },
  };
  write('/etc/dachawatch/appliance.json', `${JSON.stringify(config, null, 2)}\n`);
  write('/etc/dachawatch/ca.pem', readFileSync(cloud.caFile, 'utf8'));
  write('/etc/dachawatch/credentials/iothub', cloud.connectionString, 0o600);
  const login = { username: 'gate', password: CAMERA_PASSWORD };
  write('/etc/dachawatch/credentials/camera-gate', JSON.stringify(login), 0o600);
  // The local storage has a certificate of the same authority; the real one has one that the world knows.
  write(
    '/etc/systemd/system/dachawatch-agent.service.d/local-cloud.conf',
    '[Service]\nEnvironment=NODE_EXTRA_CA_CERTS=/etc/dachawatch/ca.pem\n',
  );
  return `http://127.0.0.1:${port}`;
}
