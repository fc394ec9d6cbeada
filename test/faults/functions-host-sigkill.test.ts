import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startChildService, type ChildService } from '../../cloud-fn/local/child-service.ts';

const path = (relative: string) => new URL(relative, import.meta.url).pathname;
const INSTANCES = 30;
const KILLS = 8;
const SEED = Number(process.env['FAULT_SEED'] ?? 20_261_121);

interface Ready {
  readonly port: number;
  readonly keysFile: string;
}
interface Status {
  readonly runtimeStatus: string;
  readonly output: unknown;
  readonly historyEvents: readonly { readonly EventType: string; readonly Result?: unknown }[];
}

let dataDir = '';
let host: ChildService<Ready>;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dacha-host-kill-'));
});
after(async () => {
  await host.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Numbers from 0 to 1 that are the same for the same seed. */
function seeded(seed: number) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const boot = async () => {
  host = await startChildService<Ready>({
    main: path('../../cloud-fn/local/functions-host/main.ts'),
    args: ['--app', path('../fakes/apps/durable-sample.ts'), '--data', dataDir, '--port', '0'],
    env: { ...process.env, SAMPLE_EFFECTS_FILE: join(dataDir, 'effects') },
  });
};
const manage = async (what: string, init?: RequestInit) => {
  const keys = JSON.parse(await readFile(host.ready.keysFile, 'utf8')) as { durableTask: string };
  const address = `http://127.0.0.1:${host.ready.port}/runtime/webhooks/durabletask/${what}`;
  return fetch(`${address}${what.includes('?') ? '&' : '?'}code=${keys.durableTask}`, init);
};
const statusOf = async (id: string) =>
  (await (await manage(`instances/${id}?showHistory=true&showHistoryOutput=true`)).json()) as Status;

test('orchestrations survive kills at random moments: nothing is lost, every instance ends once', async () => {
  const random = seeded(SEED);
  await boot();
  const started = new Set<string>();
  const startMissing = async () => {
    for (let n = 0; n < INSTANCES; n += 1) {
      const id = `chain-${n}`;
      if (started.has(id)) continue;
      // A kill may hit the request: whether it was taken shows when it is asked again.
      const response = await manage(`orchestrators/chain/${id}`, { method: 'POST', body: JSON.stringify(id) })
        .then((answer) => answer.status)
        .catch(() => 0);
      if (response === 202 || response === 409) started.add(id);
    }
  };

  for (let kill = 0; kill < KILLS; kill += 1) {
    const starting = startMissing();
    await delay(random() * 250);
    await host.kill();
    await starting;
    await boot();
  }
  await startMissing();
  assert.equal(started.size, INSTANCES);

  const effects = async () => (await readFile(join(dataDir, 'effects'), 'utf8')).split('\n');
  const deadline = performance.now() + 240_000;
  for (const id of started) {
    let status = await statusOf(id);
    while (status.runtimeStatus === 'Running' || status.runtimeStatus === 'Pending') {
      assert.ok(performance.now() < deadline, `${id} is still running (seed ${SEED})`);
      await delay(50);
      status = await statusOf(id);
    }
    assert.equal(status.runtimeStatus, 'Completed', `${id}: ${JSON.stringify(status.output)} (seed ${SEED})`);
    assert.deepEqual(status.output, [id, [10, 20, 30]]);
    const of = (type: string) => status.historyEvents.filter((event) => event.EventType === type);
    const ended = of('TaskCompleted').map((event) => event.Result);
    assert.deepEqual([ended.length, new Set(ended).size], [4, 4], `${id}: each activity ended once`);
    assert.equal(of('TimerFired').length, 4);
    assert.equal(of('SubOrchestrationInstanceCompleted').length, 3);
    assert.equal(of('ExecutionStarted').length, 1);
  }
  const done = await effects();
  for (const id of started)
    for (const step of [1, 2, 3, 4])
      assert.ok(done.includes(`Echo "${id}/${step}"`), `${id}/${step} took effect at least once`);
});
