import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const MODULE = join(import.meta.dirname, '../../../contracts/standard-error.ts');

/** A process that writes log lines when it is asked to, and tells afterwards what they cost it. */
function writer(t: TestContext): {
  child: ChildProcess;
  say: (lines: number, bytes: number) => Promise<number>;
} {
  const program = `
    import { writeLogLine } from ${JSON.stringify(MODULE)};
    process.on('uncaughtException', (error) => writeLogLine('uncaught ' + error.message + '\\n'));
    process.on('message', async ({ lines, bytes }) => {
      for (let line = 0; line < lines; line++) {
        writeLogLine('x'.repeat(bytes - 1) + '\\n');
        await new Promise(setImmediate);
      }
      process.send(process.stderr.writableLength);
    });
    process.on('disconnect', () => process.exit(0));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  return {
    child,
    async say(lines, bytes) {
      child.send({ lines, bytes });
      const [waiting] = (await once(child, 'message')) as [number];
      return waiting;
    },
  };
}

test('a log that nobody reads any more costs its lines and nothing else', async (t) => {
  const { child, say } = writer(t);
  await say(1, 10);
  child.stderr?.destroy();
  // The first line of each time fails after it was written, and must not be the reason for the next.
  for (let time = 0; time < 3; time++) assert.equal(await say(20, 1_000), 0);
  assert.equal(child.exitCode, null);
});

test('a log whose reader stands still stays bounded, and the reader is told later what it missed', async (t) => {
  const { child, say } = writer(t);
  child.stderr?.pause();
  const waiting = await say(4_000, 1_000);
  assert.ok(waiting <= 1_100_000, `${waiting} bytes wait`);
  let read = '';
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (read += text))
    .resume();
  // The first line behind the gap brings the count.
  let more = 0;
  while (!read.includes('log.left-out') || !read.endsWith('\n')) {
    await say(1, 10);
    more += 1;
  }
  const lines = read.split('\n').filter(Boolean);
  const leftOut = lines.reduce(
    (sum, line) => sum + (line.startsWith('{') ? (JSON.parse(line) as { lines: number }).lines : 0),
    0,
  );
  const whole = lines.filter((line) => /^x+$/.test(line)).length;
  assert.ok(leftOut > 0);
  assert.ok(whole + leftOut <= 4_000 + more && whole + leftOut >= 4_000, `${whole} read, ${leftOut} counted`);
});
