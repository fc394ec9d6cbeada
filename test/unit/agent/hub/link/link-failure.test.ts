import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkFailure } from '../../../../../agent/hub/link/link-failure.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

/** As the SDK hands it out: wrapped, and always called unauthorized. */
const wrapped = (message: string, code?: string | number) =>
  Object.assign(new Error(`Failure on first connection (Not authorized): ${message}`), {
    name: 'UnauthorizedError',
    transportError: Object.assign(new Error(message), { code }),
  });

test('a network that is not there is not taken for a refusal, although the SDK calls it one', () => {
  for (const [message, code] of [
    ['connect ECONNREFUSED 127.0.0.1:8883', 'ECONNREFUSED'],
    ['getaddrinfo ENOTFOUND hub', 'ENOTFOUND'],
    ['read ECONNRESET', 'ECONNRESET'],
  ] as const) {
    const failure = linkFailure(wrapped(message, code));
    assert.deepEqual([failure.kind, failure.code], ['transient', 'hub.network']);
    assert.equal(failure.message, message);
  }
});

test('a refusal of the hub is known by its code or its words', () => {
  assert.equal(linkFailure(wrapped('Connection refused: Not authorized', 5)).code, 'hub.refused');
  assert.equal(linkFailure(wrapped('Connection refused: Bad username or password', 4)).code, 'hub.refused');
  assert.equal(linkFailure(new Error('Connection refused: Not authorized')).code, 'hub.refused');
});

test('a certificate that does not hold is told apart', () => {
  for (const code of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED'])
    assert.equal(linkFailure(wrapped('unable to verify', code)).code, 'hub.tls');
});

test('several addresses that all failed are told by the first', () => {
  const all = new AggregateError([new Error('connect ECONNREFUSED ::1:8883')], '');
  assert.equal(
    linkFailure(Object.assign(new Error(''), { transportError: all })).message,
    'connect ECONNREFUSED ::1:8883',
  );
});

test('a disconnect event, nothing at all, and a failure of ours are understood', () => {
  assert.equal(linkFailure({ reason: new Error('gone') }).message, 'gone');
  assert.equal(linkFailure(undefined).code, 'hub.network');
  const ours = new Failure('transient', 'hub.deadline', 'late');
  assert.equal(linkFailure(ours), ours);
});

test('an error that the SDK wraps in itself, or in what is no error, is understood', () => {
  const closed = Object.assign(new Error('Connection to the server has been closed.'), {
    transportError: {},
  });
  closed.transportError = closed;
  for (const wrapping of [closed, { transportObj: closed }, { reason: { transportObj: closed } }])
    assert.deepEqual(
      [linkFailure(wrapping).code, linkFailure(wrapping).message],
      ['hub.network', 'Connection to the server has been closed.'],
    );
  assert.equal(linkFailure({ odd: true }).message, 'the connection ended');
  assert.equal(linkFailure('gone').message, 'gone');
});
