import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  createHttpServer,
  json,
  type Handler,
  type HostRequest,
} from '../../../../../../cloud-fn/local/functions-host/http/http-server.ts';
import { logOf } from '../host-bench.ts';

const LARGEST = 10 * 1024 * 1024;

async function bench(t: TestContext, ...handlers: Handler[]) {
  const book = logOf();
  const server = createHttpServer({ handlers, log: book.log });
  const port = await server.start(0);
  t.after(() => server.stop());
  return { server, port, base: `http://127.0.0.1:${port}`, book };
}
/** Sends a body piece by piece, without saying how long it will be. */
async function send(port: number, pieces: readonly Buffer[], options: RequestOptions = {}) {
  const sent = request({ port, host: '127.0.0.1', method: 'POST', ...options });
  const answered = once(sent, 'response');
  sent.on('error', () => undefined);
  for (const piece of pieces) sent.write(piece);
  sent.end();
  const [response] = (await answered) as [import('node:http').IncomingMessage];
  response.resume();
  return response.statusCode;
}

test('a request reaches its handler whole, and the answer its caller', async (t) => {
  const seen: HostRequest[] = [];
  const { base } = await bench(t, async (one) => {
    seen.push(one);
    return json(201, { ok: true }, { 'x-more': 'yes' });
  });
  const response = await fetch(`${base}/a%20b?c=d`, {
    method: 'PUT',
    body: 'hällo',
    headers: { 'x-in': '1' },
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(response.headers.get('x-more'), 'yes');
  assert.deepEqual(await response.json(), { ok: true });
  const [one] = seen;
  assert.deepEqual(
    [one?.method, one?.url.href, one?.headers['x-in'], one?.body.toString('utf8')],
    ['PUT', `${base}/a%20b?c=d`, '1', 'hällo'],
  );
});

test('handlers are asked in order until one answers; nobody is 404 and says what was asked', async (t) => {
  const asked: string[] = [];
  const handler =
    (name: string): Handler =>
    async ({ url }) => {
      asked.push(name);
      return url.pathname === `/${name}` ? { status: 204 } : undefined;
    };
  const { base } = await bench(t, handler('a'), handler('b'), handler('c'));
  assert.equal((await fetch(`${base}/b`)).status, 204);
  assert.deepEqual(asked, ['a', 'b']);
  const nobody = await fetch(`${base}/x`);
  assert.equal(nobody.status, 404);
  assert.deepEqual(await nobody.json(), { message: 'Nothing answers GET /x.' });
});

test('a body of ten mebibytes is taken; a larger one is refused, also when its length is not told', async (t) => {
  const lengths: number[] = [];
  const { port, base } = await bench(t, async ({ body }) => {
    lengths.push(body.length);
    return { status: 200 };
  });
  const told = (length: number) =>
    fetch(base, { method: 'POST', body: new Uint8Array(length) }).then((response) => response.status);
  assert.equal(await told(LARGEST), 200);
  assert.equal(await told(LARGEST + 1), 413);
  const mebibytes = Array.from({ length: 10 }, () => Buffer.alloc(1024 * 1024));
  assert.equal(await send(port, mebibytes), 200);
  assert.equal(await send(port, [...mebibytes, Buffer.alloc(1)]), 413);
  assert.deepEqual(lengths, [LARGEST, LARGEST]);
});

test('a handler that fails is 500 and one line of the log, without the query', async (t) => {
  const { base, book } = await bench(t, () => Promise.reject(new Error('broken')));
  const response = await fetch(`${base}/a?code=secret`);
  assert.deepEqual([response.status, await response.text()], [500, '']);
  assert.deepEqual(book.lines, [{ event: 'http.failed', path: '/a', message: 'broken' }]);
});

test('an answer that cannot be sent as it is ends as 500 and not in a caller that waits', async (t) => {
  const { base, book } = await bench(t, async () => ({ status: 200, headers: { 'x-bad': 'a\nb' } }));
  assert.equal((await fetch(base)).status, 500);
  assert.deepEqual(book.events(), ['http.failed']);
});

test('HEAD is answered without a body', async (t) => {
  const { base } = await bench(t, async () => json(200, { a: 1 }));
  const response = await fetch(base, { method: 'HEAD' });
  assert.deepEqual([response.status, await response.text()], [200, '']);
});

test('an address nobody can read is refused', async (t) => {
  const { port } = await bench(t, async () => ({ status: 200 }));
  const socket = connect(port, '127.0.0.1');
  socket.write('GET // HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 400 [\s\S]*The address cannot be read/);
});

test('without a Host header the address is its own', async (t) => {
  const hrefs: string[] = [];
  const { port } = await bench(t, async ({ url }) => {
    hrefs.push(url.href);
    return { status: 200 };
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /a HTTP/1.0\r\n\r\n');
  for await (const _ of socket);
  assert.deepEqual(hrefs, [`http://127.0.0.1:${port}/a`]);
});

test('a port that is taken is an error; a server that stopped answers nobody', async (t) => {
  const first = await bench(t, async () => ({ status: 200 }));
  const second = createHttpServer({ handlers: [], log: () => undefined });
  await assert.rejects(second.start(first.port), { code: 'EADDRINUSE' });
  const idle = connect(first.port, '127.0.0.1');
  await once(idle, 'connect');
  await first.server.stop();
  await assert.rejects(fetch(first.base));
});
