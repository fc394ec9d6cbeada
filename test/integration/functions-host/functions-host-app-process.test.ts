/** The functions host with its app in a process of its own: `--app-process`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startChildService } from '../../../cloud-fn/local/child-service.ts';

const path = (relative: string) => new URL(relative, import.meta.url).pathname;
const WITHIN_MS = 120_000;

async function startHost(t: TestContext, functionTimeout: string, env: NodeJS.ProcessEnv = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'dacha-app-process-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const hostJson = join(dir, 'host.json');
  await writeFile(hostJson, JSON.stringify({ functionTimeout }));
  const host = await startChildService<{ port: number; functions: string[] }>({
    main: path('../../../cloud-fn/local/functions-host/main.ts'),
    args: [
      ...['--app', path('../../fakes/apps/process-sample.ts'), '--data', join(dir, 'data'), '--port', '0'],
      ...['--host-json', hostJson, '--app-process'],
    ],
    env: { ...process.env, ...env },
  });
  t.after(() => host.stop());
  const call = (name: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${host.ready.port}/api/${name}`, {
      ...init,
      signal: AbortSignal.timeout(WITHIN_MS),
    });
  const who = async () => (await (await call('who')).json()) as { pid: number; host: string };
  /** The process that comes after one that has ended; the host may not have heard of that end yet. */
  const whoAfter = async (pid: number) => {
    await untilGone(pid);
    for (const deadline = performance.now() + WITHIN_MS; ; await delay(20)) {
      const answer = await call('who');
      const next = answer.ok ? ((await answer.json()) as { pid: number; host: string }) : undefined;
      if (next !== undefined && next.pid !== pid) return next;
      assert.ok(performance.now() < deadline, `no process came after ${pid}`);
    }
  };
  return { host, call, who, whoAfter };
}

/** False too for one that has ended and that nobody has asked how. */
const isAlive = (pid: number) => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

async function untilGone(pid: number): Promise<void> {
  for (const deadline = performance.now() + WITHIN_MS; isAlive(pid); await delay(20))
    assert.ok(performance.now() < deadline, `process ${pid} is still there`);
}

test('the app answers from a process of its own, which knows the host by its address; bytes pass as they are', async (t) => {
  const { host, call, who } = await startHost(t, '00:01:00');
  const { pid, host: hostName } = await who();
  assert.notEqual(pid, host.pid);
  assert.equal(hostName, `127.0.0.1:${host.ready.port}`);
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256));
  const answer = await call('bytes', { method: 'POST', body: bytes });
  assert.ok(bytes.equals(Buffer.from(await answer.arrayBuffer())));
  assert.equal((await call('fail')).status, 500);
  assert.equal((await who()).pid, pid, 'an error of a function leaves the process alone');
});

test('when the process dies, or is killed, its call fails and the next one is answered by another', async (t) => {
  const { call, who, whoAfter } = await startHost(t, '00:01:00');
  const first = await who();
  assert.equal((await call('die')).status, 500);
  const second = await who();
  assert.notEqual(second.pid, first.pid);
  assert.equal(second.host, first.host);
  process.kill(second.pid, 'SIGKILL');
  assert.equal((await whoAfter(second.pid)).host, first.host);
});

test('a function that takes longer than allowed fails, even one that blocks its process, and the process is replaced', async (t) => {
  const { call, who, whoAfter } = await startHost(t, '00:00:02');
  for (const name of ['hang', 'spin']) {
    const { pid } = await who();
    assert.equal((await call(name)).status, 500);
    await whoAfter(pid);
  }
});

test('a host that is stopped or killed leaves no process of its app behind', async (t) => {
  for (const end of ['stop', 'kill'] as const) {
    const { host, who } = await startHost(t, '00:01:00');
    const { pid } = await who();
    await host[end]();
    await untilGone(pid);
  }
});

test('an app that cannot be loaded is the reason why the host does not start', async (t) => {
  await assert.rejects(startHost(t, '00:01:00', { SAMPLE_BROKEN: 'yes' }), /this app is broken/);
});

test('a seed that is no whole number is refused', async () => {
  await assert.rejects(
    startChildService({
      main: path('../../../cloud-fn/local/functions-host/main.ts'),
      args: ['--app', path('../../fakes/apps/process-sample.ts'), '--data', tmpdir(), '--hostile', '1.5'],
    }),
    /--hostile takes a whole number from 1 to 2147483648, not "1.5"/,
  );
});
