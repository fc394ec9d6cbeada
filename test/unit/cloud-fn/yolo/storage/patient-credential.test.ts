import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patientCredential } from '../../../../../cloud-fn/yolo/storage/patient-credential.ts';

/** An identity whose endpoint answers from a moment on. */
function identity(readyMs: number) {
  let nowMs = 0;
  let asked = 0;
  const credential = patientCredential(
    {
      getToken: async () => {
        asked += 1;
        if (nowMs < readyMs) throw new Error('the endpoint of the identity does not answer');
        return { token: 'token', expiresOnTimestamp: 0 };
      },
    },
    {
      nowMs: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
    },
  );
  const ask = async () => (await credential.getToken('scope'))?.token;
  return { ask, asked: () => asked, nowMs: () => nowMs, breaks: () => (readyMs = Infinity) };
}

test('an identity that is late is waited for', async () => {
  const late = identity(20_000);
  assert.equal(await late.ask(), 'token');
  assert.ok(late.nowMs() >= 20_000 && late.nowMs() <= 25_000);
});

test('an identity that never comes is given up after a minute, with what it said', async () => {
  const never = identity(Infinity);
  await assert.rejects(never.ask(), /does not answer/);
  assert.ok(never.nowMs() > 50_000 && never.nowMs() <= 60_000);
  assert.ok(never.asked() < 30);
});

test('an identity that has answered once is not waited for again', async () => {
  const broken = identity(0);
  await broken.ask();
  broken.breaks();
  await assert.rejects(broken.ask(), /does not answer/);
  assert.equal(broken.nowMs(), 0);
});
