import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createPlace, leftovers, pidsOf, type Place, until } from './product.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.close());

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';

for (const [what, args, sentence] of [
  ['an option that does not exist', ['--vidoe', 'x.mp4'], /scripts\/run: .*--vidoe/],
  [
    'a camera without its small stream',
    ['--camera', 'rtsp://127.0.0.1/main'],
    /scripts\/run: each --camera needs a --sub/,
  ],
  [
    'an address that is no stream',
    ['--camera', 'http://127.0.0.1/', '--sub', 'rtsp://127.0.0.1/s'],
    /rtsp:\/\//,
  ],
  ['a number that is none', ['--timeout', 'soon'], /scripts\/run: --timeout takes a number/],
  [
    'a video and a camera at once',
    ['--video', 'x', '--camera', 'rtsp://h/m', '--sub', 'rtsp://h/s'],
    /give one of the two/,
  ],
] as const) {
  test(`${what} is refused with one sentence and exit code 2`, async () => {
    const { code, stderr, stdout } = await place.start(args).ended;
    assert.equal(code, 2, stderr);
    assert.match(lastLine(stderr), sentence);
    assert.equal(stdout, '');
  });
}

test('a file that is no video is named in one sentence, and nothing is left running', async () => {
  const video = join(place.data, 'letter.mp4');
  writeFileSync(video, 'Dear camera, this is not a video.');
  const { code, stderr } = await place.start(['--video', video, '--json']).ended;
  assert.notEqual(code, 0);
  assert.match(lastLine(stderr), /letter\.mp4/);
  assert.deepEqual(leftovers(place.data, []), []);
});

test('a video that is not there is named in one sentence', async () => {
  const { code, stderr } = await place.start(['--video', '/nowhere/walk.mp4', '--json']).ended;
  assert.notEqual(code, 0);
  assert.match(lastLine(stderr), /\/nowhere\/walk\.mp4/);
});

test('a port in use is named in one sentence, and nothing is left running', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  try {
    const { code, stderr } = await place.start([
      '--camera',
      'rtsp://127.0.0.1:9/m',
      '--sub',
      'rtsp://127.0.0.1:9/s',
      '--port',
      String(port),
      '--json',
    ]).ended;
    assert.notEqual(code, 0);
    assert.match(lastLine(stderr), new RegExp(`${port}`));
    assert.deepEqual(leftovers(place.data, []), []);
  } finally {
    other.close();
  }
});

test('a second run on the same data is refused; Ctrl-C then stops the first, and nothing is left running', async () => {
  const cameras = ['--camera', 'rtsp://127.0.0.1:9/m', '--sub', 'rtsp://127.0.0.1:9/s'];
  const first = place.start(cameras);
  await first.page();
  const pids = await until(
    'every process is known',
    () => {
      const known = pidsOf(place.data);
      return known.has('agent') && [...known.values()];
    },
    120_000,
  );

  const second = await place.start([...cameras, '--json']).ended;
  assert.equal(second.code, 2);
  assert.match(lastLine(second.stderr), /another scripts\/run uses/);

  first.signal('SIGINT');
  const { code } = await first.ended;
  assert.equal(code, 0, first.said());
  assert.deepEqual(leftovers(place.data, pids), []);
});
