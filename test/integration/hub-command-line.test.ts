import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import iotDevice, { type Client as DeviceClient } from 'azure-iot-device';
import { ensureCertificates } from '../../cloud-fn/local/certificates.ts';
import { writeHubPlace } from '../../scripts/lib/hub/place.ts';
import { createDesiredSettings } from '../../agent/settings/settings.ts';
import {
  addressOf,
  eventually,
  makeWorld,
  openDevice as openDeviceHere,
  silent,
  startHub as startHubHere,
  type Address,
} from './hub-fixture.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMMAND = join(ROOT, 'scripts/lib/hub/hub.ts');
const HUB = join(ROOT, 'cloud-fn/local/iot-hub/main.ts');
const DEVICE = 'pi';

interface Ready {
  readonly mqttPort: number;
  readonly httpsPort: number;
  readonly deviceConnectionString: string;
  readonly serviceConnectionString: string;
}

/** As a data folder of scripts/run: the hub in a process of its own, and the file that says where it is. */
let dataDir: string;
let caFile: string;
let ready: Ready;
let hub: ChildProcess;
const devices: DeviceClient[] = [];
const children: ChildProcess[] = [];

before(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'dacha-hub-command-'));
  mkdirSync(join(dataDir, 'cloud'));
  const certificates = await ensureCertificates(join(dataDir, 'certificates'), []);
  ({ caFile } = certificates);
  await startHub(['--cert', certificates.certFile, '--key', certificates.keyFile]);
  writeHubPlace(dataDir, { ...ready, httpsPort: String(ready.httpsPort), caFile });
});
afterEach(async () => {
  for (const device of devices.splice(0)) await device.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
after(async () => {
  await stopHub();
  rmSync(dataDir, { recursive: true, force: true });
});

let hubFlags: string[] = [];
async function startHub(flags: string[]): Promise<void> {
  hubFlags = flags;
  hub = spawn(process.execPath, [HUB, '--data', join(dataDir, 'hub'), '--device', DEVICE, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: hub.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
  ready = JSON.parse(line) as Ready;
}
async function stopHub(): Promise<void> {
  if (hub.exitCode !== null || hub.signalCode !== null) return;
  const exited = once(hub, 'exit');
  hub.kill('SIGTERM');
  const [code] = (await exited) as [number | null];
  assert.equal(code, 0);
}

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function begin(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...env },
  });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]): Said => ({ code: code as number | null, out, err }));
  return { child, ended, out: () => out, err: () => err };
}
const run = (...args: string[]) => begin([...args, '--data', dataDir]).ended;
const runJson = async (...args: string[]): Promise<unknown> => {
  const { code, out, err } = await run(...args, '--json');
  assert.equal(code, 0, err);
  return JSON.parse(out);
};
const oneSentence = (text: string) => {
  assert.match(text, /^scripts\/hub: .+\n$/);
  assert.equal(text.trim().split('\n').length, 1, text);
};

/** The real device SDK, with methods and twin as the agent uses them. */
async function openDevice(
  address: Pick<Address, 'connectionString' | 'mqttPort'> = {
    connectionString: ready.deviceConnectionString,
    mqttPort: ready.mqttPort,
  },
  ca = readFileSync(caFile, 'utf8'),
): Promise<DeviceClient> {
  const device = await openDeviceHere(address, ca);
  devices.push(device);
  device.on('error', () => {});
  return device;
}
const report = async (device: DeviceClient, patch: object) => {
  const twin = await device.getTwin();
  await new Promise<void>((resolve, reject) =>
    twin.properties.reported['update'](patch, (error?: Error) => (error ? reject(error) : resolve())),
  );
};

test('the file that names hub and key is for its owner only', () => {
  assert.equal(statSync(join(dataDir, 'cloud/iot-hub-service.json')).mode & 0o777, 0o600);
});

test('list says who is connected and who has followed', async () => {
  const { out } = await run('list');
  assert.match(out, /^pi {2}disconnected {2}desired version \d+; it has never answered\n$/);
  const device = await openDevice();
  await report(device, { desiredVersion: 1, refused: [{ path: '/x', reason: 'y' }] });
  const { out: later } = await run('list');
  assert.match(later, /^pi {2}connected {5}desired version \d+; it has answered version 1 and refused 1\n$/);
  await report(device, { desiredVersion: null, refused: null });
});

test('a desired property reaches the device merged into the others, and taking it back deletes it', async () => {
  const device = await openDevice();
  const twin = await device.getTwin();
  twin.on('properties.desired', () => {});
  const { version } = (await runJson('desired', DEVICE, 'recording.postRollMs=20000')) as { version: number };
  const { out } = await run('desired', DEVICE, '/cameras/yard/title="Hof"', 'cameras.yard.zones=[]');
  assert.equal(out, `pi: desired version ${version + 1}\n`);
  await eventually('the desired properties', () => twin.properties.desired['$version'] === version + 1);
  assert.deepEqual(twin.properties.desired['cameras'], { yard: { title: 'Hof', zones: [] } });
  assert.deepEqual(twin.properties.desired['recording'], { postRollMs: 20_000 });
  const taken = await run('desired', DEVICE, 'recording=', '--unset', 'cameras.yard.title');
  assert.equal(taken.code, 0, taken.err);
  const { out: shown } = await run('twin', DEVICE);
  const { desired } = JSON.parse(shown) as { desired: object };
  assert.deepEqual(desired, { cameras: { yard: { zones: [] } }, $version: version + 2 });
});

test('--wait prints what the device refused, says when it does not answer, and both are no success', async () => {
  const device = await openDevice();
  const twin = await device.getTwin();
  const refused = [{ path: '/recording/postRollMs', reason: 'must be a whole number' }];
  twin.on('properties.desired', (wish: { $version: number; recording?: { postRollMs: number } }) => {
    const nonsense = wish.recording?.postRollMs === 5;
    twin.properties.reported['update'](
      { desiredVersion: wish.$version, refused: nonsense ? refused : [] },
      () => {},
    );
  });
  const good = await run('desired', DEVICE, 'recording.postRollMs=9000', '--wait', '120');
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /is in force\n$/);
  const bad = await run('desired', DEVICE, 'recording.postRollMs=5', '--wait', '120');
  assert.equal(bad.code, 1);
  assert.match(bad.out, /without what was refused:\n {2}\/recording\/postRollMs: must be a whole number\n$/);
  twin.removeAllListeners('properties.desired');
  const silent = await run('desired', DEVICE, 'recording.postRollMs=', '--wait', '0');
  assert.equal(silent.code, 1);
  assert.match(silent.out, /has not answered within 0 s\n$/);
});

test('a method is called with its argument, and a picture in the answer is saved', async () => {
  const device = await openDevice();
  const jpeg = Buffer.from([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);
  device.onDeviceMethod('snapshot', (request, response) => {
    response.send(200, { asked: request.payload as unknown, jpeg: jpeg.toString('base64') }, () => {});
  });
  device.onDeviceMethod('refuse', (_request, response) => {
    response.send(409, { code: 'not-now', message: 'not now' }, () => {});
  });
  const file = join(dataDir, 'picture.jpg');
  const said = await untilListening(() =>
    run('call', DEVICE, 'snapshot', '{"cameraId":"yard"}', '--save', file),
  );
  assert.equal(said.code, 0, said.err);
  assert.deepEqual(readFileSync(file), jpeg);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(said.out, /^snapshot answers 200: /);
  assert.match(said.out, /"cameraId": "yard"/);
  assert.match(said.out, /7 bytes, saved to /);
  const whole = (await runJson('call', DEVICE, 'snapshot')) as { payload: { asked: object; jpeg: string } };
  assert.deepEqual(whole.payload, { asked: {}, jpeg: jpeg.toString('base64') });
  const refused = await run('call', DEVICE, 'refuse');
  assert.equal(refused.code, 1);
  assert.match(refused.out, /refuse answers 409/);
  const without = await run('call', DEVICE, 'refuse', '--save', file);
  assert.equal(without.code, 1);
});

/** The device's subscription may come a moment after `open`. */
async function untilListening(ask: () => Promise<Said>): Promise<Said> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const said = await ask();
    if (!said.err.includes('404103')) return said;
  }
  return ask();
}

test('a device that is not there, does not answer or is unknown is said in one sentence', async () => {
  const absent = await run('call', DEVICE, 'snapshot');
  assert.equal(absent.code, 1);
  oneSentence(absent.err);
  assert.match(absent.err, /pi is not connected.*404103/);
  const device = await openDevice();
  device.onDeviceMethod('sleep', () => {});
  const late = await untilListening(() => run('call', DEVICE, 'sleep', '--timeout', '5'));
  assert.equal(late.code, 1);
  oneSentence(late.err);
  assert.match(late.err, /pi did not answer in time/);
  for (const args of [
    ['twin', 'stranger'],
    ['desired', 'stranger', 'a=1'],
    ['call', 'stranger', 'x'],
    ['watch', 'stranger'],
  ]) {
    const unknown = await run(...args);
    assert.equal(unknown.code, 1);
    oneSentence(unknown.err);
    assert.match(unknown.err, /knows no device "stranger"/);
  }
});

test('what the hub refuses is said with its reason', async () => {
  const big = await run('desired', DEVICE, `a="${'x'.repeat(4097)}"`);
  assert.equal(big.code, 1);
  assert.match(big.err, /4 KB/);
  const key = await run('desired', DEVICE, '/a b=1');
  assert.equal(key.code, 1);
  assert.match(key.err, /space/);
});

test('watch shows telemetry, twin changes and connections, live and from the past, each in a line', async () => {
  const json = begin(['watch', '--json', '--data', dataDir]);
  await eventually('the stream', () => json.out().includes('"here"'));
  const watching = begin(['watch', DEVICE, '--data', dataDir, '--since', '60']);
  const device = await openDevice();
  const message = new iotDevice.Message(
    JSON.stringify({ event: 'clip.sealed', data: { clipId: 'C1', bytes: 5, title: '\u001b[2J' } }),
  );
  message.messageId = 'm0';
  await device.sendEvent(message);
  await eventually('telemetry, live', () => json.out().includes('"$.mid":"m0"'));
  await report(device, { power: { state: 'on-mains' } });
  await run('desired', DEVICE, 'recording.preRollMs=1000');
  await device.close();
  devices.length = 0;
  // Devices of the tests before have ended their connections within the last minute, too.
  const over = /preRollMs=1000[^]*disconnected/;
  await eventually('the end of the connection', () => over.test(watching.out()));
  const lines = watching.out();
  assert.match(lines, /^\d\d:\d\d:\d\d {2}pi {2}clip\.sealed {2}\/clipId="C1" \/bytes=5 /m);
  assert.match(lines, /pi {2}reported \d+ {2}\/power\/state="on-mains"$/m);
  assert.match(lines, /pi {2}desired \d+ {2}\/recording\/preRollMs=1000$/m);
  // oxlint-disable-next-line no-control-regex -- it must not be there
  assert.doesNotMatch(lines, /\u001b/);
  watching.child.kill('SIGINT');
  assert.equal((await watching.ended).code, 130);

  const past = await run('watch', '--until-now', '--json');
  assert.equal(past.code, 0, past.err);
  interface Line {
    readonly kind: string;
    readonly sequence: number;
    readonly properties?: Readonly<Record<string, string>>;
  }
  const [here, ...events] = past.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  assert.equal(here?.kind, 'here');
  for (const kind of ['telemetry', 'reported', 'desired', 'connection'])
    assert.ok(
      events.some((event) => event.kind === kind),
      kind,
    );
  const sequences = events.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    [...new Set(sequences)].toSorted((a, b) => a - b),
  );
  assert.equal(events.find(({ kind }) => kind === 'telemetry')?.properties?.['$.mid'], 'm0');
});

test('a watcher waits for a hub that restarts, misses nothing and sees nothing twice', async () => {
  const watching = begin(['watch', '--json', '--data', dataDir]);
  await eventually('the stream', () => watching.out().includes('"here"'));
  const first = await openDevice();
  await eventually('the connection', () => watching.out().includes('"connected"'));
  await first.close();
  devices.length = 0;
  const { mqttPort, httpsPort } = ready;
  await stopHub();
  await startHub([...hubFlags, '--mqtt-port', String(mqttPort), '--https-port', String(httpsPort)]);
  await openDevice();
  const states = () => [...watching.out().matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
  await eventually('the second connection', () => states().length === 3);
  assert.deepEqual(states(), ['connected', 'disconnected', 'connected']);
});

test('wrong usage is one sentence and exit code 2', async () => {
  for (const args of [
    [],
    ['lst'],
    ['list', 'pi'],
    ['list', '--save', 'x'],
    ['twin'],
    ['twin', DEVICE, '--what'],
    ['desired', DEVICE],
    ['desired', DEVICE, 'a'],
    ['desired', DEVICE, 'a=b'],
    ['desired', DEVICE, 'a..b=1'],
    ['desired', DEVICE, '=1'],
    ['desired', DEVICE, '$version=1'],
    ['desired', DEVICE, 'a=1', 'a.b=2'],
    ['desired', DEVICE, 'a.b=1', '--unset', 'a'],
    ['call', DEVICE],
    ['call', DEVICE, 'x', 'no json'],
    ['call', DEVICE, 'x', '--timeout', '1'],
    ['watch', '--since', 'yesterday'],
  ]) {
    const { code, out, err } = await run(...args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
    assert.equal(out, '');
    oneSentence(err);
  }
});

test('without a hub: one sentence and exit code 1', async () => {
  const nowhere = await begin(['list', '--data', join(dataDir, 'nowhere')]).ended;
  assert.equal(nowhere.code, 1);
  oneSentence(nowhere.err);
  assert.match(nowhere.err, /start scripts\/run/);
  const gone = join(dataDir, 'gone');
  writeHubPlace(gone, { ...ready, httpsPort: '1', caFile });
  const { code, err } = await begin(['list', '--data', gone]).ended;
  assert.equal(code, 1);
  oneSentence(err);
  assert.match(err, /is not running; start scripts\/run/);
});

test('another hub comes from the environment: its key is used, a wrong one is refused and not shown', async () => {
  const connection = ready.serviceConnectionString.replace(/localhost:\d+/, `localhost:${ready.httpsPort}`);
  const env = (value: string) => ({ DACHAWATCH_HUB_CONNECTION: value, NODE_EXTRA_CA_CERTS: caFile });
  const right = await begin(['list'], env(connection)).ended;
  assert.equal(right.code, 0, right.err);
  const key = Buffer.alloc(32, 7).toString('base64');
  const wrong = await begin(['list'], env(connection.replace(/SharedAccessKey=.*/, `SharedAccessKey=${key}`)))
    .ended;
  assert.equal(wrong.code, 1);
  oneSentence(wrong.err);
  assert.match(wrong.err, /does not accept the key of "iothubowner"/);
  assert.ok(!wrong.err.includes(key));
  const untrusted = await begin(['list'], { DACHAWATCH_HUB_CONNECTION: connection }).ended;
  assert.equal(untrusted.code, 1);
  oneSentence(untrusted.err);
  const nonsense = await begin(['list'], env('HostName=x')).ended;
  assert.equal(nonsense.code, 2);
  oneSentence(nonsense.err);
  const azure = 'HostName=house.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=';
  const watch = await begin(['watch'], env(azure + key)).ended;
  assert.equal(watch.code, 2);
  oneSentence(watch.err);
});

test('scripts/hub --help explains every command', async () => {
  const child = spawn(join(ROOT, 'scripts/hub'), ['--help'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  for (const word of [
    'list',
    'twin',
    'desired',
    'call',
    'watch',
    '--unset',
    '--save',
    'DACHAWATCH_HUB_CONNECTION',
  ])
    assert.ok(out.includes(word), word);
});

/** A device that reads wishes as the agent does, and answers the methods of the examples. */
async function openHouse(address: Address, ca: string, dir: string): Promise<void> {
  const device = await openDevice(address, ca);
  const twin = await device.getTwin();
  const settings = createDesiredSettings({
    base: {
      recording: { preRollMs: 5_000, postRollMs: 30_000 },
      cameras: [{ id: 'demo', main: 'rtsp://demo/1', sub: 'rtsp://demo/2', sensitivity: 5 }],
    },
    dir,
    hasCredential: () => 'the appliance holds no such credential',
    apply: () => {},
    log: silent,
  });
  const follow = () => {
    const { $version, ...properties } = twin.properties.desired as { $version: number };
    settings.take({ version: $version, properties });
    const { version, refused } = settings.desired();
    twin.properties.reported['update']({ desiredVersion: version, refused }, () => {});
  };
  twin.on('properties.desired', follow);
  follow();
  device.onDeviceMethod('snapshot', (request, response) => {
    const { cameraId } = request.payload as { cameraId: string };
    response.send(200, { cameraId, jpeg: Buffer.alloc(4).toString('base64') }, () => {});
  });
  device.onDeviceMethod('recordNow', (_request, response) => {
    response.send(200, { clips: [] }, () => {});
  });
}

test('the examples of docs/twin.md do what the page says', async () => {
  const page = readFileSync(join(ROOT, 'docs/twin.md'), 'utf8');
  const blocks = (kind: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);
  const world = await makeWorld();
  const house = await startHubHere(world, { devices: ['dacha-1'] });
  try {
    const place = {
      serviceConnectionString: house.serviceConnectionString,
      httpsPort: String(house.httpsPort),
      caFile: world.certificates.caFile,
    };
    writeHubPlace(join(world.dir, 'run'), place);
    await openHouse(addressOf(house, 'dacha-1'), world.ca, join(world.dir, 'agent'));
    await eventually('the first answer', () => house.twins.get('dacha-1')?.reported['desiredVersion'] === 1);
    const shell = async (script: string, env: Record<string, string>) => {
      const child = spawn('sh', ['-c', script.replaceAll('scripts/hub', join(ROOT, 'scripts/hub'))], {
        cwd: world.dir,
        env: { PATH: process.env['PATH'] ?? '', HOME: world.dir, DACHAWATCH_STATE: world.dir, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      await once(child, 'close');
      return out;
    };
    const examples = blocks('console').flatMap((block) => block.split(/^\$ /m).slice(1));
    assert.ok(examples.length >= 6);
    for (const example of examples) {
      const [line = '', ...said] = example.split('\n');
      assert.equal(await shell(line, {}), said.join('\n'), line);
    }
    const connection = house.serviceConnectionString.replace(/localhost:\d+/, `localhost:${house.httpsPort}`);
    writeFileSync(join(world.dir, 'house-hub.txt'), `${connection}\n`);
    for (const block of blocks('sh'))
      assert.match(await shell(block, { NODE_EXTRA_CA_CERTS: place.caFile }), /^dacha-1 {2}connected/);
  } finally {
    for (const device of devices.splice(0)) await device.close();
    await house.stop();
    world.remove();
  }
});
