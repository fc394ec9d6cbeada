import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { clipIdOf, someClip } from '../../../../fakes/ledger-view.ts';
import { ask, createWorld, type World } from '../dashboard-world.ts';

const HALF = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ';
const FLOOD = 200;

let world: World;
let url: URL;
let sockets: Socket[];
beforeEach(async () => {
  sockets = [];
  world = createWorld();
  await world.dashboard.start();
  url = new URL(world.dashboard.url());
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await world.dashboard.stop();
});

/** A connection from an address of this machine that has sent this much. */
async function begin(text: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: url.hostname, port: Number(url.port), localAddress });
  sockets.push(socket);
  // It is cut when another needs its place.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function isAnswered(): Promise<void> {
  const reply = await ask(url.href, '/healthz', {});
  assert.equal(reply.status, 200);
}

test('who sends half a request, two hundred times, does not lock the owner out', async () => {
  for (let n = 0; n < FLOOD; n += 1) await begin(HALF);
  await isAnswered();
});

test('who connects and says nothing does not lock the owner out', async () => {
  for (let n = 0; n < FLOOD; n += 1) await begin('');
  await isAnswered();
});

test('who announces a body and never sends it does not lock the owner out', async () => {
  const request = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n';
  for (let n = 0; n < FLOOD; n += 1) await begin(request);
  await isAnswered();
});

test('who reads no answer does not lock the owner out', async () => {
  for (let n = 1; n <= 40; n += 1) world.clips.push(someClip(n, { reason: clipIdOf(n).repeat(200) }));
  const request = 'GET /api/clips?limit=100 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  for (let n = 0; n < FLOOD; n += 1) (await begin(request.repeat(5))).pause();
  await isAnswered();
});

test('a flood from one address leaves the connections of another alone', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const status = () =>
    new Promise<[number | undefined, boolean]>((resolve, reject) => {
      const request = get(new URL('/healthz', url), { agent }, (response) => {
        response.resume();
        response.once('end', () => resolve([response.statusCode, request.reusedSocket]));
      });
      request.once('error', reject);
    });
  assert.deepEqual(await status(), [200, false]);
  for (let n = 0; n < FLOOD; n += 1) await begin(HALF, '127.0.0.2');
  assert.deepEqual(await status(), [200, true]);
  agent.destroy();
});

test('no more connections than the bound are held', { timeout: 60_000 }, async () => {
  for (let n = 0; n < FLOOD; n += 1) (await begin(HALF)).resume();
  await isAnswered();
  const surplus = sockets.slice(0, FLOOD - 64);
  for (const socket of surplus) if (!socket.closed) await once(socket, 'close');
  assert.ok(surplus.every((socket) => socket.closed));
});
