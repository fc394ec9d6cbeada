import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { keepPassword, passwordFile } from '../../../../../agent/dashboard/access/password.ts';
import { someClip } from '../../../../fakes/ledger-view.ts';
import { ask as askPlainly } from '../dashboard-world.ts';
import { assertProblem } from '../served-page.ts';
import { cookieOf, PASSWORD, serveGuarded } from './guarded-page.ts';

const page = serveGuarded();
const { ask, post, logIn } = page;

const SECRET_PATHS = ['/api/status', '/api/clips', '/page.js', '/texts.en.json', '/clips/x.mp4', '/nowhere'];

test('open to others, the page asks for a password over TLS, and tells nothing before', async () => {
  assert.match(page.world.dashboard.url(), /^https:/);
  const index = await ask('/');
  assert.deepEqual([index.status, index.headers['location']], [303, '/login']);
  for (const path of SECRET_PATHS) assertProblem(await ask(path), 401, 'login');
  assert.equal((await ask('/healthz')).status, 200);
  const login = await ask('/login', { headers: { 'accept-language': 'uk' } });
  assert.match(login.body.toString(), /<html lang="uk">[^]*Пароль/);
  assert.match((await ask('/login')).body.toString(), /<html lang="en">[^]*Password/);
  assert.ok(login.body.length < 4_000, `${login.body.length} bytes`);
  assert.doesNotMatch(login.body.toString(), /house-1|Gate/);
});

test('the password opens the page, with a cookie that no script, no other site and no plain connection gets', async () => {
  const entered = await logIn();
  assert.deepEqual([entered.status, entered.headers['location']], [303, '/']);
  const [pair = '', ...attributes] = (entered.headers['set-cookie'] ?? '').split('; ');
  assert.match(pair, /^__Host-dachawatch-session=[\w-]{43}$/);
  assert.deepEqual(attributes, ['Max-Age=2592000', 'Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']);
  const cookie = { cookie: `dachawatch-lang=uk; ${pair}` };
  assert.equal((await ask('/api/status', { headers: cookie })).json().deviceId, 'house-1');
  const index = await ask('/', { headers: cookie });
  assert.match(index.body.toString(), /<form method="post" action="\/logout"\s*>/);
  assert.equal((await ask('/login', { headers: cookie })).status, 303);
  assertProblem(await ask('/api/status', { method: 'DELETE', headers: cookie }), 405, 'method');
});

test('a wrong, missing or forged cookie opens nothing', async () => {
  const cookie = cookieOf(await logIn());
  const [name = '', token = ''] = cookie.split('=');
  const forged = [
    ...['', name, `${name}=`, `${name}=${token.slice(1)}`, `${name}=${token}x`, `x${name}=${token}`],
    ...[
      `dachawatch-session=${token}`,
      `${name}="${token}"`,
      `${name}=${'A'.repeat(43)}`,
      `${name}=${'x; '.repeat(900)}`,
    ],
  ];
  for (const header of forged)
    assertProblem(await ask('/api/status', { headers: { cookie: header } }), 401, 'login');
  assert.equal((await ask('/api/status', { headers: { cookie } })).status, 200);
});

test('whoever logs out is out, and so is the token', async () => {
  const cookie = cookieOf(await logIn());
  const left = await post('/logout', { headers: { cookie } });
  assert.deepEqual([left.status, left.headers['location']], [303, '/login']);
  assert.match(left.headers['set-cookie'] ?? '', /^__Host-dachawatch-session=; Max-Age=0; /);
  assertProblem(await ask('/api/status', { headers: { cookie } }), 401, 'login');
});

test('a session that an attacker planted is never taken up, and one of before ends with the login', async () => {
  const planted = `__Host-dachawatch-session=${'A'.repeat(43)}`;
  const entered = await logIn(PASSWORD, { headers: { cookie: planted } });
  assert.notEqual(cookieOf(entered), planted);
  assertProblem(await ask('/api/status', { headers: { cookie: planted } }), 401, 'login');
  const again = await logIn(PASSWORD, { headers: { cookie: cookieOf(entered) } });
  assertProblem(await ask('/api/status', { headers: { cookie: cookieOf(entered) } }), 401, 'login');
  assert.equal((await ask('/api/status', { headers: { cookie: cookieOf(again) } })).status, 200);
});

test('what another page sends is not done: login and logout ask where it came from', async () => {
  const cookie = cookieOf(await logIn());
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: page.own().replace('https', 'http') },
    { origin: `${page.own()}.evil.example` },
    { origin: page.own(), 'sec-fetch-site': 'cross-site' },
    { origin: page.own(), 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    { origin: page.own(), 'sec-fetch-site': 'none' },
  ];
  for (const headers of foreign) {
    assertProblem(await logIn(PASSWORD, { headers }), 403, 'other-page');
    assertProblem(await post('/logout', { headers: { cookie, ...headers } }), 403, 'other-page');
  }
  assertProblem(await ask('/logout', { method: 'POST', headers: { cookie } }), 403, 'other-page');
  assert.equal((await ask('/logout', { headers: { cookie } })).status, 404, 'a link logs nobody out');
  assert.equal((await ask('/api/status', { headers: { cookie } })).status, 200, 'nobody was logged out');
  const own = { origin: 'null', 'sec-fetch-site': 'same-origin' };
  assert.equal((await post('/logout', { headers: { cookie, ...own } })).status, 303);
});

test('it answers to its own names and addresses alone', async () => {
  const foreign = ['evil.example', 'evil.example:8080', 'cam.example.org.evil.example', '127.0.0.1.nip.io'];
  for (const host of foreign) assertProblem(await ask('/login', { headers: { host } }), 421, 'host');
  for (const host of [
    'cam.example.org',
    'CAM.example.org:8080',
    '192.168.1.5:8080',
    'localhost',
    '[fd00::1]',
  ])
    assert.equal((await ask('/login', { headers: { host } })).status, 200, host);
});

test('a thousand wrong passwords open nothing, cost five looks, and keep nobody else out', async () => {
  const statuses = new Map<number, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  for (let n = 0; n < 1_000; n += 20)
    for (const { status } of await Promise.all(Array.from({ length: 20 }, () => logIn('wrong', { agent }))))
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
  agent.destroy();
  assert.deepEqual(Object.fromEntries(statuses), { 403: 5, 429: 995 });
  const refused = await logIn();
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '2']);
  assert.match(refused.body.toString(), /role="alert">Too many tries/);
  assert.equal((await logIn(PASSWORD, { from: '127.0.0.2' })).status, 303);
  page.time.ms += 2_000;
  assert.equal((await logIn()).status, 303);
});

test('a wrong password says so on the page, in both languages', async () => {
  const wrong = await logIn('wrong');
  assert.equal(wrong.status, 403);
  assert.match(wrong.body.toString(), /aria-invalid="true"[^]*role="alert">This is not the password/);
  assert.match(
    (await logIn('wrong', { headers: { 'accept-language': 'uk' } })).body.toString(),
    /role="alert">Це не той пароль/,
  );
});

test('a login that is no form, is too large, or lacks the password is 400', async () => {
  for (const body of ['', 'x=1', '{"password":"x"}', `password=${'x'.repeat(1_025)}`])
    assertProblem(await post('/login', { body }), 400, 'login');
  const unannounced = connectTls({
    host: '127.0.0.1',
    port: Number(new URL(page.own()).port),
    rejectUnauthorized: false,
  });
  unannounced.on('error', () => undefined);
  await once(unannounced, 'secureConnect');
  const head = `POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n`;
  unannounced.write(head);
  const said: Buffer[] = [];
  unannounced.on('data', (part: Buffer) => said.push(part));
  const cut = new Promise((resolve) => unannounced.once('close', resolve));
  const writing = setInterval(() => unannounced.write(`400\r\n${'x'.repeat(1_024)}\r\n`), 20);
  await cut;
  clearInterval(writing);
  assert.match(Buffer.concat(said).toString(), /^HTTP\/1\.1 400 /);
});

test('a new password ends all sessions at once, without a restart', async () => {
  const cookie = cookieOf(await logIn());
  await keepPassword(page.dir, 'another');
  assertProblem(await ask('/api/status', { headers: { cookie } }), 401, 'login');
  assert.equal((await logIn()).status, 403);
  assert.equal((await logIn('another')).status, 303);
  writeFileSync(passwordFile(page.dir), 'damaged');
  const reply = await logIn('another');
  assertProblem(reply, 503, 'later');
  assert.doesNotMatch(reply.json().title, /\/tmp|dachawatch-guarded/);
  rmSync(passwordFile(page.dir));
  assert.equal((await logIn('another')).status, 403);
});

/** Connections that have sent this much, and say no more. */
async function begin(text: Buffer | string, count: number): Promise<Socket[]> {
  const port = Number(new URL(page.own()).port);
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    sockets.push(socket);
    // It is cut when another needs its place.
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
  }
  return sockets;
}

test('half-sent TLS handshakes, silent connections and plain HTTP lock nobody out', async () => {
  const cookie = cookieOf(await logIn());
  // The beginning of a ClientHello: more is to come.
  const half = Buffer.from('16030102000100', 'hex');
  const sockets: Socket[] = [];
  for (const text of [half, '', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', Buffer.alloc(100, 0xff)])
    sockets.push(...(await begin(text, 100)));
  assert.equal((await ask('/api/status', { headers: { cookie } })).status, 200);
  for (const socket of sockets) socket.destroy();
});

test('who is being answered over TLS keeps the place while others come with half a handshake', async () => {
  page.world.clips.push(someClip(1));
  const cookie = cookieOf(await logIn());
  const kept = connectTls({
    host: '127.0.0.1',
    port: Number(new URL(page.own()).port),
    rejectUnauthorized: false,
  });
  await once(kept, 'secureConnect');
  const askHere = async () => {
    // Without a body the answer is one piece.
    kept.write(`HEAD /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`);
    const [first] = (await once(kept, 'data')) as [Buffer];
    return first.toString('latin1', 0, 12);
  };
  assert.equal(await askHere(), 'HTTP/1.1 200');
  const sockets = await begin(Buffer.from('16030102000100', 'hex'), 150);
  assert.equal(await askHere(), 'HTTP/1.1 200');
  for (const socket of [kept, ...sockets]) socket.destroy();
});

test('without a password it stays on loopback, answers there, and says why', async () => {
  await page.world.dashboard.stop();
  rmSync(passwordFile(page.dir));
  await page.begin();
  const url = page.world.dashboard.url();
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await askPlainly(url, '/api/status')).status, 200);
  const [condition] = page.conditions.list();
  assert.equal(condition?.code, 'dashboard-loopback');
  assert.match(condition?.detail ?? '', /dashboard\.host is 0\.0\.0\.0: it has no password/);
  assert.ok(page.world.lines.some((line) => line.includes('dashboard.stays-on-loopback')));
  await page.world.dashboard.stop();
  await keepPassword(page.dir, PASSWORD);
  await page.begin();
  assert.match(page.world.dashboard.url(), /^https:/);
  assert.deepEqual(page.conditions.list(), []);
});

test('with a damaged password, and without a folder, it stays on loopback, too', async () => {
  await page.world.dashboard.stop();
  writeFileSync(passwordFile(page.dir), 'damaged');
  await page.begin();
  assert.match(page.world.dashboard.url(), /^http:\/\/127/);
  assert.match(page.conditions.list()[0]?.detail ?? '', /damaged/);
  await page.world.dashboard.stop();
  await page.begin({ dataDir: `${page.dir}/not/there` });
  assert.match(page.world.dashboard.url(), /^http:\/\/127/);
});
