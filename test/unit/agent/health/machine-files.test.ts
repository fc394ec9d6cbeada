import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachineFiles } from '../../../../agent/health/machine-files.ts';
import { remembered, throttlingBits, throttlingNames } from '../../../../agent/health/throttling.ts';
import { ALARM_FILE, createPiTree, processStatus, TEMPERATURE_FILE, THROTTLED_FILE } from './pi-tree.ts';

test('the temperature of the processor is found among the sensors, in degrees', async () => {
  await using pi = await createPiTree();
  await pi.write('sys/class/thermal/cooling_device0/type', 'cpufreq-cpu0\n');
  await pi.write('sys/class/thermal/thermal_zone1/type', 'rp1_adc\n');
  await pi.write('sys/class/thermal/thermal_zone1/temp', '99000\n');
  const files = createMachineFiles(pi.root);
  assert.equal(await files.cpuCelsius(), 54.4);
  await pi.write(TEMPERATURE_FILE, '-3200\n');
  assert.equal(await files.cpuCelsius(), -3.2);
});

test('a sensor that is absent, or says what cannot be, is no temperature', async () => {
  await using pi = await createPiTree();
  const files = createMachineFiles(pi.root);
  for (const nonsense of ['', '\n', 'hot', '9999999', '-274000']) {
    await pi.write(TEMPERATURE_FILE, nonsense);
    assert.equal(await files.cpuCelsius(), undefined, nonsense);
  }
  await pi.remove('sys/class/thermal');
  assert.equal(await files.cpuCelsius(), undefined);
});

test('throttling is what either of the two files says; with neither the machine does not offer it', async () => {
  await using pi = await createPiTree();
  const files = createMachineFiles(pi.root);
  assert.equal(await files.throttling(), 0);
  await pi.write(ALARM_FILE, '1\n');
  assert.equal(await files.throttling(), 1);
  await pi.write(THROTTLED_FILE, '50008\n');
  assert.equal(await files.throttling(), 0x50009);
  await pi.remove(THROTTLED_FILE);
  assert.equal(await files.throttling(), 1);
  await pi.write(ALARM_FILE, 'what?');
  assert.equal(await files.throttling(), undefined);
});

test('the bits become names, and what was so and is not any more says so', () => {
  assert.deepEqual(throttlingNames(0), []);
  assert.deepEqual(throttlingNames(0x50005), ['under-voltage', 'throttled']);
  assert.deepEqual(throttlingNames(0xa0001), [
    'under-voltage',
    'frequency-capped-since-boot',
    'soft-temperature-limit-since-boot',
  ]);
  assert.deepEqual(throttlingNames(remembered(1) & ~1), ['under-voltage-since-boot']);
  assert.equal(throttlingBits('0x50005\n'), 0x50005);
  for (const nonsense of ['', '-1', 'throttled=0x0', '123456789', '0x']) {
    assert.equal(throttlingBits(nonsense), undefined, nonsense);
  }
});

test('the memory of a process is its own and that of all it started, and of nobody else', async () => {
  await using pi = await createPiTree();
  const files = createMachineFiles(pi.root);
  await pi.write('proc/1/status', processStatus(0, 9_000));
  await pi.write('proc/100/status', processStatus(1, 50_000));
  await pi.write('proc/101/status', processStatus(100, 20_000));
  await pi.write('proc/102/status', processStatus(101, 3_000));
  await pi.write('proc/103/status', processStatus(1, 70_000));
  await pi.write('proc/104/status', 'Name:\tkworker\nPPid:\t100\n');
  assert.equal(await files.treeBytes(100), 73_000 * 1_024);
  assert.equal(await files.treeBytes(999), undefined);
});

test('parents in a circle, as two moments mixed may show, end the walk', async () => {
  await using pi = await createPiTree();
  await pi.write('proc/100/status', processStatus(1, 50_000));
  await pi.write('proc/101/status', processStatus(102, 1));
  await pi.write('proc/102/status', processStatus(101, 1));
  assert.equal(await createMachineFiles(pi.root).treeBytes(100), 50_000 * 1_024);
});
