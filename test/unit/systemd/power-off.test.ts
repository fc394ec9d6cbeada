import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const SCRIPT = join(import.meta.dirname, '../../../systemd/power-off');

/** A machine of folders: the script with its two paths turned there. */
function machine(t: TestContext, { clock = true } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-power-off-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const alarm = join(dir, 'wakealarm');
  const request = join(dir, 'power-off');
  if (clock) writeFileSync(alarm, '');
  const script = join(dir, 'script');
  const text = readFileSync(SCRIPT, 'utf8');
  const turned = text
    .replace('/sys/class/rtc/rtc0/wakealarm', alarm)
    .replace('/run/dachawatch/power-off', request);
  writeFileSync(script, turned);
  const run = (minutes?: string) =>
    spawnSync('sh', [script], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        ...(minutes === undefined ? {} : { DACHAWATCH_WAKE_MINUTES: minutes }),
      },
    });
  return { request, run, alarm: () => readFileSync(alarm, 'utf8').trim() };
}

test('the request is taken away, and the machine wakes after ten minutes', (t) => {
  const { request, run, alarm } = machine(t);
  writeFileSync(request, '');
  const { status, stdout } = run();
  assert.equal(status, 0);
  assert.match(stdout, /wakes in 10 minutes/);
  assert.equal(alarm(), '+600');
  assert.ok(!existsSync(request));
});

for (const [minutes, seconds] of [
  ['1', '+60'],
  ['090', '+5400'],
  ['9999', '+599940'],
] as const)
  test(`DACHAWATCH_WAKE_MINUTES=${minutes} sets the alarm ${seconds} s from now`, (t) => {
    const { run, alarm } = machine(t);
    assert.equal(run(minutes).status, 0);
    assert.equal(alarm(), seconds);
  });

test('0 minutes set no alarm, and it says that somebody has to come', (t) => {
  const { run, alarm } = machine(t);
  const { status, stdout } = run('0');
  assert.equal(status, 0);
  assert.match(stdout, /somebody has to switch it on/);
  assert.equal(alarm(), '');
});

for (const nonsense of ['ten', '-5', '1.5', '99999', '$(touch x)', ' '])
  test(`"${nonsense}" is no number of minutes: it says so and takes ten`, (t) => {
    const { run, alarm } = machine(t);
    const { status, stdout } = run(nonsense);
    assert.equal(status, 0);
    assert.match(stdout, /not a number of minutes/);
    assert.equal(alarm(), '+600');
  });

test('a machine without an alarm clock is powered off all the same', (t) => {
  const { request, run } = machine(t, { clock: false });
  writeFileSync(request, '');
  const { status, stdout } = run();
  assert.equal(status, 0);
  assert.match(stdout, /no alarm clock/);
  assert.ok(!existsSync(request));
});

test('a forged request leads nowhere: a link is removed and not what it leads to, a folder does not stay', (t) => {
  const { request, run } = machine(t);
  const precious = `${request}.precious`;
  writeFileSync(precious, 'kept');
  symlinkSync(precious, request);
  assert.equal(run().status, 0);
  assert.equal(readFileSync(precious, 'utf8'), 'kept');
  assert.ok(!existsSync(request));

  mkdirSync(join(request, 'deep'), { recursive: true });
  symlinkSync(precious, join(request, 'deep/link'));
  assert.equal(run().status, 0);
  assert.equal(readFileSync(precious, 'utf8'), 'kept');
  assert.ok(!existsSync(request));
});
