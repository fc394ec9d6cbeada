import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { reach } from '../../../../../agent/hub/link/reach.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

const unreachable = (error: unknown) => error instanceof Failure && error.code === 'hub.unreachable';
const PATIENCE_MS = 120_000;

async function listening() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, at: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

test('somebody who listens is reached, and hears nothing', async () => {
  const { server, at } = await listening();
  const heard: Buffer[] = [];
  const closed = new Promise<void>((resolve) =>
    server.once('connection', (socket) => {
      socket.on('data', (bytes: Buffer) => heard.push(bytes));
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    }),
  );
  await reach(at, PATIENCE_MS, new AbortController().signal);
  await closed;
  assert.deepEqual(heard, []);
  server.close();
});

test('a port where nobody listens, and a name that nobody has, are unreachable, with the place in the sentence', async () => {
  const { server, at } = await listening();
  server.close();
  await once(server, 'close');
  const { signal } = new AbortController();
  await assert.rejects(reach(at, PATIENCE_MS, signal), (error) => {
    assert.ok(unreachable(error));
    assert.match(
      (error as Failure).message,
      new RegExp(`^127.0.0.1:${at.port} cannot be reached: .*ECONNREFUSED`),
    );
    return true;
  });
  await assert.rejects(reach({ host: 'hub.invalid', port: 8883 }, PATIENCE_MS, signal), unreachable);
});

test('who stops meanwhile does not wait', async () => {
  const stopping = new AbortController();
  stopping.abort();
  const { server, at } = await listening();
  await assert.rejects(reach(at, PATIENCE_MS, stopping.signal), unreachable);
  server.close();
});
