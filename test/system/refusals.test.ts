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

test('a file that is no video is named in one sentence, and nothing is left running', async () => {
  const video = join(place.data, 'letter.mp4');
  writeFileSync(video, 'Dear camera, this is not a video.');
  const { code, stderr } = await place.start(['--video', video]).ended;
  assert.notEqual(code, 0);
  assert.match(lastLine(stderr), /letter\.mp4/);
  assert.deepEqual(leftovers(place.data, []), []);
});

test('a video that is not there is named in one sentence', async () => {
  const { code, stderr } = await place.start(['--video', '/nowhere/walk.mp4']).ended;
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

  const second = await place.start(cameras).ended;
  assert.equal(second.code, 2);
  assert.match(lastLine(second.stderr), /another scripts\/run uses/);

  first.signal('SIGINT');
  const { code } = await first.ended;
  assert.equal(code, 130, first.said());
  assert.deepEqual(leftovers(place.data, pids), []);
});
