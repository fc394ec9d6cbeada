import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { systemClock } from '../../../../../agent/kernel/clock.ts';
import type { StreamEnd } from '../../../../../agent/capture/rtsp/dialogue.ts';
import { openRtspStream } from '../../../../../agent/capture/rtsp/stream.ts';

interface Asked {
  readonly method: string;
  readonly uri: string;
  readonly text: string;
  readonly connection: number;
}
type Answer = (asked: Asked, socket: Socket) => readonly string[] | undefined;

const SDP = ['v=0', 's=x', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=control:track1', ''];
const describes = (lines: readonly string[], ...headers: string[]) => {
  const sdp = lines.join('\r\n');
  return ['200 OK', ...headers, `Content-Length: ${sdp.length}`, '', sdp];
};
const packet = (channel: number, body: string) => {
  const bytes = Buffer.from(`$\0\0\0${body}`, 'latin1');
  bytes[1] = channel;
  bytes.writeUInt16BE(body.length, 2);
  return bytes;
};

/** A camera that says what it is told; undefined answers like any camera. */
async function camera(t: TestContext, special: Answer, path = '/live', tls?: { key: string; cert: string }) {
  const asked: Asked[] = [];
  const sockets: Socket[] = [];
  const serve = (socket: Socket) => {
    const connection = sockets.push(socket);
    let pending = '';
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text: string) => {
      pending += text;
      for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
        const request = pending.slice(0, end);
        pending = pending.slice(end + 4);
        const [method = '', uri = ''] = request.split(' ');
        const one = { method, uri, text: request, connection };
        asked.push(one);
        if (method.startsWith('RTSP/')) continue;
        const lines = special(one, socket) ?? usual(one);
        const cseq = /^CSeq: (\d+)/m.exec(request)?.[1];
        const blank = lines.includes('') ? [] : ['', ''];
        socket.write([`RTSP/1.0 ${lines[0]}`, `CSeq: ${cseq}`, ...lines.slice(1), ...blank].join('\r\n'));
      }
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `${tls ? 'rtsps' : 'rtsp'}://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  return { address, asked };
}

const usual = ({ method }: Asked): readonly string[] => {
  if (method === 'DESCRIBE') return describes(SDP);
  if (method === 'SETUP')
    return ['200 OK', 'Session: 4711;timeout=60', 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1'];
  return ['200 OK'];
};

/** Plays until so many packets have come, or it ends. */
async function play(
  t: TestContext,
  address: string,
  login?: { username: string; password: string },
  wanted = 1,
): Promise<{ packets: string[]; end: StreamEnd | undefined }> {
  const packets: string[] = [];
  const { promise, resolve } = Promise.withResolvers<StreamEnd | undefined>();
  const stream = openRtspStream({
    address,
    credential: login ?? null,
    clock: systemClock,
    onTrack: () => undefined,
    onPacket: (buffer, from, to) => {
      if (packets.push(buffer.toString('latin1', from, to)) === wanted) resolve(undefined);
    },
    onEnd: resolve,
  });
  t.after(() => stream.close());
  return { packets, end: await promise };
}

const playing =
  (...frames: readonly Buffer[]): Answer =>
  ({ method }, socket) => {
    if (method !== 'PLAY') return undefined;
    setImmediate(() => socket.write(Buffer.concat(frames)));
    return ['200 OK'];
  };
const first =
  (...answers: readonly Answer[]): Answer =>
  (asked, socket) => {
    for (const answer of answers) {
      const lines = answer(asked, socket);
      if (lines) return lines;
    }
    return undefined;
  };

test('a stream is described, set up and played, and its packets come, those of other channels not', async (t) => {
  const { address, asked } = await camera(
    t,
    first(
      ({ method }) =>
        method === 'SETUP' ? ['200 OK', 'Session: 9', 'Transport: RTP/AVP/TCP;interleaved=4-5'] : undefined,
      playing(packet(0, 'zero'), packet(4, 'first'), packet(5, 'report'), packet(4, ''), packet(4, 'third')),
    ),
  );
  const { packets, end } = await play(t, address, undefined, 3);
  assert.deepEqual([packets, end], [['first', '', 'third'], undefined]);
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['DESCRIBE', 'SETUP', 'PLAY'],
  );
  assert.match(asked[1]?.text ?? '', /^Transport: RTP\/AVP\/TCP;unicast;interleaved=0-1$/m);
  assert.match(asked[2]?.text ?? '', /^Session: 9$/m);
});

for (const [what, path, headers, sdp, setUp, played] of [
  ['a base', '/live', ['Content-Base: rtsp://cam/live/'], SDP, 'rtsp://cam/live/track1', 'rtsp://cam/live/'],
  ['no base', '/live', [], SDP, '*/live/track1', '*/live'],
  ['a question mark', '/r?c=1', [], SDP, '*/r?c=1/track1', '*/r?c=1'],
  ['a base that is no address', '/live', ['Content-Base: /live/'], SDP, '*/live/track1', '*/live'],
  [
    'an address of its own for each stream and for all',
    '/live',
    [],
    SDP.toSpliced(2, 0, 'a=control:rtsp://cam/all').with(5, 'a=control:rtsp://cam/one'),
    'rtsp://cam/one',
    'rtsp://cam/all',
  ],
  ['no control', '/live', [], SDP.toSpliced(4, 1), '*/live', '*/live'],
  ['a star', '/live', [], SDP.toSpliced(2, 0, 'a=control:*'), '*/live/track1', '*/live'],
  [
    'sound in front of the pictures',
    '/live',
    [],
    SDP.toSpliced(2, 0, 'm=audio 0 RTP/AVP 0', 'a=control:sound'),
    '*/live/track1',
    '*/live',
  ],
] as const)
  test(`a camera that describes its stream with ${what} is asked at the right addresses`, async (t) => {
    const { address, asked } = await camera(
      t,
      first(
        ({ method }) => (method === 'DESCRIBE' ? describes(sdp, ...headers) : undefined),
        playing(packet(0, 'x')),
      ),
      path,
    );
    await play(t, address);
    const host = address.slice(0, -path.length);
    assert.deepEqual(
      asked.map(({ uri }) => uri),
      [address, setUp.replace('*', host), played.replace('*', host)],
    );
  });

const login = { username: 'viewer', password: 'secret' };
const challenge = (nonce: string, more = '') => [
  '401 Unauthorized',
  `WWW-Authenticate: Digest realm="r", nonce="${nonce}"${more}`,
];
const nonceOf = ({ text }: Asked) => /nonce="(\w+)"/.exec(text)?.[1];

test('a camera that closes the connection with its challenge is asked again over another', async (t) => {
  const { address, asked } = await camera(
    t,
    first(
      (one, socket) => {
        if (nonceOf(one)) return undefined;
        setImmediate(() => socket.end());
        return challenge('a');
      },
      playing(packet(0, 'x')),
    ),
  );
  const { packets } = await play(t, address, login);
  assert.deepEqual(packets, ['x']);
  assert.deepEqual(
    asked.filter(({ connection }) => connection === 2).map(({ method }) => method),
    ['DESCRIBE', 'SETUP', 'PLAY'],
  );
});

test('a camera that closes each connection instead of an answer is not asked without end', async (t) => {
  const { address, asked } = await camera(t, (one, socket) => {
    if (nonceOf(one)) socket.destroy();
    else setImmediate(() => socket.end());
    return challenge('a');
  });
  const { end } = await play(t, address, login);
  assert.deepEqual(end, {
    what: 'the camera broke off the connection',
    absence: 'unreachable',
    refused: false,
  });
  assert.ok(asked.length <= 3);
});

test('a camera that wants another nonce for each request gets it', async (t) => {
  let fresh = 0;
  const { address, asked } = await camera(
    t,
    first(
      (one) => {
        const used = nonceOf(one);
        if (used === `n${fresh}` && fresh > 0) {
          fresh++;
          return undefined;
        }
        fresh++;
        return challenge(`n${fresh}`);
      },
      playing(packet(0, 'x')),
    ),
  );
  const { packets } = await play(t, address, login);
  assert.deepEqual(packets, ['x']);
  assert.equal(asked.length, 6);
});

test('a wrong login is sent once, also to a camera with another nonce for each request; after a stale nonce once more', async (t) => {
  for (const [stale, sent] of [
    ['', 1],
    [', stale=true', 2],
  ] as const) {
    let nonce = 0;
    const { address, asked } = await camera(t, () => challenge(`n${++nonce}`, stale));
    const { end } = await play(t, address, login);
    assert.deepEqual(end, { what: '401, the camera refuses the login', absence: 'refused', refused: true });
    assert.equal(asked.filter((one) => nonceOf(one)).length, sent);
  }
});

test('a camera that asks whether we are there is answered, and one that wants something else is told no', async (t) => {
  const questions = Buffer.from(
    'OPTIONS * RTSP/1.0\r\nCSeq: 31\r\n\r\nANNOUNCE * RTSP/1.0\r\nCSeq: 32\r\n\r\n',
  );
  const { address, asked } = await camera(
    t,
    first((one, socket) => {
      const answer = playing(questions, packet(0, 'x'))(one, socket);
      return answer;
    }),
  );
  const { packets } = await play(t, address);
  assert.deepEqual(packets, ['x']);
  const deadline = performance.now() + 30_000;
  while (asked.length < 5 && performance.now() < deadline) await new Promise(setImmediate);
  assert.deepEqual(
    asked.slice(3).map(({ text }) => text.replaceAll('\r\n', ' ')),
    ['RTSP/1.0 200 OK CSeq: 31', 'RTSP/1.0 501 Not Implemented CSeq: 32'],
  );
});

test('whatever numbers a camera says of session and channel, it is not flooded, and nothing breaks', async (t) => {
  for (const timeout of ['4294967295', '99999999999999999999', '0', '-5', 'x']) {
    const { address, asked } = await camera(
      t,
      first(
        ({ method }) =>
          method === 'SETUP'
            ? ['200 OK', `Session: 1;timeout=${timeout}`, 'Transport: RTP/AVP/TCP;interleaved=256-99999']
            : undefined,
        playing(...Array.from({ length: 2000 }, () => packet(0, 'x'))),
      ),
    );
    await play(t, address, undefined, 2000);
    assert.equal(asked.length, 3, timeout);
  }
});

for (const [what, special, sentence] of [
  [
    'no stream',
    ({ method }) => (method === 'DESCRIBE' ? describes(['v=0', '']) : undefined),
    /describes no stream/,
  ],
  [
    'another codec only',
    ({ method }) => (method === 'DESCRIBE' ? describes(SDP.with(3, 'a=rtpmap:96 H266/90000')) : undefined),
    /describes no stream/,
  ],
  [
    'UDP only',
    ({ method }) =>
      method === 'SETUP' ? ['200 OK', 'Transport: RTP/AVP;unicast;client_port=4-5'] : undefined,
    /^461, the camera does not send over TCP/,
  ],
  ['bytes that are no RTSP', playing(Buffer.from('hello, this is a web server')), /does not speak RTSP/],
  [
    'another address',
    ({ method }) => (method === 'DESCRIBE' ? ['302 Found', 'Location: rtsp://evil/'] : undefined),
    /^302, /,
  ],
] as const satisfies readonly (readonly [string, Answer, RegExp])[])
  test(`a camera that offers ${what} ends the stream with a sentence`, async (t) => {
    const { address } = await camera(t, special);
    const { end } = await play(t, address);
    assert.match(end?.what ?? '', sentence);
  });

test('much that comes at once comes whole, also in an encrypted connection', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-rtsps-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const [keyFile, certFile] = [join(dir, 'key'), join(dir, 'cert')];
  const settings = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=camera';
  const files = ['-keyout', keyFile, '-out', certFile, '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', ...settings.split(' '), ...files]);
  // As if the machine trusted it.
  process.env['SSL_CERT_FILE'] = certFile;
  t.after(() => delete process.env['SSL_CERT_FILE']);
  const tls = { key: await readFile(keyFile, 'utf8'), cert: await readFile(certFile, 'utf8') };
  const bodies = Array.from({ length: 3000 }, (_, index) => `${index} ${'x'.repeat(1400)}`);
  for (const encryption of [undefined, tls]) {
    const { address } = await camera(
      t,
      playing(...bodies.map((body) => packet(0, body))),
      '/live',
      encryption,
    );
    const { packets, end } = await play(t, address, undefined, bodies.length);
    assert.equal(end, undefined);
    assert.ok(packets.every((body, index) => body === bodies[index]));
  }
});
