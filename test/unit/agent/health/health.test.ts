import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { totalmem } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { TwinReported } from '@dachawatch/contracts';
import { Value } from 'typebox/value';
import { createHealth, type HealthDeps } from '../../../../agent/health/health.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';
import { createPiTree, processStatus, TEMPERATURE_FILE, THROTTLED_FILE } from './pi-tree.ts';

const WHEN = Date.UTC(2026, 11, 1);
const PATIENCE_MS = 120_000;

function createWorld(root: string, changes: Partial<HealthDeps> = {}) {
  const clock = createFakeClock(WHEN);
  const lines: string[] = [];
  const health = createHealth({
    dataDir: root,
    root,
    clock,
    log: createLog('info', (line) => lines.push(line)),
    memory: async () => ({ total: 8_000_000_000, available: 6_500_000_000 }),
    ...changes,
  });
  return { health, clock, lines };
}

/** Files are read in real time, whatever the clock says. */
async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function nextRound(clock: FakeClock, ms = 60_000): Promise<void> {
  await until(() => clock.sleepers() > 0);
  await clock.advance(ms);
}

test('a Raspberry Pi is known by its files, a minute after the last time', async () => {
  await using pi = await createPiTree();
  await pi.write(`proc/${process.pid}/status`, processStatus(1, 100_000));
  const { health, clock, lines } = createWorld(pi.root);
  assert.equal(health.facts(), null);
  await health.start();
  await until(() => health.facts() !== null);
  const { load1, cores, uptimeSeconds, ...facts } = health.facts() ?? assert.fail();
  assert.ok(load1 >= 0 && cores >= 1 && uptimeSeconds > 0);
  assert.deepEqual(facts, {
    cpuCelsius: 54.4,
    throttled: [],
    memoryTotalBytes: 8_000_000_000,
    memoryAvailableBytes: 6_500_000_000,
    agentBytes: 100_000 * 1_024,
    agentUptimeSeconds: 0,
    clock: 'synchronised',
  });
  await pi.write(TEMPERATURE_FILE, '81200');
  await pi.write(THROTTLED_FILE, '8');
  await nextRound(clock);
  await until(() => health.facts()?.cpuCelsius === 81.2);
  assert.deepEqual(health.facts()?.throttled, ['soft-temperature-limit']);
  assert.equal(health.facts()?.agentUptimeSeconds, 60);
  // The file keeps no memory everywhere.
  await pi.write(THROTTLED_FILE, '0');
  await nextRound(clock);
  await until(() => health.facts()?.agentUptimeSeconds === 120);
  assert.deepEqual(health.facts()?.throttled, ['soft-temperature-limit-since-boot']);
  await health.stop();
  assert.deepEqual(lines, []);
});

test('what a machine does not offer is absent, and the rest fits the contract', async () => {
  await using pi = await createPiTree();
  await pi.remove('sys');
  await pi.remove('proc');
  await pi.remove('etc');
  await pi.remove('run/systemd/timesync/synchronized');
  const { health } = createWorld(pi.root);
  await health.start();
  await until(() => health.facts() !== null);
  const facts = health.facts();
  assert.ok(facts && !('cpuCelsius' in facts) && !('throttled' in facts));
  assert.ok(facts.agentBytes > 1_000_000);
  assert.equal(facts.clock, 'unsynchronised');
  const { health: healthSchema, storage, versions } = TwinReported.properties;
  assert.ok(Value.Check(healthSchema, facts));
  assert.ok(Value.Check(versions, health.versions()));
  assert.equal(health.versions().hardware, process.arch);
  assert.ok(Value.Check(storage, { clips: 0, clipBytes: 0, clipBytesMax: 0, ...health.disk() }));
  await health.stop();
});

test('versions name the board, the system and the agent', async () => {
  await using pi = await createPiTree();
  const { health } = createWorld(pi.root);
  const { kernel, ...versions } = health.versions();
  assert.match(versions.agent, /^\d+\.\d+\.\d+/);
  assert.ok(kernel.length > 0);
  assert.deepEqual(versions, {
    agent: versions.agent,
    node: process.versions.node,
    os: 'Debian GNU/Linux 13 (trixie)',
    hardware: 'Raspberry Pi 5 Model B Rev 1.0',
  });
});

test('the disk is known before anything was measured, and a folder that is gone has none', async () => {
  await using pi = await createPiTree();
  const { diskFreeBytes, diskTotalBytes } = createWorld(pi.root).health.disk();
  assert.ok(diskTotalBytes > 0 && diskFreeBytes <= diskTotalBytes);
  const gone = createWorld(pi.root, { dataDir: `${pi.root}/gone` }).health;
  assert.deepEqual(gone.disk(), { diskFreeBytes: 0, diskTotalBytes: 0 });
});

test('a measurement that hangs is complained of once, is not begun a second time, and does not hold up the end', async () => {
  await using pi = await createPiTree();
  let asked = 0;
  const { health, clock, lines } = createWorld(pi.root, {
    memory: () => {
      asked += 1;
      return new Promise(() => undefined);
    },
    deadlineMs: 20,
  });
  await health.start();
  await until(() => lines.length > 0);
  await clock.advance(600_000);
  assert.equal(asked, 1);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /health\.not-measured/);
  await health.stop();
});

test('facts that could not be renewed for some minutes are not told any more', async () => {
  await using pi = await createPiTree();
  let broken = false;
  const { health, clock, lines } = createWorld(pi.root, {
    memory: async () => {
      if (broken) throw new Error('no file');
      return { total: 2, available: 1 };
    },
  });
  await health.start();
  await until(() => health.facts() !== null);
  broken = true;
  for (let minute = 1; minute <= 5; minute++) {
    await nextRound(clock);
    assert.notEqual(health.facts(), null, `after ${minute} min`);
  }
  await nextRound(clock);
  assert.equal(health.facts(), null);
  assert.equal(lines.length, 1);
  broken = false;
  await nextRound(clock);
  await until(() => health.facts() !== null);
  await health.stop();
});

/** The whole measurement on the real machine, in a process that Node lets read files and start nothing. */
const SCRIPT = `
import { createHealth } from '${new URL('../../../../agent/health/health.ts', import.meta.url).href}';
import { systemClock } from '${new URL('../../../../agent/kernel/clock.ts', import.meta.url).href}';
import { createLog } from '${new URL('../../../../agent/kernel/log.ts', import.meta.url).href}';
const health = createHealth({ dataDir: '/tmp', clock: systemClock, log: createLog('info') });
await health.start();
while (health.facts() === null) await systemClock.sleep(10);
await health.stop();
process.stdout.write(JSON.stringify({ facts: health.facts(), may: process.permission.has('child') }));
`;

test('this machine is measured by reading files only: no process is started for it', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--permission', '--allow-fs-read=*', '--input-type=module', '-e', SCRIPT],
    { timeout: PATIENCE_MS },
  );
  const { facts, may } = JSON.parse(stdout) as { facts: Record<string, number>; may: boolean };
  assert.equal(may, false);
  assert.ok(Value.Check(TwinReported.properties.health, facts));
  // In steps of 1 kB, and memory does not grow while it is measured.
  assert.ok(Math.abs((facts['memoryTotalBytes'] ?? 0) - totalmem()) < 100_000);
  assert.ok((facts['agentBytes'] ?? 0) > 10_000_000);
});
