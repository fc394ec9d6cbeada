import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLoginAttempts } from '../../../../../agent/dashboard/access/login-attempts.ts';

function attemptsAt() {
  const time = { ms: 0 };
  const attempts = createLoginAttempts({ monotonicMs: () => time.ms });
  let checks = 0;
  const tryFrom = (address: string, isRight = false) =>
    attempts.attempt(address, async () => {
      checks += 1;
      return isRight;
    });
  return { time, tryFrom, checks: () => checks };
}
const isWait = (answer: boolean | { waitMs: number }) => typeof answer === 'object';

test('of a thousand wrong passwords of one address, five are checked, and one for each wait that is over', async () => {
  const { time, tryFrom, checks } = attemptsAt();
  for (let n = 0; n < 1_000; n += 1) await tryFrom('192.168.1.9');
  assert.equal(checks(), 5);
  const waits: number[] = [];
  for (let n = 0; n < 12; n += 1) {
    const answer = await tryFrom('192.168.1.9');
    assert.ok(typeof answer === 'object');
    waits.push(answer.waitMs);
    time.ms += answer.waitMs;
    assert.equal(await tryFrom('192.168.1.9'), false);
  }
  assert.deepEqual(waits.slice(0, 4), [2_000, 4_000, 8_000, 16_000]);
  assert.equal(Math.max(...waits), 15 * 60_000);
  assert.equal(checks(), 17);
});

test('who guesses keeps nobody else from logging in', async () => {
  const { tryFrom } = attemptsAt();
  for (let n = 0; n < 1_000; n += 1) await tryFrom('192.168.1.9');
  assert.equal(await tryFrom('192.168.1.10', true), true);
});

test('the right password begins anew, and only after the wait', async () => {
  const { time, tryFrom } = attemptsAt();
  for (let n = 0; n < 5; n += 1) await tryFrom('192.168.1.9');
  assert.ok(isWait(await tryFrom('192.168.1.9', true)));
  time.ms += 2_000;
  assert.equal(await tryFrom('192.168.1.9', true), true);
  for (let n = 0; n < 4; n += 1) assert.equal(await tryFrom('192.168.1.9'), false);
  assert.equal(await tryFrom('192.168.1.9', true), true);
});

test('many at once gain nothing: one is checked at a time, few wait, and all of them count', async () => {
  const time = { ms: 0 };
  const attempts = createLoginAttempts({ monotonicMs: () => time.ms });
  const gates: (() => void)[] = [];
  let running = 0;
  let most = 0;
  let checks = 0;
  const check = async () => {
    checks += 1;
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => gates.push(resolve));
    running -= 1;
    return false;
  };
  const asked = Array.from({ length: 200 }, (_, n) => attempts.attempt(`10.0.0.${n % 50}`, check));
  const settled = Promise.all(asked);
  // One gate after the other: the next check begins when the one before it is through.
  for (let n = 0; n < 4; n += 1) {
    while (gates.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    gates.shift()?.();
  }
  const answers = await settled;
  assert.deepEqual([most, checks], [1, 4]);
  assert.equal(answers.filter(isWait).length, 196);
});

test('a network of IPv6 counts as one address, and so does IPv4 in its clothes', async () => {
  for (const address of [
    (n: number) => `2001:db8:1:2:${n.toString(16)}::1`,
    (n: number) => (n % 2 ? '10.0.0.1' : '::ffff:10.0.0.1'),
    () => 'fe80::1%eth0',
  ]) {
    const { tryFrom, checks } = attemptsAt();
    for (let n = 1; n < 100; n += 1) await tryFrom(address(n));
    assert.equal(checks(), 5);
  }
});

test('a check that fails leaves the way free', async () => {
  const { tryFrom } = attemptsAt();
  const attempts = createLoginAttempts({ monotonicMs: () => 0 });
  for (let n = 0; n < 4; n += 1)
    await assert.rejects(attempts.attempt('10.0.0.1', () => Promise.reject(new Error('no memory'))));
  assert.equal(await attempts.attempt('10.0.0.1', async () => true), true);
  assert.equal(await tryFrom('10.0.0.2', true), true);
});
