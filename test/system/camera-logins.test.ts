import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createPlace, type Place, until } from './product.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.close());

const SCRIPT = join(import.meta.dirname, '../../scripts/run');
/** Of this run alone: another one may be going on beside it. */
const MARKER = `Marker-${randomBytes(4).toString('hex')}`;

/** Processes, other than this one and its parents, whose arguments or environment hold the marker. */
function whoShowsIt(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) =>
      ['cmdline', 'environ']
        .filter((file) => {
          try {
            return readFileSync(`/proc/${name}/${file}`, 'latin1').includes(MARKER);
          } catch {
            return false; // It ended, or is somebody else's.
          }
        })
        .map((file) => `${file} of ${name}`),
    );
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [path, ...filesBelow(path)] : [path];
  });
}

/** Who may read what is below the data folder, and where the marker stands in it. */
function atRest(data: string) {
  const all = filesBelow(data);
  const regular = all.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  return {
    open: all.filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0),
    holding: regular
      .filter((path) => readFileSync(path, 'latin1').includes(MARKER))
      .map((path) => path.slice(data.length + 1)),
  };
}

const ADDRESSES = { main: 'rtsp://127.0.0.1:9/m', sub: 'rtsp://127.0.0.1:9/s' };

for (const [how, start] of [
  [
    'in an address',
    () => place.start(['--camera', `rtsp://viewer:${MARKER}@127.0.0.1:9/m`, `--sub=${ADDRESSES.sub}`]),
  ],
  [
    'in the address of the small stream',
    () => place.start(['--camera', ADDRESSES.main, `--sub=rtsp://viewer:${MARKER}@127.0.0.1:9/s`]),
  ],
  [
    'as a parameter of an address',
    () =>
      place.start([
        `--camera=rtsp://127.0.0.1:9/user=viewer&password=${MARKER}&stream=0`,
        ...['--sub', `rtsp://127.0.0.1:9/s?pwd=${MARKER}`],
      ]),
  ],
  [
    'in a file',
    () => {
      const file = join(place.data, 'my-login');
      writeFileSync(file, `viewer:${MARKER}\n`, { mode: 0o600 });
      return place.start(['--camera', ADDRESSES.main, '--sub', ADDRESSES.sub, '--camera-login', file]);
    },
  ],
  [
    'in the environment',
    () => {
      process.env['DACHAWATCH_CAMERA_LOGIN'] = `viewer:${MARKER}`;
      try {
        return place.start(['--camera', ADDRESSES.main, '--sub', ADDRESSES.sub]);
      } finally {
        delete process.env['DACHAWATCH_CAMERA_LOGIN'];
      }
    },
  ],
] as const)
  test(`a password given ${how} is in no argument, no environment and no other file of the run`, async () => {
    const product = start();
    await product.page();
    assert.deepEqual(whoShowsIt(), []);
    const { open, holding } = atRest(place.data);
    assert.deepEqual(open, []);
    const allowed = how.startsWith('as a parameter') ? 'appliance.json' : 'credentials/camera-camera-1';
    assert.deepEqual(
      holding.filter((path) => path !== 'my-login'),
      [allowed],
    );
    if (allowed.startsWith('credentials'))
      assert.deepEqual(JSON.parse(readFileSync(join(place.data, allowed), 'utf8')), {
        username: 'viewer',
        password: MARKER,
      });
    assert.doesNotMatch(product.said(), new RegExp(MARKER));
    product.signal('SIGINT');
    await product.ended;
  });

test('a password with a raw special character is refused before anything starts, with how it is written', async () => {
  for (const [character, code] of [
    ['%', '%25'],
    ['#', '%23'],
    ['/', '%2F'],
    ['?', '%3F'],
    ['@', '%40'],
  ] as const) {
    const address = `rtsp://viewer:${MARKER}${character}x@127.0.0.1:9/m`;
    const {
      code: exit,
      stderr,
      stdout,
    } = await place.start(['--camera', address, '--sub', ADDRESSES.sub]).ended;
    assert.equal(exit, 2, stderr);
    assert.match(
      stderr.trim().split('\n').at(-1) ?? '',
      new RegExp(`^scripts/run: the address of --camera .*${code}`),
    );
    assert.doesNotMatch(stderr + stdout, new RegExp(MARKER));
    assert.deepEqual(readdirSync(place.data), []);
  }
});

test('a user without a password is asked for it at the terminal, and what is typed is not shown', async () => {
  // A port in use: the run ends behind the question, before anything starts.
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const words = [SCRIPT, '--data', place.data, '--port', port, '--camera', 'rtsp://viewer@127.0.0.1:9/m'];
  const command = `${words.join(' ')} --sub ${ADDRESSES.sub}`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    let said = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until(
      'the question',
      () => said.includes('Password of viewer at 127.0.0.1:9:'),
      240_000,
      () => said,
    );
    terminal.stdin.write(`${MARKER}\r`);
    await until(
      'the end',
      () => terminal.exitCode !== null,
      240_000,
      () => said,
    );
    assert.match(said, new RegExp(`port ${port} is in use`));
    assert.doesNotMatch(said, new RegExp(MARKER));
    assert.equal(terminal.exitCode, 2);
  } finally {
    terminal.kill('SIGKILL');
    other.close();
  }
});

test('a user without a password and nobody to ask is refused in one sentence', async () => {
  const { code, stderr } = await place.start(['--camera', 'rtsp://viewer@h/m', '--sub', 'rtsp://h/s']).ended;
  assert.equal(code, 2);
  assert.match(stderr.trim().split('\n').at(-1) ?? '', /names a user and no password.*--camera-login/);
});
