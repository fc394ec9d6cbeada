import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessions, SESSION_MS, SESSIONS_MAX } from '../../../../../agent/dashboard/access/sessions.ts';

function sessionsAt() {
  const time = { ms: 0 };
  return { time, sessions: createSessions({ monotonicMs: () => time.ms }) };
}

test('a session is open with its own token until it is ended', () => {
  const { sessions } = sessionsAt();
  const token = sessions.begin('p');
  assert.equal(sessions.isOpen(token, 'p'), true);
  for (const other of ['', 'x', token.slice(1), `${token}x`, token.toLowerCase()])
    assert.equal(sessions.isOpen(other, 'p'), false, other);
  sessions.end(token);
  assert.equal(sessions.isOpen(token, 'p'), false);
});

test('a session ends a week after it was used last, and a month after it began', () => {
  const { sessions, time } = sessionsAt();
  const unused = sessions.begin('p');
  const used = sessions.begin('p');
  for (; time.ms < SESSION_MS.longest; time.ms += SESSION_MS.unused / 2) {
    assert.equal(sessions.isOpen(used, 'p'), true);
    if (time.ms >= SESSION_MS.unused) assert.equal(sessions.isOpen(unused, 'p'), false);
  }
  assert.equal(sessions.isOpen(used, 'p'), false);
  assert.equal(sessions.count(), 0);
});

test('another password ends the sessions of before', () => {
  const { sessions } = sessionsAt();
  const token = sessions.begin('p');
  assert.equal(sessions.isOpen(token, 'q'), false);
  assert.equal(sessions.isOpen(token, 'p'), false);
});

test('sessions are bounded: the one that was not used for the longest goes', () => {
  const { sessions } = sessionsAt();
  const first = sessions.begin('p');
  const second = sessions.begin('p');
  for (let n = 0; n < SESSIONS_MAX - 1; n += 1) {
    assert.equal(sessions.isOpen(first, 'p'), true);
    sessions.begin('p');
  }
  assert.equal(sessions.count(), SESSIONS_MAX);
  assert.deepEqual([sessions.isOpen(first, 'p'), sessions.isOpen(second, 'p')], [true, false]);
});
