import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createLog } from '../../../../../agent/kernel/log.ts';
import {
  createServiceManager,
  type ServiceManagerDeps,
} from '../../../../../agent/kernel/services/service-manager.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A systemd that reads when the test lets it, or does not answer. */
function createWorld(changes: Partial<ServiceManagerDeps> = {}) {
  const messages: string[][] = [];
  const waiting: { tell: () => void; fail: () => void }[] = [];
  const lines: string[] = [];
  const manager = createServiceManager({
    socket: '/run/systemd/notify',
    watchdogUsec: undefined,
    watchdogPid: undefined,
    log: createLog('info', (line) => lines.push(line)),
    run: (_socket, assignments) =>
      new Promise((resolve, reject) => {
        messages.push([...assignments]);
        waiting.push({ tell: resolve, fail: () => reject(new Error('no answer')) });
      }),
    ...changes,
  });
  return {
    manager,
    messages,
    lines,
    read: async () => {
      await settle();
      waiting.shift()?.tell();
      await settle();
    },
    fail: async () => {
      await settle();
      waiting.shift()?.fail();
      await settle();
    },
  };
}

test('without a socket nothing is started, told or logged', async () => {
  const { manager, messages, lines } = createWorld({ socket: undefined, watchdogUsec: '30000000' });
  await manager.ready('All is well.');
  manager.status('2 cameras watch');
  manager.watchdog();
  manager.stopping();
  assert.deepEqual([messages, lines, manager.watchdogMs], [[], [], null]);
});

test('what is told while systemd reads goes in one next message, and of several status lines the newest', async () => {
  const { manager, messages, read } = createWorld();
  const ready = manager.ready('starting');
  await settle();
  manager.status('1 camera watches');
  manager.watchdog();
  manager.status('2 cameras watch');
  manager.watchdog();
  await settle();
  assert.deepEqual(messages, [['READY=1', 'STATUS=starting']]);
  await read();
  assert.deepEqual(messages.slice(1), [['STATUS=2 cameras watch', 'WATCHDOG=1']]);
  await read();
  await ready;
  manager.stopping();
  await settle();
  assert.deepEqual(messages.slice(2), [['STOPPING=1']]);
});

test('a status that systemd shows already is not told again', async () => {
  const { manager, messages, read } = createWorld();
  manager.status('2 cameras watch');
  await read();
  manager.status('2 cameras  watch\n');
  await settle();
  assert.equal(messages.length, 1);
  manager.status('1 camera watches');
  await settle();
  assert.deepEqual(messages[1], ['STATUS=1 camera watches']);
});

test('a systemd that cannot be told is logged once, READY is told later, and an old sign of life is not', async () => {
  const { manager, messages, lines, read, fail } = createWorld();
  const ready = manager.ready('starting');
  await settle();
  manager.watchdog();
  await fail();
  await ready;
  manager.status('offline');
  await fail();
  assert.deepEqual(messages[1], ['WATCHDOG=1', 'READY=1', 'STATUS=offline']);
  assert.equal(lines.length, 1);
  manager.status('online');
  await settle();
  assert.deepEqual(messages[2], ['READY=1', 'STATUS=online']);
  await read();
  assert.match(lines[1] ?? '', /told-again/);
  assert.equal(lines.length, 2);
});

test('a status is one line of bounded length, whatever it is made of', async () => {
  const { manager, messages } = createWorld();
  manager.status(`gate\nREADY=1\u0000\u2028 ${'🏠'.repeat(500)}`);
  await settle();
  const [line = ''] = messages[0] ?? [];
  assert.match(line, /^STATUS=gate READY=1 🏠+…$/u);
  assert.equal(Array.from(line.slice('STATUS='.length)).length, 200);
});

test('the watchdog is for this process only, and nonsense is no watchdog', () => {
  const ms = (watchdogUsec?: string, watchdogPid?: string) =>
    createWorld({ watchdogUsec, watchdogPid, pid: 42 }).manager.watchdogMs;
  assert.equal(ms('30000000'), 30_000);
  assert.equal(ms('30000000', '42'), 30_000);
  assert.equal(ms('30000000', '43'), null);
  for (const nonsense of [undefined, '', '0', '-1', '1e9', 'soon', '9'.repeat(40)])
    assert.equal(ms(nonsense), null, String(nonsense));
});

/** Prints each datagram as a line of hexadecimal digits, after a first line that says it listens. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listens', flush=True)
while True:
    print(s.recv(65536).hex(), flush=True)
`;

const missing = existsSync('/usr/bin/systemd-notify')
  ? spawnSync('python3', ['-c', '']).status === 0
    ? false
    : 'python3 is not here'
  : 'systemd-notify is not here';

test("systemd's own program carries all of it to a real socket", { skip: missing }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'notify-'));
  const socket = join(dir, 'socket');
  const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const received = createInterface(receiver.stdout)[Symbol.asyncIterator]();
  const next = async () => String((await received.next()).value);
  /** systemd-notify also sends a barrier, by which it knows that all was read. */
  const nextMessage = async (): Promise<string> => {
    const text = Buffer.from(await next(), 'hex').toString();
    return text.startsWith('BARRIER=') ? nextMessage() : text;
  };
  try {
    assert.equal(await next(), 'listens');
    const lines: string[] = [];
    const manager = createServiceManager({
      socket,
      watchdogUsec: '2000000',
      watchdogPid: String(process.pid),
      log: createLog('info', (line) => lines.push(line)),
    });
    await manager.ready('--help; $(touch /x) "3 записи чекають"');
    assert.equal((await nextMessage()).trim(), 'READY=1\nSTATUS=--help; $(touch /x) "3 записи чекають"');
    manager.watchdog();
    assert.equal((await nextMessage()).trim(), 'WATCHDOG=1');
    manager.stopping();
    assert.equal((await nextMessage()).trim(), 'STOPPING=1');
    assert.deepEqual(lines, []);
  } finally {
    receiver.kill();
    await rm(dir, { recursive: true });
  }
});

test('a socket that nobody reads is logged and does no harm', { skip: missing }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'notify-'));
  const lines: string[] = [];
  const manager = createServiceManager({
    socket: join(dir, 'nobody'),
    watchdogUsec: undefined,
    watchdogPid: undefined,
    log: createLog('info', (line) => lines.push(line)),
  });
  try {
    await manager.ready('starting');
    assert.match(lines.join(''), /service-manager\.not-told/);
  } finally {
    await rm(dir, { recursive: true });
  }
});
