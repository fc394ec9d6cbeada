import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeHubPlace } from '../../../scripts/lib/hub/place.ts';
import { DEVICE, hubCommandWorld, oneSentence, outputOf, ROOT } from './hub-command-world.ts';
const world = hubCommandWorld();
const { begin, run } = world;

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
  const nowhere = await begin(['list', '--data', join(world.dataDir, 'nowhere')]).ended;
  assert.equal(nowhere.code, 1);
  oneSentence(nowhere.err);
  assert.match(nowhere.err, /start scripts\/run/);
  const gone = join(world.dataDir, 'gone');
  writeHubPlace(gone, { ...world.ready, httpsPort: '1', caFile: world.caFile });
  const { code, err } = await begin(['list', '--data', gone]).ended;
  assert.equal(code, 1);
  oneSentence(err);
  assert.match(err, /is not running; start scripts\/run/);
});

test('another hub comes from the environment: its key is used, a wrong one is refused and not shown', async () => {
  const connection = world.ready.serviceConnectionString.replace(
    /localhost:\d+/,
    `localhost:${world.ready.httpsPort}`,
  );
  const env = (value: string) => ({ DACHAWATCH_HUB_CONNECTION: value, NODE_EXTRA_CA_CERTS: world.caFile });
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
  const out = outputOf(child);
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
    assert.ok(out().includes(word), word);
});
