import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { AskedStream } from '../../../../../agent/capture/rtsp/ask-stream.ts';
import {
  type CameraProbe,
  createCameraProbe,
} from '../../../../../agent/capture/supervision/camera-probe.ts';
import { createLoginPatience } from '../../../../../agent/capture/supervision/login-patience.ts';
import { systemClock } from '../../../../../agent/kernel/clock.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';
import {
  type ProxyOptions,
  startRtspProxy,
  type RtspProxy,
} from '../../../../../hardware/simulators/camera/rtsp-proxy.ts';

const login = { username: 'viewer', password: 'pä ss:w/rd@#%' };
const wrong = { ...login, password: 'wrong' };

const newProbe = (answerMs = 20_000): CameraProbe =>
  createCameraProbe({
    patience: createLoginPatience({ clock: systemClock, log: createLog('silent') }),
    answerMs,
  });
async function camera(t: TestContext, settings: ProxyOptions): Promise<RtspProxy> {
  const proxy = await startRtspProxy(settings);
  t.after(() => proxy.stop());
  return proxy;
}
const streams = (at: RtspProxy, main?: AskedStream['credential'], sub = main): AskedStream[] => [
  { name: 'main', address: at.mainUrl, credential: main },
  { name: 'sub', address: at.subUrl, credential: sub },
];
const never = new AbortController().signal;
/** What the person reads, after "camera gate, main stream: ". */
async function detail(
  t: TestContext,
  settings: ProxyOptions,
  credential?: AskedStream['credential'],
): Promise<string> {
  const unwatchable = await newProbe().ask('gate', streams(await camera(t, settings), credential), never);
  const said = unwatchable?.detail ?? 'watchable';
  return said.replace(/^camera gate, (main|sub) stream: /, '');
}

test('a camera that takes the login can be watched, by whatever scheme it asks', async (t) => {
  for (const schemes of [
    ['md5'],
    ['basic'],
    ['basic', 'md5'],
    ['md5', 'sha-256'],
    ['sha-256', 'md5'],
  ] as const) {
    const at = await camera(t, { login, schemes });
    assert.equal(await newProbe().ask('gate', streams(at, login), never), undefined, schemes.join());
    assert.equal(at.wrongLogins(), 0);
  }
});

test('a camera without a login can be watched, also when one is configured', async (t) => {
  assert.equal(await detail(t, {}), 'watchable');
  assert.equal(await detail(t, {}, login), 'watchable');
});

test('a wrong login is sent once, for both streams together, and then left alone', async (t) => {
  for (const schemes of [['md5'], ['basic']] as const) {
    const at = await camera(t, { login, schemes, lockAfter: 2 });
    const probe = newProbe();
    const unwatchable = await probe.ask('gate', streams(at, wrong), never);
    assert.equal(
      unwatchable?.detail,
      'camera gate, main stream: 401, the camera refuses the login; tried again after 1 min, so that it does not lock us out',
    );
    assert.ok((unwatchable.waitMs ?? 0) >= 60_000);
    for (let count = 0; count < 20; count++)
      assert.deepEqual((await probe.ask('gate', streams(at, wrong), never))?.detail, unwatchable.detail);
    assert.equal(at.wrongLogins(), 1);
    // Not locked: the right one is taken at once.
    assert.equal(await probe.ask('gate', streams(at, login), never), undefined);
  }
});

test('sixteen cameras of one recorder with the wrong password send it once', async (t) => {
  const at = await camera(t, { login });
  const probe = newProbe();
  const asked = Array.from({ length: 16 }, (_, index) =>
    probe.ask(
      `camera-${index}`,
      streams(at, wrong).map((stream) => ({ ...stream, address: `${stream.address}/${index}` })),
      never,
    ),
  );
  for (const unwatchable of await Promise.all(asked))
    assert.match(unwatchable?.detail ?? '', /refuses the login/);
  assert.equal(at.wrongLogins(), 1);
});

test('a second login that is wrong is found out behind the first, and only it is named', async (t) => {
  const at = await camera(t, { login });
  const unwatchable = await newProbe().ask('gate', streams(at, login, wrong), never);
  assert.match(unwatchable?.detail ?? '', /^camera gate, sub stream: 401/);
  assert.equal(at.wrongLogins(), 1);
});

test('a refusal of a running process counts like one of the probe', async (t) => {
  const at = await camera(t, { login });
  const probe = newProbe();
  const [main] = streams(at, wrong);
  assert.ok((probe.refused('gate', main as AskedStream).waitMs ?? 0) >= 60_000);
  assert.match((await probe.ask('gate', streams(at, wrong), never))?.detail ?? '', /refuses the login/);
  assert.equal(at.requests.length, 0);
});

test('a camera that speaks only Digest SHA-256 can be watched; with a wrong login it says so', async (t) => {
  for (const schemes of [['sha-256'], ['sha-256', 'basic'], ['basic', 'sha-256']] as const) {
    const at = await camera(t, { login, schemes });
    assert.equal(await newProbe().ask('gate', streams(at, login), never), undefined, schemes.join());
    assert.equal(at.wrongLogins(), 0);
    const unwatchable = await newProbe().ask('gate', streams(at, wrong), never);
    assert.match(
      unwatchable?.detail ?? '',
      /main stream: 401, the camera refuses the login; tried again after 1 min/,
    );
    assert.equal(at.wrongLogins(), 1);
  }
});

test('a way of logging in that nobody here speaks is named, and no login is sent', async (t) => {
  const challenge = (text: string) =>
    Buffer.from(`RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: ${text}\r\n\r\n`);
  for (const [text, words] of [
    [
      'Digest realm="r", nonce="n", algorithm=SHA-512-256',
      /only by Digest SHA-512-256, which we do not speak/,
    ],
    ['Bearer realm="r"', /only by bearer, which we do not speak/],
  ] as const)
    assert.match(await detail(t, { answers: { DESCRIBE: challenge(text) } }, login), words);
});

test('a camera that wants a login and has none is told apart from one that refuses it', async (t) => {
  assert.equal(await detail(t, { login }), '401, the camera wants a login and none is configured');
  assert.match(await detail(t, { answers: { DESCRIBE: 401 } }, login), /does not say in which way$/);
});

test('each status has its sentence', async (t) => {
  for (const [status, words] of [
    [403, /^403, the login may not see/],
    [404, /^404, the camera has no stream/],
    [453, /^453, .*too many viewers/],
    [454, /^454, .*forgot the session/],
    [461, /^461, .*over TCP/],
    [503, /^503, .*too busy/],
    [418, /^418, the camera refuses$/],
    [599, /^599, the camera has an error/],
  ] as const)
    assert.match(await detail(t, { answers: { DESCRIBE: status } }), words);
});

test('a redirection is said and not followed, and a login in it is not shown', async (t) => {
  const other = await camera(t, { login });
  const location = other.mainUrl.replace('//', '//viewer:secret@');
  const said = await detail(t, { login, answers: { DESCRIBE: 302 }, location }, login);
  assert.match(
    said,
    /^302, the camera says that the stream is at another address: rtsp:\/\/127\.0\.0\.1:\d+\/main;/,
  );
  assert.doesNotMatch(said, /secret/);
  assert.equal(other.connections(), 0);
  assert.match(
    await detail(t, { answers: { DESCRIBE: 301 }, location: 'rtsp://a b\x07' }),
    /another address; if/,
  );
});

test('what answers and is no camera is said to be none', async (t) => {
  const answer = (text: string) => ({ answers: { DESCRIBE: Buffer.from(text) } });
  assert.match(await detail(t, answer('HTTP/1.1 400 Bad Request\r\n\r\n')), /^a web server answers there/);
  assert.match(await detail(t, answer('SSH-2.0-OpenSSH_9.2\r\n')), /does not speak RTSP/);
  assert.match(await detail(t, answer('RTSP/1.0 banana\r\n\r\n')), /does not speak RTSP/);
  assert.match(
    await detail(t, answer('RTSP/1.0 200 OK\r\nContent-Length: -4\r\n\r\n')),
    /does not speak RTSP/,
  );
  assert.match(await detail(t, answer(`RTSP/1.0 200 OK\r\nX: ${'a'.repeat(40_000)}`)), /does not speak RTSP/);
  assert.match(
    await detail(t, answer('RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n')),
    /does not speak RTSP/,
  );
  assert.match(await detail(t, answer('RTSP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nv=0')), /broke off/);
  assert.match(await detail(t, answer('RTSP/1.0 200 OK\r\n\r\n')), /describes no stream/);
});

test('a connection that is broken off or never answered is said to be that', async (t) => {
  assert.match(await detail(t, { answers: { accept: 'reset' } }), /broke off the connection$/);
  assert.match(await detail(t, { answers: { DESCRIBE: 'reset' } }), /broke off the connection$/);
  const silent = await camera(t, { answers: { DESCRIBE: 'silence' } });
  const unwatchable = await newProbe(300).ask('gate', streams(silent), never);
  assert.match(unwatchable?.detail ?? '', /: the camera does not answer$/);
});

test('a camera that is not there is said to be away, with the reason', async (t) => {
  const gone = await camera(t, {});
  const [main] = streams(gone) as [AskedStream];
  await gone.stop();
  const said = async (address: string) =>
    (await newProbe().ask('gate', [{ ...main, address }], never))?.detail ?? '';
  assert.match(await said(gone.mainUrl), /no connection; .*nothing answers at this port/);
  assert.match(
    await said('rtsp://no-such-host.invalid/main'),
    /no connection; (nobody knows|the name server)/,
  );
});

test('another codec is named before anything is started', async (t) => {
  const sdp = 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=control:t\r\n';
  assert.match(await detail(t, { sdp }), /^it is MPEG-4, but only H\.264 and H\.265 can be recorded/);
  assert.equal(await detail(t, { sdp: 'v=0\r\nm=video 0 RTP/AVP 96\r\na=control:t\r\n' }), 'watchable');
});

test('who stops waiting is not kept by a silent camera', async (t) => {
  const at = await camera(t, { answers: { DESCRIBE: 'silence' } });
  const leaving = new AbortController();
  const asked = newProbe().ask('gate', streams(at), leaving.signal);
  while (at.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  leaving.abort();
  assert.match((await asked)?.detail ?? '', /does not answer/);
});

test('who stops waiting for its turn with the login of a device gets an answer, too, and the next one gets the turn', async (t) => {
  const at = await camera(t, { login, answers: { DESCRIBE: 'silence' } });
  const probe = newProbe();
  const [first, second] = [new AbortController(), new AbortController()];
  const asked = probe.ask('gate', streams(at, login), first.signal);
  while (at.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const waits = probe.ask('yard', streams(at, login), second.signal);
  second.abort();
  assert.match((await waits)?.detail ?? '', /^camera yard, main stream: .*another camera of the same device/);
  const third = probe.ask('lane', streams(at, login), AbortSignal.timeout(60_000));
  first.abort();
  await asked;
  while (at.requests.length === 1) await new Promise((resolve) => setImmediate(resolve));
  await at.stop();
  assert.ok(await third);
});

test('an encrypted camera that nobody vouches for, and one that is not encrypted, are told apart', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-probe-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const names = ['-keyout', join(dir, 'key'), '-out', join(dir, 'cert'), '-subj', '/CN=127.0.0.1', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-days', '2', ...names]);
  const tls = {
    key: await readFile(join(dir, 'key'), 'utf8'),
    cert: await readFile(join(dir, 'cert'), 'utf8'),
  };
  const encrypted = await camera(t, { tls, login });
  const unwatchable = await newProbe().ask('gate', streams(encrypted, login), never);
  assert.match(unwatchable?.detail ?? '', /certificate is not trusted/);
  assert.equal(encrypted.requests.length, 0, 'the login went nowhere');
  const open = await camera(t, {});
  const [main] = streams(open) as [AskedStream];
  const address = main.address.replace('rtsp:', 'rtsps:');
  assert.match(
    (await newProbe(1_000).ask('gate', [{ ...main, address }], never))?.detail ?? '',
    /does not speak TLS/,
  );
});
