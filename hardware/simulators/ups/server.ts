import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { UpsModel } from './ups-model.ts';

/** Longest line of a question, longest of a command. */
const LINE_MAX = 4_000;

/** Listens on a Unix socket and answers each line by `answer`; null: no answer, now or ever.
 *  A socket file that nobody listens on any more is replaced. Closes a connection that sends a line without end. */
export async function listen(path: string, answer: (line: string) => string | null): Promise<Server> {
  const server = createServer((socket) => serve(socket, answer));
  try {
    await listening(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await isAlive(path))) throw error;
    await rm(path);
    await listening(server, path);
  }
  return server;
}

function serve(socket: Socket, answer: (line: string) => string | null): void {
  let text = '';
  // Who asked may be gone when the answer is ready.
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const reply = answer(line);
      if (reply !== null) socket.write(`${reply}\n`);
    }
    if (text.length > LINE_MAX) socket.destroy();
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Answers the bus: `{"id", "address", "register", "word"?}` → `{"id", "word"}` or `{"id", "errno"}`. */
export function answerBus(model: UpsModel, elapsedMs: () => number): (line: string) => string | null {
  return (line) => {
    let question: { id?: unknown; address?: unknown; register?: unknown; word?: unknown };
    try {
      question = JSON.parse(line) as typeof question;
    } catch {
      return JSON.stringify({ id: 0, errno: 22 });
    }
    const { id, address, register, word } = question;
    const isWhole = (value: unknown, most: number): value is number =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
    if (!isWhole(address, 127) || !isWhole(register, 255) || (word !== undefined && !isWhole(word, 0xffff)))
      return JSON.stringify({ id, errno: 22 });
    model.advanceTo(elapsedMs());
    const outcome = model.transact(address, register, word);
    return outcome === 'stuck' ? null : JSON.stringify({ id, ...outcome });
  };
}

/** Calls `line` with every line of a stream, standard input for instance. */
export function onLines(input: NodeJS.ReadableStream, line: (text: string) => void): void {
  createInterface({ input }).on('line', line);
}
