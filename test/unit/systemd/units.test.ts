import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const repo = join(import.meta.dirname, '../../..');
const dir = join(repo, 'systemd');
const units = readdirSync(dir).filter((name) => /\.(?:service|path)$/.test(name));
const agent = readFileSync(join(dir, 'dachawatch-agent.service'), 'utf8');
/** Values of a directive, in order. */
const values = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value);

test('systemd-analyze verify has nothing to say about any unit, also where nothing is installed', () => {
  const files = units.map((unit) => join(dir, unit));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
    encoding: 'utf8',
  });
  // Words about other units of this machine are not ours.
  const ours = (stdout + stderr).split('\n').filter((line) => line.includes('dachawatch'));
  assert.deepEqual(ours, []);
  assert.equal(status, 0, stdout + stderr);
});

test('systemd-analyze security gives the agent 2.5 or better', () => {
  const file = join(dir, 'dachawatch-agent.service');
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=yes', '--threshold=25', '--no-pager', file],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout.split('\n').slice(-3).join('\n') + stderr);
});

test('the agent may not be started without what Node, GStreamer and its helper need', () => {
  // V8 and ORC compile at run time.
  assert.deepEqual(values(agent, 'MemoryDenyWriteExecute'), []);
  // V8 dies without protection keys.
  assert.ok(values(agent, 'SystemCallFilter').some((value) => value?.includes('@pkey')));
  // systemd-notify is a child of the agent.
  assert.deepEqual(values(agent, 'NotifyAccess'), ['all']);
  // On systemd 252 it undoes ProtectSystem=strict.
  assert.ok(!values(agent, 'NoExecPaths').some((value) => value?.split(' ').includes('/')));
  // Groups that a machine does not have would keep it from starting.
  assert.deepEqual(values(agent, 'SupplementaryGroups'), []);
});

test('however often it dies it is started again, and it gets the time to seal clips', () => {
  assert.deepEqual(values(agent, 'Restart'), ['always']);
  assert.deepEqual(values(agent, 'StartLimitIntervalSec'), ['0']);
  assert.deepEqual(values(agent, 'KillMode'), ['mixed']);
  assert.ok(Number.parseInt(values(agent, 'TimeoutStopSec')[0] ?? '', 10) >= 60);
});

test('scripts/install puts each file of systemd/ in its place, and none that is not there', () => {
  const script = `into=; . "${join(repo, 'scripts/lib/install/places.sh')}"; files`;
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  const listed = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((file) => file.startsWith('systemd/'));
  const all = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:service|path|conf)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(repo.length + 1));
  assert.deepEqual(listed.toSorted(), all.toSorted());
});
