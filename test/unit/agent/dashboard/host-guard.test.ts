import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHostGuard } from '../../../../agent/dashboard/host-guard.ts';

test('on loopback only names of loopback pass, with any port', () => {
  const allows = createHostGuard('127.0.0.1');
  for (const host of ['127.0.0.1', '127.0.0.1:8080', 'localhost:9', 'LocalHost', '[::1]:80', '127.1.2.3'])
    assert.equal(allows(host), true, host);
});

test('a foreign name that points to loopback is refused', () => {
  const allows = createHostGuard('localhost');
  const foreign = ['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'localhost.evil.example'];
  for (const host of [...foreign, '127.0.0.1@evil.example', '', 'localhost:8080:1', '192.168.1.5', undefined])
    assert.equal(allows(host), false, String(host));
});

test('an address of the local network is reached by whatever name it has there', () => {
  assert.equal(createHostGuard('0.0.0.0')('house.lan:8080'), true);
});
