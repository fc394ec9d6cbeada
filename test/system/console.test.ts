/** What `scripts/run` says on the console, and how it ends, whatever happens while it starts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createPlace, leftovers, type Place, until } from './product.ts';

const NOBODY = ['--camera', 'rtsp://127.0.0.1:9/m', '--sub', 'rtsp://127.0.0.1:9/s'];

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.close());

for (const phase of [
  'starting storage',
  'starting the IoT hub',
  'starting the functions host',
  'starting the agent',
])
  test(`Ctrl-C while it is ${phase} ends it with 130, and nothing else is started`, async () => {
    const product = place.start(NOBODY);
    await until(
      phase,
      () => product.said().includes(phase),
      240_000,
      () => product.said(),
    );
    product.signal('SIGINT');
    const { code, signal } = await product.ended;
    assert.deepEqual([code, signal], [130, null], product.said());
    const after = product.said().slice(product.said().indexOf(phase) + phase.length);
    assert.doesNotMatch(after, /starting|started;/);
    assert.deepEqual(leftovers(place.data, []), []);
  });

test('a camera that is not there is named on the console with the reason, and nothing is called watched', async () => {
  const product = place.start([...NOBODY, '--until-verdict', '--timeout', '5']);
  const { code, stdout, stderr } = await product.ended;
  assert.equal(code, 1);
  assert.match(stdout, /camera-1 is not watched: .*nothing answers at this port/);
  assert.doesNotMatch(stdout, /watching/);
  assert.match(
    stderr.trim(),
    /^scripts\/run: no verdict within 5 s: camera-1 is not watched: .*nothing answers at this port/m,
  );
});

test('a disk that is too small is said on the console, with what does not start because of it', async (t) => {
  const small = join(place.data, 'small');
  mkdirSync(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'dachawatch-test', small]);
  if (mounted.status !== 0) return t.skip('this user may not mount');
  try {
    const product = place.start([...NOBODY, '--data', small, '--until-verdict', '--timeout', '20']);
    const { code } = await product.ended;
    assert.equal(code, 1, product.said());
    assert.match(product.said(), /the disk of .*small has 1 MB of 1 MB free; recording needs 368 MB/);
    assert.match(product.said().trim().split('\n').at(-1) ?? '', /full|no space|ENOSPC|room/i);
  } finally {
    spawnSync('umount', ['-l', small]);
  }
});
