import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, redact } from '../../../../agent/kernel/log.ts';

const PARTS = ['secret', '@', '/', '?', '#', '%', '"', ':', ',', '}', 'é', '%40'];

test('no part of a login in an address gets into a log, whatever characters it has', () => {
  for (const part of PARTS.slice(1))
    for (const password of [`secret${part}secret`, `${part}secret`, `secret${part}`]) {
      const lines: string[] = [];
      const log = createLog('debug', (line) => lines.push(line));
      log.warn(
        { event: 'odd', url: `rtsp://viewer:${password}@10.0.0.1/main` },
        `rtsps://viewer:${password}@h:322/`,
      );
      assert.doesNotMatch(lines.join(''), /secret/, password);
      assert.match(lines.join(''), /10\.0\.0\.1\/main/);
    }
});

test('no password of a document gets into a log, also as text inside a text, with any character', () => {
  for (const part of [...PARTS.slice(1), ' ', '\\'])
    for (const password of [`secret${part}secret`, `${part}secret`]) {
      const document = JSON.stringify({ username: 'viewer', password, after: 'kept' });
      assert.doesNotMatch(redact(document), /secret/, password);
      assert.match(redact(document), /kept/);
      const lines: string[] = [];
      createLog('debug', (line) => lines.push(line)).error({ document, login: { password } }, document);
      assert.doesNotMatch(lines.join(''), /secret/, password);
    }
});

test('what is said to a camera about a login gets into no log', () => {
  const header =
    'DESCRIBE rtsp://h/ RTSP/1.0\r\nAuthorization: Digest username="viewer", response="secret"\r\nCSeq: 1';
  assert.doesNotMatch(redact(header), /secret/);
  assert.match(redact(header), /CSeq: 1/);
  assert.doesNotMatch(redact(JSON.stringify({ header })), /secret/);
});
