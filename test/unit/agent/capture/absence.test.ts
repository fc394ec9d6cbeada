import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkSentence, readAnswer } from '../../../../agent/capture/rtsp/client.ts';
import { statusAbsence } from '../../../../agent/capture/rtsp/status.ts';
import { absenceOf, BROKE_OFF, NO_ANSWER, NO_STREAM, OFF } from '../../../../agent/capture/stream-error.ts';

const codes = (...all: string[]) =>
  all.map((code) => networkSentence(Object.assign(new Error(code), { code })));

test('who cannot be reached is unreachable, whatever the system calls it', () => {
  const sentences = codes(
    'ENOTFOUND',
    'EAI_AGAIN',
    'ECONNREFUSED',
    'ECONNRESET',
    'EHOSTUNREACH',
    'ETIMEDOUT',
  );
  for (const what of [...sentences, OFF, BROKE_OFF, NO_ANSWER])
    assert.equal(absenceOf(what), 'unreachable', what);
});

test('what answers and is no camera that we can use is unsupported', () => {
  const certificates = ['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'];
  for (const what of [...codes(...certificates, 'ERR_SSL_UNSUPPORTED_PROTOCOL'), NO_STREAM])
    assert.equal(absenceOf(what), 'unsupported', what);
  for (const said of ['HTTP/1.1 200 OK\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'])
    assert.throws(
      () => readAnswer(Buffer.from(said)),
      ({ message }: Error) => absenceOf(message) === 'unsupported',
    );
});

test('a camera that answers refuses us, or has nothing for us', () => {
  for (const status of [401, 402, 403, 407, 453, 500, 503, 499, 599])
    assert.equal(statusAbsence(status), 'refused', `${status}`);
  for (const status of [301, 302, 400, 404, 415, 451, 461, 505])
    assert.equal(statusAbsence(status), 'unsupported', `${status}`);
});
