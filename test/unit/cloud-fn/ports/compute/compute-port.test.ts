import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../../../cloud-fn/ports/clock.ts';
import { createContainerAppsJob } from '../../../../../cloud-fn/ports/compute/container-apps-job.ts';
import { createContainerGroup } from '../../../../../cloud-fn/ports/compute/container-group.ts';
import { createLocalProcessCompute } from '../../../../../cloud-fn/ports/compute/local-process-compute.ts';
import { credential, startFakeArm, SUBSCRIPTION } from '../../../../fakes/cloud/arm.ts';
import { promisesOfCompute } from '../../../../fakes/cloud/compute-port-contract.ts';

const resource = { subscriptionId: SUBSCRIPTION, resourceGroup: 'house', name: 'yolo' };

for (const [name, create] of [
  ['container apps job', createContainerAppsJob],
  ['container instances', createContainerGroup],
] as const)
  promisesOfCompute(name, async (t) => {
    const arm = await startFakeArm();
    t.after(() => arm.stop());
    const port = create({ credential, endpoint: arm.endpoint, ca: arm.ca }, resource);
    t.after(() => port.stop());
    return { port, running: () => arm.running(), starts: () => arm.starts(), end: () => arm.end() };
  });

promisesOfCompute('local process', async (t: TestContext) => {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-compute-contract-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [entry, log] = [join(dir, 'worker.mjs'), join(dir, 'pids')];
  writeFileSync(
    entry,
    `import { appendFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(log)}, process.pid + '\\n');
     process.on('disconnect', () => process.exit(0));
     process.on('SIGUSR2', () => process.exit(0));
     process.send({ ready: true });`,
  );
  // Standing still: a worker that ends idle is not asked for again by itself.
  const clock = { ...systemClock, sleep: () => new Promise<never>(() => undefined) };
  const port = createLocalProcessCompute({
    entry,
    environment: {},
    clock,
    log: { info: () => undefined, warn: () => undefined },
  });
  t.after(() => port.stop());
  const pids = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map(Number) : []);
  const running = () => pids().filter(isAlive).length;
  return {
    port,
    running,
    starts: () => pids().length,
    end: async () => {
      for (const pid of pids().filter(isAlive)) process.kill(pid, 'SIGUSR2');
      for (const deadline = Date.now() + 60_000; running() > 0 && Date.now() < deadline; ) await delay(20);
    },
  };
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
