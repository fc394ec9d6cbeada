import assert from 'node:assert/strict';
import { spawn, execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createPower, type PowerStatus } from '../../../agent/power/power.ts';
import { openSocketSmbus } from '../../../agent/power/i2c/smbus-socket.ts';
import { smbusContract } from '../../fakes/smbus-contract.ts';
import { createLogBook } from '../../fakes/log-book.ts';

const MAIN = join(import.meta.dirname, '../../../hardware/simulators/ups/main.ts');
const SCENARIOS = join(import.meta.dirname, '../../../hardware/simulators/ups/scenarios');
const dir = mkdtempSync(join(tmpdir(), 'dachawatch-ups-'));
const ended: Promise<unknown>[] = [];
const children: ReturnType<typeof spawn>[] = [];
after(async () => {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(ended);
  rmSync(dir, { recursive: true });
});

async function startSimulator(name: string, scenario: string, ...more: string[]) {
  const socket = join(dir, `${name}.sock`);
  const control = join(dir, `${name}.control`);
  const args = [MAIN, '--socket', socket, '--control', control, '--scenario', scenario, ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  ended.push(exited);
  const first = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  const line = await Promise.race([
    first,
    exited.then((code) => assert.fail(`the simulator ended with ${code}`)),
  ]);
  const tell = async (command: string) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      MAIN,
      '--control',
      control,
      '--tell',
      command,
    ]);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  return { socket, tell, child, exited, ready: JSON.parse(line) as Record<string, unknown> };
}

const outage = join(dir, 'plain.json');
writeFileSync(
  outage,
  JSON.stringify({
    title: 'On mains, until somebody pulls the plug',
    durationS: 100_000,
    endsInPowerOff: false,
    battery: { fill: 0.5 },
    steps: [{ atS: 0, mains: true }],
  }),
);

const shared = startSimulator('contract', outage);
smbusContract('socket', {
  open: async () => openSocketSmbus((await shared).socket),
  address: 0x41,
  absent: 0x44,
});

test('a simulator that is not there is a missing bus, one that ends closes the port', async () => {
  const path = join(dir, 'nobody.sock');
  await assert.rejects(openSocketSmbus(path), {
    code: 'smbus.no-bus',
    message: /no UPS simulator listens at/,
  });
  const { socket, child, exited } = await startSimulator('short-lived', outage);
  const smbus = await openSocketSmbus(socket);
  child.kill('SIGTERM');
  assert.equal(await exited, 0);
  await assert.rejects(
    async () => {
      // The end of the connection may be noticed after the first question was written.
      for (let i = 0; i < 1_000; i += 1) await smbus.readWord(0x41, 0);
    },
    { code: 'smbus.closed' },
  );
  assert.ok(!existsSync(socket), 'the socket file is gone');
});

test('a socket that answers with garbage is closed, and what waits is refused', async () => {
  const path = join(dir, 'garbage.sock');
  const server = createServer((socket) => socket.on('data', () => socket.write('not json\n')));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    const smbus = await openSocketSmbus(path);
    await assert.rejects(smbus.readWord(0x41, 0), { code: 'smbus.closed', message: /garbage/ });
    await assert.rejects(smbus.readWord(0x41, 0), { code: 'smbus.closed' });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('the ready line names the sockets; commands are obeyed or refused in one sentence', async () => {
  const { ready, tell, socket } = await shared;
  assert.equal(ready['ready'], true);
  assert.equal(ready['socket'], socket);
  assert.equal((await tell('mains off'))['mains'], false);
  assert.equal((await tell('mains on'))['mains'], true);
  await assert.rejects(tell('mains sideways'), { code: 1, stdout: /mains is on or off/ });
  await assert.rejects(tell('fault nack 0.5'), { code: 1, stdout: /no fault \\"nack\\"/ });
});

test('a wrong option or scenario ends with 2 and one sentence', async () => {
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args]);
  const missing = ['--socket', join(dir, 'x.sock'), '--scenario', join(dir, 'none.json')];
  await assert.rejects(run(...missing), { code: 2, stderr: /^The scenario .*none\.json cannot be read/ });
  await assert.rejects(run('--speed', '0'), { code: 2, stderr: /^--speed is a number/ });
});

test('a plug pulled and a battery emptied by command end in a power-off in good order', async () => {
  const empty = join(SCENARIOS, 'returns-at-the-last-moment.json');
  const { socket, tell } = await startSimulator('plug', empty);
  const { log } = createLogBook();
  const changes: PowerStatus[] = [];
  const deeds: string[] = [];
  const off = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const power = createPower({
    config: parseWithDefaults(PowerConfig, {
      ups: { model: 'waveshare-ups-module-3s', simulator: socket },
      thresholds: { criticalForMs: 5_000, returnMs: 0 },
    }),
    actions: {
      seal: async () => void deeds.push('seal'),
      tell: async () => void deeds.push('tell'),
      powerOff: () => {
        deeds.push('powerOff');
        off.resolve();
      },
      resume: () => void deeds.push('resume'),
    },
    onChange: (status) => {
      changes.push(status);
      if (status.state === 'on-battery') reached.resolve();
    },
    clock: systemClock,
    log,
  });
  await power.start();
  try {
    await reached.promise;
    await tell('volts 9.4');
    await off.promise;
    assert.deepEqual(deeds, ['seal', 'tell', 'powerOff']);
    assert.equal(changes.at(-1)?.shutdown, 'requested');
    assert.equal(power.status().detail, 'the battery is empty');
  } finally {
    await power.stop();
  }
});
