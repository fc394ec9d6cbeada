import { createConnection, type Socket } from 'node:net';
import type { Failure } from '../../kernel/failure.ts';
import { describeI2cError, hex, smbusFailure, type Smbus } from './smbus.ts';

/** Longest answer line of a simulator. */
const LINE_MAX = 1_000;

interface Answer {
  readonly id: number;
  readonly word?: number;
  /** Errno of a transaction that failed, as the kernel would give it: 121 for a chip that does not answer. */
  readonly errno?: number;
}

interface Waiting {
  readonly address: number;
  resolve(word: number): void;
  reject(failure: Failure): void;
}

/** The same port over a Unix socket to hardware/simulators/ups. One JSON object a line, and one back:
 *  `{"id": 1, "address": 65, "register": 2}` → `{"id": 1, "word": 22234}`; with `word` in the question it is
 *  written. What is not answered was a transaction on a stuck bus: it ends with `close`.
 *  @throws Failure `smbus.no-bus` when nobody listens */
export async function openSocketSmbus(path: string): Promise<Smbus> {
  const socket = await connect(path);
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let text = '';
  let over: Failure | undefined;

  function end(failure: Failure): void {
    over ??= failure;
    for (const one of waiting.values()) one.reject(over);
    waiting.clear();
    socket.destroy();
  }
  const gone = () => end(smbusFailure('smbus.closed', `the simulator at ${path} ended the connection`));
  socket.on('close', gone);
  socket.on('error', gone);
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
      const line = text.slice(0, at);
      text = text.slice(at + 1);
      const answer = parseAnswer(line);
      if (!answer) return end(smbusFailure('smbus.closed', `the simulator at ${path} answers with garbage`));
      settle(answer);
    }
    if (text.length > LINE_MAX)
      end(smbusFailure('smbus.closed', `the simulator at ${path} answers without end`));
  });

  function settle({ id, word, errno }: Answer): void {
    const one = waiting.get(id);
    if (!one) return;
    waiting.delete(id);
    if (errno === undefined) one.resolve(word ?? 0);
    else one.reject(describeSimulated(errno, one.address, path));
  }

  function ask(address: number, register: number, word?: number): Promise<number> {
    if (over) return Promise.reject(over);
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { address, resolve, reject });
      socket.write(`${JSON.stringify({ id, address, register, word })}\n`);
    });
  }

  return {
    readWord: (address, register) => ask(address, register),
    writeWord: async (address, register, word) => {
      await ask(address, register, word);
    },
    close: async () => end(smbusFailure('smbus.closed', `the connection to ${path} was closed`)),
  };
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', (error) =>
      reject(smbusFailure('smbus.no-bus', `no UPS simulator listens at ${path}`, error)),
    );
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function parseAnswer(line: string): Answer | undefined {
  try {
    const answer = JSON.parse(line) as Answer;
    const whole = (value: unknown) => value === undefined || Number.isInteger(value);
    return Number.isInteger(answer.id) && whole(answer.word) && whole(answer.errno) ? answer : undefined;
  } catch {
    return undefined;
  }
}

function describeSimulated(errno: number, address: number, path: string): Failure {
  const { code, message } = describeI2cError({ errno }, { bus: 0, address, buses: [] });
  return code === 'smbus.no-chip'
    ? smbusFailure(code, `no chip answers at ${hex(address, 2)} in the simulator at ${path}`)
    : smbusFailure('smbus.failed', message.replace('on I2C bus 0', `in the simulator at ${path}`));
}
