import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const root = join(import.meta.dirname, '../../../..');
/** What `scripts/hil nspawn` does before it touches its system, and then it holds it until its input ends. */
const BODY = `
  set -eu
  . "${root}/scripts/lib/setup.sh"
  rung_name=nspawn
  . "${root}/scripts/lib/hil/common.sh"
  . "${root}/scripts/lib/hil/nspawn.sh"
  take_turn
  echo 'has its turn'
  read -r line || true
`;

function begin(t: TestContext, cache: string) {
  const run: ChildProcess = spawn('/bin/sh', ['-c', BODY, join(root, 'scripts/hil')], {
    env: { ...process.env, XDG_CACHE_HOME: cache, HOME: cache },
    stdio: 'pipe',
  });
  const ended = once(run, 'exit');
  t.after(async () => {
    run.kill('SIGKILL');
    await ended;
  });
  let said = '';
  const listeners = new Set<() => void>();
  for (const stream of [run.stdout, run.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      for (const listener of listeners) listener();
    });
  const hears = (what: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => what.test(said) && resolve(said);
      listeners.add(look);
      void ended.then(() => reject(new Error(`it ended, and said: ${said}`)));
      look();
    });
  return { pid: run.pid, hears, said: () => said, finish: () => run.stdin?.end(), ended };
}

test('a second run says whom it waits for, and goes on when that one has ended', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'dachawatch-hil-'));
  t.after(() => rmSync(cache, { recursive: true, force: true }));
  mkdirSync(join(cache, 'dachawatch/hil/nspawn'), { recursive: true });
  const first = begin(t, cache);
  assert.doesNotMatch(await first.hears(/has its turn/), /waiting/);
  const second = begin(t, cache);
  const waits = await second.hears(/waiting/);
  const whom = `waiting for another run: process ${first.pid} of ${userInfo().username}, since \\d\\d:\\d\\d:\\d\\d`;
  assert.match(waits, new RegExp(whom));
  assert.doesNotMatch(waits, /has its turn/);
  first.finish();
  await second.hears(/has its turn/);
  second.finish();
  assert.deepEqual(await second.ended, [0, null]);
});

test('a run that was killed keeps nobody waiting', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'dachawatch-hil-'));
  t.after(() => rmSync(cache, { recursive: true, force: true }));
  mkdirSync(join(cache, 'dachawatch/hil/nspawn'), { recursive: true });
  const first = begin(t, cache);
  await first.hears(/has its turn/);
  process.kill(first.pid ?? assert.fail(), 'SIGKILL');
  await first.ended;
  const second = begin(t, cache);
  assert.doesNotMatch(await second.hears(/has its turn/), /waiting/);
});
