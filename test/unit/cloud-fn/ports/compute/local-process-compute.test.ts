import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../../../cloud-fn/ports/clock.ts';
import { createLocalProcessCompute } from '../../../../../cloud-fn/ports/compute/local-process-compute.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-compute-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** A worker that notes its start and then does what `body` says. */
function worker(name: string, body: string): string {
  const file = join(dir, `${name}.mjs`);
  writeFileSync(
    file,
    `import { appendFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(join(dir, `${name}.log`))}, process.pid + '\\n');
     process.on('disconnect', () => process.exit(0));
     const ready = () => process.send({ ready: true });
     ${body}`,
  );
  return file;
}
const starts = (name: string) =>
  existsSync(join(dir, `${name}.log`))
    ? readFileSync(join(dir, `${name}.log`), 'utf8')
        .trim()
        .split('\n')
    : [];

function compute(t: TestContext, name: string, body: string, environment: Record<string, string> = {}) {
  const events: string[] = [];
  const log = (fields: object) => void events.push((fields as { event: string }).event);
  const port = createLocalProcessCompute({
    entry: worker(name, body),
    environment,
    clock: systemClock,
    log: { info: log, warn: log },
    restartMinMs: 10,
  });
  t.after(() => port.stop());
  return { port, events };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !condition(); await delay(20))
    assert.ok(Date.now() < deadline, `never happened: ${what}`);
}
const lives = (pid: string | undefined) => {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
};

test('one worker is started however many ask, and it ends with stop', async (t) => {
  const { port } = compute(t, 'once', 'ready();');
  assert.deepEqual(
    (await Promise.all([port.ensureWorker(), port.ensureWorker(), port.ensureWorker()])).toSorted(),
    ['started', 'started', 'started'],
  );
  assert.equal(await port.ensureWorker(), 'running');
  const [pid, ...others] = starts('once');
  assert.deepEqual(others, []);
  await port.stop();
  assert.equal(lives(pid), false);
  await assert.rejects(port.ensureWorker(), { code: 'compute.stopping' });
});

test('a worker sees the environment it is given and nothing else', async (t) => {
  process.env['DACHA_TEST_SECRET'] = 'must not travel';
  t.after(() => delete process.env['DACHA_TEST_SECRET']);
  const { port } = compute(
    t,
    'environment',
    `appendFileSync(${JSON.stringify(join(dir, 'seen.json'))}, JSON.stringify(Object.keys(process.env).sort()));
     ready();`,
    { DACHA_MODELS_DIR: '/models' },
  );
  await port.ensureWorker();
  const seen = (JSON.parse(readFileSync(join(dir, 'seen.json'), 'utf8')) as string[]).filter(
    (name) => !name.startsWith('NODE_CHANNEL_'),
  );
  assert.deepEqual(seen, ['DACHA_MODELS_DIR']);
});

test('a worker that dies is started again', async (t) => {
  const { port } = compute(t, 'dies', 'ready();');
  await port.ensureWorker();
  process.kill(Number(starts('dies')[0]), 'SIGKILL');
  await until(() => starts('dies').length === 2, 'second start');
  await until(() => lives(starts('dies')[1]), 'second worker');
});

test('a worker that keeps dying is given up after five restarts; the next request tries again', async (t) => {
  const { port, events } = compute(t, 'keeps-dying', 'process.send({ ready: true }, () => process.exit(3));');
  await port.ensureWorker();
  await until(() => events.includes('worker.given-up'), 'giving up');
  assert.equal(starts('keeps-dying').length, 6);
  await port.ensureWorker();
  await until(() => events.filter((event) => event === 'worker.given-up').length === 2, 'giving up again');
});

test('a worker that ends before it is ready says why', async (t) => {
  const { port } = compute(t, 'bad', `process.stderr.write('worker: no weights\\n', () => process.exit(2));`);
  await assert.rejects(port.ensureWorker(), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'compute.ended-early');
    assert.match(error.message, /\(2\).*no weights/);
    return true;
  });
});

test('a worker that never becomes ready is ended at the deadline', async (t) => {
  const port = createLocalProcessCompute({
    entry: worker('silent', 'setInterval(() => {}, 1000);'),
    environment: {},
    clock: systemClock,
    log: { info: () => {}, warn: () => {} },
    readyDeadlineMs: 1_000,
  });
  t.after(() => port.stop());
  await assert.rejects(port.ensureWorker(), { code: 'compute.start-deadline' });
  await until(
    () => starts('silent').every((pid) => pid === '' || !lives(pid)),
    'the end of the silent worker',
  );
});

test('a worker that ends idle right after it was asked for is started again: it may have missed the request', async (t) => {
  const { port } = compute(
    t,
    'idle',
    `process.on('message', () => {});
     process.send({ ready: true }, () => {
       if (!process.env.AGAIN) setTimeout(() => process.exit(0), 20);
     });`,
  );
  await port.ensureWorker();
  await until(() => starts('idle').length >= 2, 'second start');
});
