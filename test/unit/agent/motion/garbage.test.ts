import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** A number that does not fit into a pointer takes 16 bytes when it is handed on; the smallest region takes 80. */
const MOST_BYTES = 100;
/** Some fifty drops and walkers at a time: less than 8 bytes each. */
const MOST_BYTES_OF_MANY = 400;
/** Compiled after so few calls that it is before anything is measured, and at once, however busy the machine is;
 *  nothing is collected in between. */
const V8 = [
  '--no-concurrent-recompilation',
  '--invocation-count-for-maglev=4',
  '--invocation-count-for-turbofan=40',
  '--expose-gc',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
];

test('no picture, quiet or busy, leaves garbage on its way to the decision', async () => {
  const child = new URL('garbage-child.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [...V8, child], { timeout: 300_000 });
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 7, stdout);
  for (const line of lines) {
    const most = line.endsWith(' five walk in the rain') ? MOST_BYTES_OF_MANY : MOST_BYTES;
    assert.ok(Number.parseInt(line, 10) <= most, `bytes a picture: ${line}`);
  }
});
