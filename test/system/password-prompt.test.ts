import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const SCRIPT = join(import.meta.dirname, '../../scripts/run');

test('Ctrl-C at the question for a camera’s password ends with 130, and the terminal shows again what is typed', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'dachawatch-prompt-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const cameras = '--camera rtsp://viewer@127.0.0.1:9/m --sub rtsp://viewer@127.0.0.1:9/s';
  const shell = [
    'echo "before: $(stty -a)"',
    `"${SCRIPT}" --data "${data}" --port 0 ${cameras}`,
    'echo "code=$?"',
    'echo "after: $(stty -a)"',
    'echo the end',
  ].join('\n');
  // A terminal of its own, as a person has one.
  const terminal = spawn('script', ['--quiet', '--return', '--command', shell, '/dev/null'], {
    env: { ...process.env, SHELL: '/bin/sh' },
  });
  const ended = once(terminal, 'exit');
  t.after(async () => {
    terminal.kill('SIGKILL');
    await ended;
  });
  let shown = '';
  let look: () => void = () => undefined;
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    look();
  });
  const shows = (what: RegExp) =>
    new Promise<void>((resolve, reject) => {
      look = () => what.test(shown) && resolve();
      void ended.then(() => reject(new Error(`it ended, and showed: ${shown}`)));
      look();
    });
  await shows(/Password of viewer at 127\.0\.0\.1:9: /);
  terminal.stdin.write('s3cret');
  terminal.stdin.write('\u0003');
  await shows(/the end/);
  assert.match(shown, /code=130\r?\n/);
  const after = shown.slice(shown.indexOf('after:'));
  for (const setting of [/(?<![-\w])echo\b/, /(?<![-\w])icanon\b/, /(?<![-\w])isig\b/])
    assert.match(after, setting, 'as the terminal was before');
  assert.doesNotMatch(shown, /s3cret/);
});
