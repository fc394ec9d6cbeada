import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeWorld, type World } from './hub-fixture.ts';

const MAIN = new URL('../../../cloud-fn/local/iot-hub/main.ts', import.meta.url).pathname;
let world: World;
before(async () => {
  world = await makeWorld();
});
after(() => world.remove());

async function run(...flags: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out(), err: err() };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

function serve(folder: string): ChildProcess {
  const { certFile, keyFile } = world.certificates;
  const flags = ['--data', join(world.dir, folder), '--cert', certFile, '--key', keyFile, '--device', 'pi'];
  return fork(MAIN, flags, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

test('--help explains every flag and ends well', async () => {
  const { code, out } = await run('--help');
  assert.equal(code, 0);
  for (const flag of ['--data', '--cert', '--key', '--host-name', '--mqtt-port', '--device'])
    assert.ok(out.includes(flag), flag);
});

test('flags that make no sense end it with one sentence', async () => {
  const { certFile, keyFile } = world.certificates;
  const needed = ['--data', join(world.dir, 'x'), '--cert', certFile, '--key', keyFile];
  for (const flags of [[], ['--what'], [...needed, '--mqtt-port', 'high'], [...needed, '--device', 'a b']]) {
    const { code, out, err } = await run(...flags);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.equal(err.trim().split('\n').length, 1, err);
  }
});

test('it says when it is ready, and ends with its parent', async () => {
  const child = serve('with-parent');
  const [ready] = (await once(child, 'message')) as [Record<string, unknown>];
  assert.equal(ready['ready'], true);
  assert.match(
    String(ready['deviceConnectionString']),
    /^HostName=dacha-hub\.local;DeviceId=pi;SharedAccessKey=/,
  );
  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
});
