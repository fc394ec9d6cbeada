import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromChild, ToChild } from '../../../../../../agent/capture/messages.ts';
import { forkChild } from '../../../../../../agent/capture/supervision/fork-child.ts';
import type { Order } from './told-child.ts';

const PROGRAM = new URL('told-child.ts', import.meta.url);

/** Asks until there is an answer. */
export async function until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = ask();
    if (answer) return answer;
    if (performance.now() > deadline) assert.fail(`waited in vain: ${what}`);
    await sleep(5);
  }
}

/** A forked process, as the test sees it. */
export interface ToldChild {
  readonly pid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What it was sent, in order. */
  readonly got: readonly ToChild[];
  tell(order: Order): void;
  send(message: FromChild): void;
  /** Waits for the newest message of this kind, or the `nth`. */
  received<K extends ToChild['type']>(type: K, nth?: number): Promise<Extract<ToChild, { type: K }>>;
}

const isOf = <K extends ToChild['type']>(
  message: ToChild,
  type: K,
): message is Extract<ToChild, { type: K }> => message.type === type;

type Told = { readonly pid: number; readonly environment: Record<string, string> };

/** A child that reports through this socket; it is a child from the moment that it says so. */
function listenTo(socket: Socket, onChild: (child: ToldChild) => void): void {
  const got: ToChild[] = [];
  const tell = (order: Order) => void socket.write(`${JSON.stringify(order)}\n`);
  const lines = createInterface({ input: socket });
  // A child that is killed resets its connection, and that is an error of its lines, too.
  lines.on('error', () => undefined);
  lines.on('line', (line) => {
    const told = JSON.parse(line) as Told | { message: ToChild };
    if ('message' in told) {
      got.push(told.message);
      return;
    }
    onChild({
      ...told,
      got,
      tell,
      send: (message) => tell({ send: message }),
      received: (type, nth = 0) => until(`message ${type}`, () => got.filter((one) => isOf(one, type))[nth]),
    });
  });
}

/** Forks real processes that do what the test says. */
export async function createToldChildren() {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-told-'));
  const path = join(dir, 'socket');
  const children: ToldChild[] = [];
  const sockets = new Set<Socket>();
  let over = false;
  /** Forked so far, also those that have not yet said so. */
  let forks = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (over) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    listenTo(socket, (child) => children.push(child));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    environment: { TEST_SOCKET: path },
    fork: ((environment, said) => {
      forks++;
      return forkChild(environment, said, PROGRAM);
    }) satisfies typeof forkChild,
    forks: () => forks,
    /** The `nth` child, when it runs and was told what to do. */
    child: async (nth = 0): Promise<ToldChild> => {
      const found = await until(`child ${nth}`, () => children[nth]);
      await found.received('configure');
      return found;
    },
    /** Lets all of them end; those that come later, too. */
    letGo: () => {
      over = true;
      for (const socket of sockets) socket.destroy();
    },
    close: () => {
      server.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
