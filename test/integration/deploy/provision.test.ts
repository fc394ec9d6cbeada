import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { repoRoot } from '../../../scripts/lib/places.ts';
import { HUB_NAME, makeLink, makeWorld, online, startHub, type World } from '../hub/hub-fixture.ts';

interface Shown {
  readonly made: boolean;
  readonly credential: string;
  readonly hub: string;
  readonly deviceId: string;
  readonly thumbprint: string;
  readonly command: string;
}

let world: World;
let dir: string;
before(async () => {
  world = await makeWorld();
});
after(() => world.remove());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-provision-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const credentials = () => join(dir, 'credentials');
const file = () => join(credentials(), 'iothub');
const config = () => join(dir, 'appliance.json');

/** As it is installed, for another device. */
function writeConfig(deviceId = 'cottage-1'): void {
  const installed = JSON.parse(
    readFileSync(join(repoRoot, 'firmware-config/appliance.json'), 'utf8'),
  ) as object;
  writeFileSync(config(), JSON.stringify({ ...installed, deviceId }));
}

async function provision(hub = HUB_NAME, ...more: readonly string[]) {
  const args = ['--hub', hub, '--config', config(), '--credentials', credentials(), ...more];
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) =>
    execFile(join(repoRoot, 'scripts/provision'), args, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  );
}

test('a device makes its identity; what it prints makes the hub let it in; a second time nothing new is made', async () => {
  writeConfig();
  const first = await provision(HUB_NAME, '--json');
  assert.equal(first.code, 0, first.stderr);
  const shown = JSON.parse(first.stdout) as Shown;
  assert.equal(shown.made, true);
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(credentials()), ['iothub'], 'one file, and nothing half written');
  const text = readFileSync(file(), 'utf8');
  assert.equal(
    shown.command,
    `az iot hub device-identity create --auth-type login --hub-name dacha-hub --device-id cottage-1 ` +
      `--auth-method x509_thumbprint --primary-thumbprint ${shown.thumbprint}`,
  );

  const hub = await startHub(world);
  hub.devices.put({ deviceId: shown.deviceId, primaryThumbprint: shown.thumbprint });
  const link = makeLink(world, {
    connectionString: text.trim(),
    mqttPort: hub.mqttPort,
    httpsPort: hub.httpsPort,
  });
  await link.start();
  await online(link);
  await link.stop();
  await hub.stop();

  const again = await provision(HUB_NAME.toUpperCase());
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^the identity of cottage-1 was there: /);
  assert.ok(again.stdout.includes(shown.command), again.stdout);
  assert.equal(readFileSync(file(), 'utf8'), text);
  for (const { stdout, stderr } of [first, again]) assert.doesNotMatch(stdout + stderr, /PRIVATE|x509=true/);
});

test('docs/deploy.md shows the line that is printed, word by word', async () => {
  writeConfig('dacha-1');
  const page = readFileSync(join(repoRoot, 'docs/deploy.md'), 'utf8');
  assert.ok(page.includes('sudo scripts/provision --hub HUB.azure-devices.net\n'));
  const { stdout } = await provision('house.azure-devices.net', '--json');
  const { command, thumbprint } = JSON.parse(stdout) as Shown;
  const shown = command.replace('house', 'HUB').replace(thumbprint, 'THUMBPRINT');
  assert.ok(page.split('\n').includes(shown), shown);
});

test('another identity, a key, a torn file or a sealed credential is never replaced', async () => {
  writeConfig();
  mkdirSync(credentials());
  const key = 'HostName=h.example;DeviceId=cottage-1;SharedAccessKey=geheim';
  for (const [text, why] of [
    [key, /iothub holds a key that the hub knows, too: take it away/],
    [
      'HostName=h.example;DeviceId=cottage-1;x509=true\n-----BEGIN PRIVATE KEY-----\n',
      /iothub cannot be used: /,
    ],
    ['', /iothub cannot be used: .*lacks HostName/],
  ] as const) {
    writeFileSync(file(), text);
    const { code, stdout, stderr } = await provision();
    assert.match(stderr, why);
    assert.doesNotMatch(stderr, /geheim/);
    assert.deepEqual([code, stdout, readFileSync(file(), 'utf8')], [2, '', text]);
  }
  rmSync(file());
  assert.equal((await provision('other.example')).code, 0);
  const before = readFileSync(file(), 'utf8');
  const elsewhere = await provision();
  assert.match(elsewhere.stderr, /is the identity of cottage-1 at other\.example: take it away/);
  writeConfig('cottage-2');
  const other = await provision('other.example');
  assert.match(other.stderr, /is the identity of cottage-1 at other\.example/);
  assert.deepEqual([elsewhere.code, other.code, readFileSync(file(), 'utf8')], [2, 2, before]);
  rmSync(file());
  mkdirSync(`${credentials()}.encrypted`);
  writeFileSync(join(`${credentials()}.encrypted`, 'iothub'), 'sealed');
  const sealed = await provision();
  assert.match(sealed.stderr, /a sealed credential stands there already: .*iothub; take it away/);
  assert.deepEqual([sealed.code, readdirSync(credentials())], [2, []]);
});

test('a configuration that cannot be used is told in a sentence, and nothing is made', async () => {
  writeFileSync(config(), '{"schema":"dachawatch/appliance/1","deviceId":"; rm -rf /"}');
  const bad = await provision();
  assert.match(bad.stderr, /^scripts\/provision: --config .*appliance\.json cannot be used: .*\n$/);
  assert.equal(bad.code, 2);
  writeConfig();
  for (const host of ['$(reboot)', 'localhost', 'https://h.example', 'h.example:8883', '-x.example']) {
    const { code, stderr } = await provision(host);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--hub takes the name of a host, like NAME\.azure-devices\.net, not /);
  }
  assert.deepEqual(readdirSync(dir), ['appliance.json']);
});
