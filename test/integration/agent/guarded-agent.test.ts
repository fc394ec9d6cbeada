/** The agent as a process, with a page that is open to others: from the password to the last session. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { connect as connectPlain } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { until } from '../../system/product.ts';

const REPO = join(import.meta.dirname, '../../..');
const PATIENCE_MS = 120_000;
const PASSWORD = /^The password of the page: ([a-z0-9]{4}(?:-[a-z0-9]{4}){3})$/m;
const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/m;

let dir = '';
let config = '';
let agent: ChildProcess | undefined;
let log = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'guarded-agent-'));
  mkdirSync(join(dir, 'data'));
  mkdirSync(join(dir, 'credentials'));
  const key = Buffer.from('no key of anybody').toString('base64');
  writeFileSync(
    join(dir, 'credentials/iothub'),
    `HostName=house.example;DeviceId=dacha-1;SharedAccessKey=${key}`,
  );
  config = join(dir, 'appliance.json');
  writeConfig('0.0.0.0');
  log = '';
});
afterEach(async () => {
  await stop('SIGKILL');
  rmSync(dir, { recursive: true });
});

function writeConfig(host: string): void {
  writeFileSync(
    config,
    JSON.stringify({
      schema: 'dachawatch/appliance/1',
      deviceId: 'dacha-1',
      hub: { credential: 'iothub', mqttEndpoint: '127.0.0.1:9', httpsEndpoint: '127.0.0.1:9' },
      cameras: [{ id: 'gate', main: 'rtsp://127.0.0.1:9/main', sub: 'rtsp://127.0.0.1:9/sub' }],
      recording: {},
      storage: {},
      dashboard: { host, port: 0, names: ['House.Example.org'] },
    }),
  );
}

/** @returns where its page answers */
async function start(): Promise<URL> {
  const child = fork(
    join(REPO, 'agent/main.ts'),
    ['--config', config, '--data', join(dir, 'data'), '--credentials', join(dir, 'credentials')],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  agent = child;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  const told: { page: string } = { page: '' };
  child.on('message', (message) => (told.page = (message as { dashboard?: string }).dashboard ?? told.page));
  await until(
    'the page',
    () => {
      assert.equal(child.exitCode, null, log);
      return told.page !== '';
    },
    PATIENCE_MS,
    () => log,
  );
  return new URL(told.page);
}

async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const child = agent;
  agent = undefined;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** As the installer makes it (`--if-needed`), or the owner. @returns what it prints */
function makePassword(...more: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(REPO, 'agent/page-password.ts'), '--data', join(dir, 'data'), '--config', config, ...more],
    { encoding: 'utf8', timeout: PATIENCE_MS },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

const found = (pattern: RegExp, text: string) => {
  const match = pattern.exec(text);
  assert.ok(match, text);
  return match[1] ?? match[0];
};

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** @param certificate the only one that is trusted */
function ask(
  page: URL,
  path: string,
  {
    certificate,
    headers = {},
    form,
    address = '127.0.0.1',
  }: { certificate: string; headers?: Record<string, string>; form?: string; address?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...{ host: address, port: page.port, path, ca: certificate, servername: hostname() },
        ...{ method: form === undefined ? 'GET' : 'POST', agent: false, timeout: PATIENCE_MS },
        headers:
          form === undefined ? headers : { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    asking.on('timeout', () => asking.destroy(new Error(`no answer to ${path}`)));
    asking.on('error', reject);
    asking.end(form);
  });
}

const certificateFile = () => join(dir, 'data/page-certificate.pem');
const certificateIn = () =>
  found(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/, readFileSync(certificateFile(), 'utf8'));

/** SHA-256 of the certificate that a browser would be shown. */
async function shownFingerprint(page: URL): Promise<string> {
  const socket: TLSSocket = connect({
    ...{ host: '127.0.0.1', port: Number(page.port), servername: hostname() },
    ca: certificateIn(),
  });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** All bytes that plain HTTP gets before the connection ends. */
async function askPlainly(page: URL): Promise<string> {
  const socket = connectPlain({ host: '127.0.0.1', port: Number(page.port) });
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => (got += text));
  socket.on('error', () => undefined); // A reset is an end, too.
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.write('GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await once(socket, 'close');
  return got;
}

test('without a password the agent keeps its page on loopback, and says why', async () => {
  const page = await start();
  assert.equal(page.origin, `http://127.0.0.1:${page.port}`);
  const status = (await (await fetch(new URL('/api/status?lang=uk', page))).json()) as {
    conditions: { code: string; detail: string }[];
  };
  const said = status.conditions.find(({ code }) => code === 'dashboard-loopback');
  assert.equal(
    said?.detail,
    'сторінка відкрита лише для самого пристрою, хоча dashboard.host — 0.0.0.0: у неї немає пароля. ' +
      'Створіть його на пристрої командою systemd/page-password і перезапустіть агента',
  );
  assert.ok(log.includes('dashboard.stays-on-loopback'), log);
  // Another address of this machine is the way in which others would come.
  const other = connectPlain({ host: '127.0.0.2', port: Number(page.port) });
  const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  assert.deepEqual(
    readdirSync(join(dir, 'data')).filter((name) => name.startsWith('page-')),
    [],
  );
});

test('the installer makes a password once, and none for a page on loopback', () => {
  writeConfig('127.0.0.1');
  assert.equal(makePassword('--if-needed'), '');
  writeConfig('0.0.0.0');
  const password = found(PASSWORD, makePassword('--if-needed'));
  assert.equal(makePassword('--if-needed'), '');
  for (const name of readdirSync(join(dir, 'data'))) {
    const file = join(dir, 'data', name);
    assert.equal(statSync(file).mode & 0o777, 0o600, name);
    const kept = readFileSync(file, 'latin1');
    assert.ok(!kept.includes(password) && !kept.includes(password.replaceAll('-', '')), name);
  }
});

test('an empty option, one given twice or a file that is not there makes no password, and starts no agent', () => {
  const main = join(REPO, 'agent/main.ts');
  const password = join(REPO, 'agent/page-password.ts');
  for (const [program, args, said] of [
    [password, ['--data', ''], '--data is empty'],
    [password, ['--config', ' '], '--config is empty'],
    [password, ['--data', join(dir, 'data'), '--data', dir], '--data is given twice'],
    [password, ['--config', join(dir, 'none.json')], 'none.json'],
    [password, ['--config', config, '--data', join(dir, 'none')], 'there is no folder'],
    [main, ['--data', ''], '--data is empty'],
    [main, ['--config=', '--data', join(dir, 'data')], '--config is empty'],
    [main, ['--credentials', '\t', '--data', join(dir, 'data')], '--credentials is empty'],
    [main, ['--config', config, '--config', config], '--config is given twice'],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      ...{ encoding: 'utf8', timeout: PATIENCE_MS },
      env: { ...process.env, STATE_DIRECTORY: join(dir, 'data') },
    });
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
    assert.ok(stderr.includes(said), stderr);
    assert.deepEqual([stdout, stderr.trim().split('\n').length], ['', 1]);
  }
  assert.deepEqual(readdirSync(join(dir, 'data')), []);
});

test('with a password the agent opens the page over TLS, to its names, to who logs in, and to nobody else', async () => {
  const printed = makePassword('--if-needed');
  const password = found(PASSWORD, printed);
  const fingerprint = found(FINGERPRINT, printed);
  const page = await start();
  assert.equal(page.protocol, 'https:');
  assert.equal(await shownFingerprint(page), fingerprint);
  assert.ok(log.includes(fingerprint), 'the log has the fingerprint');
  const certificate = certificateIn();

  const asLogin = await ask(page, '/', { certificate });
  assert.deepEqual([asLogin.status, asLogin.headers['location']], [303, '/login']);
  assert.match((await ask(page, '/login', { certificate })).text, /<input type="password"/);
  for (const path of ['/api/status', '/api/clips', '/page.js'])
    assert.equal((await ask(page, path, { certificate })).status, 401, path);

  for (const [host, status] of [
    [hostname(), 200],
    [`${hostname().toUpperCase()}.local.:${page.port}`, 200],
    ['house.example.org', 200],
    ['192.168.7.7', 200],
    ['evil.example', 421],
    [`${hostname()}.evil.example`, 421],
    ['house.example.org.evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.nip.io', 421],
  ] as const)
    assert.equal((await ask(page, '/healthz', { certificate, headers: { host } })).status, status, host);

  const origin = `https://127.0.0.1:${page.port}`;
  const logIn = (typed: string, more: Record<string, string> = {}, address?: string) =>
    ask(page, '/login', {
      ...{ certificate, form: new URLSearchParams({ password: typed }).toString() },
      headers: { origin: address ? `https://${address}:${page.port}` : origin, ...more },
      ...(address ? { address } : {}),
    });
  assert.equal((await logIn('k7m2-x9pd-4fhc-w3tn')).status, 403);
  assert.equal((await logIn(password, { origin: 'https://evil.example' })).status, 403);
  const entered = await logIn(password.toUpperCase().replaceAll('-', ' '), {}, '127.0.0.2');
  assert.equal(entered.status, 303, entered.text);
  const set = String(entered.headers['set-cookie']);
  assert.match(set, /^__Host-dachawatch-session=[\w-]+; .*Path=\/; Secure; HttpOnly; SameSite=Strict/);
  const cookie = set.split(';')[0] ?? '';
  const within = () => ask(page, '/api/status', { certificate, headers: { cookie } });
  assert.equal((JSON.parse((await within()).text) as { deviceId: string }).deviceId, 'dacha-1');

  assert.ok(!(await askPlainly(page)).includes('HTTP/'), 'plain HTTP is not answered');

  const next = found(PASSWORD, makePassword());
  assert.notEqual(next, password);
  assert.equal((await within()).status, 401, 'a new password ends the sessions of the one before');
  assert.equal((await logIn(password)).status, 403);
  assert.equal((await logIn(next)).status, 303);

  await stop();
  for (const secret of [password, next, cookie.split('=')[1] ?? '-'])
    assert.ok(!log.includes(secret), 'the log holds a secret');
  const again = await start();
  assert.equal(await shownFingerprint(again), fingerprint, 'the certificate stays');
  assert.equal((await ask(again, '/api/status', { certificate, headers: { cookie } })).status, 401);
});
