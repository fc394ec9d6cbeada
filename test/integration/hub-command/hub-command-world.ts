import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before } from 'node:test';
import type { Client as DeviceClient } from 'azure-iot-device';
import { ensureCertificates } from '../../../cloud-fn/local/certificates.ts';
import { writeHubPlace } from '../../../scripts/lib/hub/place.ts';
import { COMPILED_CODE } from '../compiled-code.ts';
import { openDevice as openDeviceHere, type Address } from '../hub/hub-fixture.ts';

export const ROOT = join(import.meta.dirname, '../../..');
const COMMAND = join(ROOT, 'scripts/lib/hub/hub.ts');
const HUB = join(ROOT, 'cloud-fn/local/iot-hub/main.ts');
export const DEVICE = 'pi';

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function oneSentence(text: string): void {
  assert.match(text, /^scripts\/hub: .+\n$/);
  assert.equal(text.trim().split('\n').length, 1, text);
}

/** What a child has written on its standard output so far. */
export function outputOf(child: ChildProcess): () => string {
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  return () => out;
}

/** Patches the reported properties of a device's twin. */
export async function report(device: DeviceClient, patch: object): Promise<void> {
  const twin = await device.getTwin();
  await new Promise<void>((resolve, reject) =>
    twin.properties.reported['update'](patch, (error?: Error) => (error ? reject(error) : resolve())),
  );
}

/** `scripts/hub` beside a data folder of scripts/run: the hub in a process of its own, and the file that says where it
 *  is. For the tests of one file; what they open and start ends with each of them. */
export function hubCommandWorld() {
  const devices: DeviceClient[] = [];
  const children: ChildProcess[] = [];
  let hub: ChildProcess;
  let hubFlags: string[] = [];
  const world = {
    dataDir: '',
    caFile: '',
    ready: { mqttPort: 0, httpsPort: 0, deviceConnectionString: '', serviceConnectionString: '' },
    begin,
    run: (...args: string[]) => begin([...args, '--data', world.dataDir]).ended,
    runJson: async (...args: string[]): Promise<unknown> => {
      const { code, out, err } = await world.run(...args, '--json');
      assert.equal(code, 0, err);
      return JSON.parse(out);
    },
    openDevice,
    closeDevices,
    /** Killed when the test is over. */
    watchOver: (child: ChildProcess): void => void children.push(child),
    /** Ends it and starts it again on the same ports. */
    async restartHub(): Promise<void> {
      const { mqttPort, httpsPort } = world.ready;
      await stopHub();
      await startHub([...hubFlags, '--mqtt-port', String(mqttPort), '--https-port', String(httpsPort)]);
    },
  };

  before(async () => {
    world.dataDir = mkdtempSync(join(tmpdir(), 'dacha-hub-command-'));
    mkdirSync(join(world.dataDir, 'cloud'));
    const certificates = await ensureCertificates(join(world.dataDir, 'certificates'), []);
    world.caFile = certificates.caFile;
    await startHub(['--cert', certificates.certFile, '--key', certificates.keyFile]);
    const { ready, caFile } = world;
    writeHubPlace(world.dataDir, { ...ready, httpsPort: String(ready.httpsPort), caFile });
  });
  afterEach(async () => {
    await closeDevices();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  after(async () => {
    await stopHub();
    rmSync(world.dataDir, { recursive: true, force: true });
  });

  async function closeDevices(): Promise<void> {
    for (const device of devices.splice(0)) await device.close();
  }

  async function startHub(flags: string[]): Promise<void> {
    hubFlags = flags;
    hub = spawn(process.execPath, [HUB, '--data', join(world.dataDir, 'hub'), '--device', DEVICE, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: hub.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
    world.ready = JSON.parse(line) as typeof world.ready;
  }

  async function stopHub(): Promise<void> {
    if (hub.exitCode !== null || hub.signalCode !== null) return;
    const exited = once(hub, 'exit');
    hub.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    assert.equal(code, 0);
  }

  function begin(args: string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...COMPILED_CODE, ...env },
    });
    children.push(child);
    const out = outputOf(child);
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = once(child, 'close').then(
      ([code]): Said => ({ code: code as number | null, out: out(), err }),
    );
    return { child, ended, out, err: () => err };
  }

  /** The real device SDK, with methods and twin as the agent uses them. */
  async function openDevice(
    address: Pick<Address, 'connectionString' | 'mqttPort'> = {
      connectionString: world.ready.deviceConnectionString,
      mqttPort: world.ready.mqttPort,
    },
    ca = readFileSync(world.caFile, 'utf8'),
  ): Promise<DeviceClient> {
    const device = await openDeviceHere(address, ca);
    devices.push(device);
    device.on('error', () => {});
    return device;
  }

  return world;
}
