import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { until } from '../../system/product.ts';

const AGENT = join(import.meta.dirname, '../../../agent/main.ts');
/** A machine under load loads the SDK slowly. */
const PATIENCE_MS = 60_000;

interface Line {
  readonly event?: string;
  readonly line?: string;
}

let dir = '';
let agent: ChildProcess;
let log = '';
let ended: Promise<unknown[]>;

const lines = () =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line);
const logged = (wanted: string) => lines().filter(({ event }) => event === wanted);
const untilLogged = (wanted: string, times = 1) =>
  until(
    wanted,
    () => {
      assert.equal(agent.exitCode, null, log);
      return logged(wanted).length === times;
    },
    PATIENCE_MS,
    () => log,
  );

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-'));
  await mkdir(join(dir, 'credentials'));
  const key = Buffer.from('no key of anybody').toString('base64');
  await writeFile(
    join(dir, 'credentials/iothub'),
    `HostName=house.example;DeviceId=dacha-1;SharedAccessKey=${key}`,
  );
});
afterEach(async () => {
  agent.kill('SIGKILL');
  await ended;
  await rm(dir, { recursive: true });
});

/** The agent of a house whose camera and hub do not answer. */
async function start(power: object, changes: { port?: number; credential?: string } = {}): Promise<void> {
  const config = {
    schema: 'dachawatch/appliance/1',
    deviceId: 'dacha-1',
    hub: { credential: 'iothub', mqttEndpoint: '127.0.0.1:9', httpsEndpoint: '127.0.0.1:9' },
    cameras: [
      {
        id: 'gate',
        main: 'rtsp://127.0.0.1:9/main',
        sub: 'rtsp://127.0.0.1:9/sub',
        ...(changes.credential === undefined ? {} : { credential: changes.credential }),
      },
    ],
    recording: {},
    storage: {},
    power,
    dashboard: { port: changes.port ?? 0 },
  };
  await writeFile(join(dir, 'appliance.json'), JSON.stringify(config));
  log = '';
  agent = fork(
    AGENT,
    ['--config', join(dir, 'appliance.json'), '--data', dir, '--credentials', join(dir, 'credentials')],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  agent.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  ended = once(agent, 'exit');
}

test('wires that this machine does not have are opened, cost one warning each, and nothing else', async () => {
  const gpio = {
    chipLabel: 'a chip that no machine has',
    statusLed: { line: 17 },
    shutdownButton: { line: 27, activeLow: true },
    mainsPresent: { line: 22, activeLow: true },
  };
  await start({ gpio });
  await untilLogged('agent.ready');
  await untilLogged('gpio.line-unusable', 3);
  assert.deepEqual(
    new Set(logged('gpio.line-unusable').map(({ line }) => line)),
    new Set(['statusLed', 'shutdownButton', 'mainsPresent']),
  );
  agent.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  assert.deepEqual(
    logged('service.stop-failed').concat(logged('service.stop-late')),
    [],
    'every room stops in order',
  );
});

test('told to stop while its rooms still start, it stops in order', async () => {
  await start({});
  await untilLogged('dashboard.listening');
  agent.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], log);
  assert.equal(logged('agent.stopping').length, 1);
});

test('an agent whose parent goes while it starts, goes too', async () => {
  await start({});
  await untilLogged('ledger.checked');
  agent.disconnect();
  assert.deepEqual(await ended, [0, null], log);
});

test('a page that has no port and a camera whose login is missing keep nobody from being watched, and the page comes when it can', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    await start({}, { port: (taken.address() as AddressInfo).port, credential: 'camera-gate' });
    await untilLogged('agent.ready');
    assert.equal(logged('service.not-started').length, 1);
    assert.equal(logged('camera.no-login').length, 1);
    assert.ok(logged('camera.state').length > 0, 'the camera is tried');
  } finally {
    taken.close();
  }
  await untilLogged('service.started-late');
  agent.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], log);
});
