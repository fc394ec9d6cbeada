import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bootGuest, type Guest, PROGRAM, STATE, UNIT, until } from './guest.ts';
import { absentCloud, CAMERA_PASSWORD, type Cloud, freePort, writeAppliance } from './house.ts';

type Found = Readonly<Record<string, string>>;

/** What a try gives inside the sandbox, and outside of it as the same user. */
const EXPECTED: Readonly<Record<string, readonly [inside: string, outside: string]>> = {
  'write its state': ['ok', 'ok'],
  'write its cache': ['ok', 'ok'],
  'write /etc/dachawatch': ['EROFS', 'EACCES'],
  'write its program': ['EROFS', 'EACCES'],
  'write /run/lock, where anybody may': ['EROFS', 'ok'],
  'see other files in /tmp': ['ENOENT', 'ok'],
  'list /home': ['EACCES', 'ok'],
  'list the credentials on disk': ['EACCES', 'EACCES'],
  'see process 1': ['ENOENT', 'ok'],
  'open a device of others': ['EPERM', 'ok'],
  'open /dev/null': ['ok', 'ok'],
  'run what it wrote': ['EACCES', 'ok'],
  'set suid': ['EPERM', 'ok'],
  'make a user namespace': ['exit 1', 'ok'],
  'change its personality': ['exit 1', 'ok'],
  'trace a process': ['exit 1', 'ok'],
  'run systemd-notify': ['ok', 'ok'],
  capabilities: ['0000000000000000', '0000000000000000'],
  'no new privileges': ['1', '0'],
};
const DROP_IN = '/etc/systemd/system/dachawatch-agent.service.d/in-place.conf';

let cloud: Cloud;
let guest: Guest;

before(async () => {
  cloud = await absentCloud();
  const port = await freePort();
  guest = await bootGuest((write) => {
    // No camera answers there.
    writeAppliance(write, cloud, { mainUrl: 'rtsp://127.0.0.1:9/a', subUrl: 'rtsp://127.0.0.1:9/b' }, port);
    write('/usr/share/probe.ts', readFileSync(join(import.meta.dirname, 'probe.ts'), 'utf8'));
  });
  await guest.must('touch', '/tmp/of-somebody-else');
});
after(() => guest?.close());

const lastLine = (text: string) => JSON.parse(text.trim().split('\n').at(-1) ?? '') as Found;

/** Runs a program in place of the agent; everything else of the unit stays. @returns what it printed */
async function inPlaceOfAgent(...command: string[]): Promise<string> {
  guest.write(
    DROP_IN,
    `[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart=${command.join(' ')}\n` +
      'StandardOutput=truncate:/var/log/in-place\n',
  );
  await guest.must('systemctl', 'daemon-reload');
  const { code } = await guest.run('systemctl', 'restart', UNIT);
  assert.equal(code, 0, await guest.journal());
  const printed = await guest.must('cat', '/var/log/in-place');
  await guest.must('rm', DROP_IN);
  await guest.must('systemctl', 'daemon-reload');
  return printed;
}

test('inside the sandbox is denied what the same user may do outside of it', async () => {
  const program = [`${PROGRAM}/bin/node`, '/usr/share/probe.ts'];
  const inside = lastLine(await inPlaceOfAgent(...program));
  const environment = ['env', `STATE_DIRECTORY=${STATE}`];
  const outside = lastLine(await guest.must('runuser', '-u', 'dachawatch', '--', ...environment, ...program));

  const of = (found: Found) => Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, found[name]]));
  const wanted = (side: 0 | 1) =>
    Object.fromEntries(Object.entries(EXPECTED).map(([name, sides]) => [name, sides[side]]));
  assert.deepEqual(of(inside), wanted(0));
  assert.deepEqual(of(outside), wanted(1));
  assert.equal(inside['capabilities that it could get'], '0000000000000000');
  assert.notEqual(outside['capabilities that it could get'], '0000000000000000');
});

test('credentials have the names of appliance.json, and only the service reads them', async () => {
  const names = '/run/dachawatch/credentials';
  const seen = await inPlaceOfAgent('/bin/sh', '-c', `"id -un; cat ${names}/iothub ${names}/camera-gate"`);
  assert.match(seen, /^dachawatch$/m);
  assert.ok(seen.includes(cloud.connectionString) && seen.includes(CAMERA_PASSWORD));

  await guest.must('systemctl', 'start', '--no-block', UNIT);
  const named = `${names}/iothub`;
  await until('they are there', async () => (await guest.run('test', '-e', named)).code === 0, 30_000);
  for (const path of [`/run/credentials/${UNIT}/plain_iothub`, named, '/etc/dachawatch/credentials/iothub']) {
    assert.ok((await guest.must('cat', path)).length > 0);
    const { code, out } = await guest.run('runuser', '-u', 'nobody', '--', 'cat', path);
    assert.equal(code, 1, path);
    assert.match(out, /Permission denied/);
  }
  await guest.must('systemctl', 'stop', UNIT);
});

test('a credential sealed for this machine stands in for the plain one', async () => {
  const secret = '{"username":"sealed","password":"of this machine"}';
  guest.write('/etc/dachawatch/plain', secret, 0o600);
  const dir = '/etc/dachawatch/credentials.encrypted';
  await guest.must(
    ...['systemd-creds', 'encrypt', '--name=sealed_camera-gate', '--with-key=host'],
    ...['/etc/dachawatch/plain', `${dir}/camera-gate`],
  );
  assert.ok(!guest.read(`${dir}/camera-gate`).includes('of this machine'));
  const seen = await inPlaceOfAgent('/bin/cat', '/run/dachawatch/credentials/camera-gate');
  assert.equal(seen, secret);
});
