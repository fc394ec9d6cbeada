import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  createLoginPatience,
  LOGIN_WAITS_MS,
} from '../../../../../agent/capture/supervision/login-patience.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';
import { createFakeClock, type FakeClock } from '../../../../fakes/clock.ts';

const MINUTE = 60_000;
const credential = { username: 'viewer', password: 'wrong-one' };
const gate = { address: 'rtsp://10.0.0.1/main', credential };
const yard = { address: 'rtsp://10.0.0.1/other', credential };

let dir: string;
let clock: FakeClock;
let logged: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-logins-'));
  clock = createFakeClock();
  logged = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const file = () => join(dir, 'logins.json');
const patience = (keptIn?: string) =>
  createLoginPatience({ clock, log: createLog('debug', (line) => logged.push(line)), file: keptIn });

test('a login that is refused for ever is tried at most four times in half an hour, and at least each hour', async () => {
  const patient = patience();
  const tries: number[] = [];
  for (
    const endMs = 24 * 60 * MINUTE;
    clock.monotonicMs() < endMs;
    await clock.advance(patient.holdMs(gate))
  ) {
    tries.push(clock.monotonicMs());
    patient.refused(gate);
  }
  for (const [index, at] of tries.entries()) {
    const within = tries.filter((one) => one >= at && one < at + 30 * MINUTE);
    assert.ok(within.length <= 4, `${within.length} tries within half an hour`);
    const next = tries[index + 1];
    if (next !== undefined) assert.ok(next - at <= 60 * MINUTE && next - at >= MINUTE);
  }
  assert.ok(tries.length > 40);
});

test('another password, another user and another device are tried at once', () => {
  const patient = patience();
  patient.refused(gate);
  assert.ok(patient.holdMs(gate) >= MINUTE);
  assert.equal(patient.holdMs({ ...gate, credential: { ...credential, password: 'right' } }), 0);
  assert.equal(patient.holdMs({ ...gate, credential: { ...credential, username: 'admin' } }), 0);
  assert.equal(patient.holdMs({ ...gate, address: 'rtsp://10.0.0.2/main' }), 0);
});

test('a login that was accepted in between begins with the shortest wait again', async () => {
  const patient = patience();
  patient.refused(gate);
  patient.refused(gate);
  patient.accepted(gate);
  assert.equal(patient.holdMs(gate), 0);
  assert.ok(patient.refused(gate) < 2 * MINUTE);
});

test('the cameras of one device share the wait, and only one of them tries next', async () => {
  const patient = patience();
  patient.refused(gate);
  assert.ok(patient.holdMs(yard) >= MINUTE);
  await clock.advance(2 * MINUTE);
  const first = await patient.turn(gate, new AbortController().signal);
  let second = false;
  const waits = patient.turn(yard, new AbortController().signal).then((turn) => {
    second = true;
    turn.done();
  });
  await clock.advance(1_000);
  assert.equal(second, false);
  patient.refused(gate);
  first.done();
  await waits;
  assert.ok(patient.holdMs(yard) >= 5 * MINUTE, 'who waited learns that it was refused again');
});

test('a channel that its login may not see does not hold those that it may see', async () => {
  const patient = patience();
  patient.refused(yard);
  await clock.advance(patient.holdMs(gate));
  assert.ok(patient.holdMs(yard) > 0, 'the one that was not refused goes first');
  patient.accepted(gate);
  await clock.advance(patient.holdMs(yard));
  for (let count = 0; count < 4; count++) patient.refused(yard);
  assert.ok(patient.holdMs(yard) > 0);
  assert.equal(patient.holdMs(gate), 0);
});

test('a password that is changed at the device holds all its cameras after the first refusal', () => {
  const patient = patience();
  patient.accepted(gate);
  patient.accepted(yard);
  patient.refused(gate);
  assert.ok(patient.holdMs(yard) >= MINUTE);
  assert.equal(patient.isProven(yard), false);
});

test('who gives up waiting for its turn is not held', async () => {
  const patient = patience();
  await patient.turn(gate, new AbortController().signal);
  const leaving = new AbortController();
  const waits = patient.turn(yard, leaving.signal);
  leaving.abort();
  await assert.rejects(waits, { code: 'capture.deadline' });
});

test('a restart does not try a refused login sooner, and goes on with the longer wait', async () => {
  const before = patience(file());
  before.refused(gate);
  await clock.advance(2 * MINUTE);
  before.refused(gate);
  await clock.advance(MINUTE);
  const after = patience(file());
  const left = after.holdMs(gate);
  assert.ok(left > 3 * MINUTE && left <= 5 * MINUTE, `${left}`);
  await clock.advance(5 * MINUTE);
  assert.ok(after.refused(gate) >= 15 * MINUTE);
});

test('the file holds no login and is of its owner alone', async () => {
  patience(file()).refused(gate);
  const text = await readFile(file(), 'utf8');
  assert.doesNotMatch(text, /viewer|wrong-one|10\.0\.0\.1/);
  assert.equal((await stat(file())).mode & 0o777, 0o600);
});

test('a clock that is set back by a year holds nobody longer than one step', async () => {
  patience(file()).refused(gate);
  clock.setWall(clock.nowMs() - 365 * 24 * 60 * MINUTE);
  const left = patience(file()).holdMs(gate);
  assert.ok(left <= (LOGIN_WAITS_MS[0] ?? 0) + 5_000, `${left}`);
});

test('a damaged file and a folder that cannot be written cost only the memory of restarts', async () => {
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{"schema":"dachawatch/camera-logins/1","salt":"a","refused":[null,{},7]}',
  ]) {
    await writeFile(file(), text);
    const patient = patience(file());
    assert.equal(patient.holdMs(gate), 0);
    assert.ok(patient.refused(gate) >= MINUTE);
  }
  const nowhere = patience(join(file(), 'below-a-file.json'));
  nowhere.refused(gate);
  assert.ok(nowhere.holdMs(gate) >= MINUTE);
  assert.ok(logged.some((line) => line.includes('logins.unkept')));
});

test('a pipe or a huge file in the place of what was kept does not hold up the start', async () => {
  execFileSync('mkfifo', [file()]);
  patience(file()).refused(gate);
  assert.match(logged.join(''), /logins\.unread/);
  assert.ok((await stat(file())).isFile(), 'what is kept takes its place');
  await truncate(file(), 2 ** 40);
  assert.equal(patience(file()).holdMs(gate), 0);
});
