import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { repoRoot } from '../../../scripts/lib/places.ts';
import { bootGuest, type Guest, STATE, UNIT, until } from './guest.ts';
import { absentCloud, freePort, writeAppliance } from './house.ts';

const INSTALL = '/opt/dachawatch/scripts/install';
const LIB = '/usr/lib/dachawatch';
const START_MS = 60_000;
/** What scripts/install reads. */
const PARTS = [
  ...['agent', 'contracts', 'docs', 'firmware-config', 'scripts', 'systemd'],
  ...['LICENSE', 'package.json', 'package-lock.json'],
];

let guest: Guest;
/** A checkout for the guest to see and the tests to change. */
let checkout: string;

before(async () => {
  checkout = mkdtempSync(join(process.env['DACHAWATCH_HIL_WORK'] ?? '', 'checkout-'));
  for (const part of PARTS) cpSync(join(repoRoot, part), join(checkout, part), { recursive: true });
  symlinkSync('/opt/node_modules', join(checkout, 'node_modules'));
  const cloud = await absentCloud();
  const port = await freePort();
  guest = await bootGuest(
    // No camera answers there.
    (write) =>
      writeAppliance(write, cloud, { mainUrl: 'rtsp://127.0.0.1:9/a', subUrl: 'rtsp://127.0.0.1:9/b' }, port),
    { binds: [`${checkout}:/opt/dachawatch`, `${join(repoRoot, 'node_modules')}:/opt/node_modules`] },
  );
});
after(() => guest?.close());

const context = () => guest.journal();
const active = () =>
  until('the agent is ready', async () => (await guest.unit('ActiveState')) === 'active', START_MS, context);
const current = () => readlinkSync(join(guest.root, LIB, 'current'));
const versions = () => readdirSync(join(guest.root, LIB)).filter((name) => name.includes('-'));
/** A version that differs in nothing that runs. */
const newVersion = () => appendFileSync(join(checkout, 'docs/appliance.md'), '\nAnother version.\n');
/** The version whose Node the agent is. */
const running = async () => {
  const pid = await guest.unit('MainPID');
  return (await guest.must('readlink', `/proc/${pid}/exe`)).split('/').at(4);
};

test('run again it upgrades: the new version runs, the one before stays', async () => {
  await active();
  const old = current();
  newVersion();
  const said = await guest.must(INSTALL, '--start');
  assert.notEqual(current(), old);
  assert.equal(await running(), current());
  assert.deepEqual(versions().toSorted(), [old, current()].toSorted());
  assert.match(said, /the agent runs/);
});

test('run once more with nothing new, it does not disturb the agent', async () => {
  const pid = await guest.unit('MainPID');
  const config = guest.read('/etc/dachawatch/appliance.json');
  await guest.must(INSTALL);
  assert.equal(await guest.unit('MainPID'), pid);
  assert.equal(guest.read('/etc/dachawatch/appliance.json'), config);
});

test('killed in the middle, it leaves a version that starts; the next run finishes', async () => {
  const old = current();
  newVersion();
  for (const seconds of ['0.5', '1.5', '3']) {
    await guest.run('timeout', '--signal=KILL', seconds, INSTALL, '--no-start');
    const restarted = await guest.run('systemctl', 'restart', UNIT);
    assert.equal(restarted.code, 0, await guest.journal());
    assert.equal(await running(), current());
  }
  await guest.must(INSTALL, '--start');
  assert.notEqual(current(), old);
  assert.equal(await running(), current());
  assert.ok(!existsSync(join(guest.root, LIB, '.new')));
});

test('a version that does not start is taken back', async () => {
  const good = current();
  const main = join(checkout, 'agent/main.ts');
  const text = readFileSync(main, 'utf8');
  // It can be loaded, and fails at its first deed.
  writeFileSync(main, `if (!process.argv.includes('--help')) throw new Error('broken by the test');\n`);
  const { code, out } = await guest.run(INSTALL, '--start');
  writeFileSync(main, text);
  assert.equal(code, 1, out);
  assert.match(out, /broken by the test/);
  assert.match(out, new RegExp(`${good} is back`));
  assert.equal(current(), good);
  await active();
  assert.equal(await running(), good);
});

test('a configuration that is there is never overwritten', async () => {
  const before = guest.read('/etc/dachawatch/appliance.json');
  guest.write('/root/other.json', '{}');
  const { code, out } = await guest.run(INSTALL, '--config', '/root/other.json');
  assert.equal(code, 1);
  assert.match(out, /never overwritten/);
  assert.equal(guest.read('/etc/dachawatch/appliance.json'), before);
});

test('uninstalled, nothing of it is left but recordings and configuration; purged, not even they', async () => {
  const recording = `${STATE}/clips/recording.mp4`;
  guest.write(recording, 'evidence');
  await guest.must(INSTALL, '--uninstall');
  const left = async () =>
    (
      await guest.must('find', '/usr', '/etc', '/var/lib', '/var/cache', '-xdev', '-name', '*dachawatch*')
    ).split('\n');
  assert.deepEqual((await left()).toSorted(), [
    '/etc/dachawatch',
    '/etc/systemd/system/dachawatch-agent.service.d',
    STATE,
  ]);
  assert.equal(guest.read(recording), 'evidence');
  assert.ok(existsSync(join(guest.root, '/etc/dachawatch/credentials/iothub')));
  assert.equal((await guest.run('systemctl', 'cat', UNIT)).code, 1);

  const { code, out } = await guest.run(INSTALL, '--uninstall', '--purge');
  assert.equal(code, 1);
  assert.match(out, /--yes/);
  assert.equal(guest.read(recording), 'evidence');

  await guest.must(INSTALL, '--uninstall', '--purge', '--yes');
  assert.deepEqual((await left()).filter(Boolean), []);
  assert.equal((await guest.run('getent', 'passwd', 'dachawatch')).code, 2);
});
