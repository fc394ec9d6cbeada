import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHostGuard } from '../../../../../agent/dashboard/access/host-guard.ts';

test('on loopback only names of loopback pass, with any port', () => {
  const allows = createHostGuard(undefined);
  for (const host of ['127.0.0.1', '127.0.0.1:8080', 'localhost:9', 'LocalHost', '[::1]:80', '127.1.2.3'])
    assert.equal(allows(host), true, host);
});

test('a foreign name that points to loopback is refused', () => {
  const allows = createHostGuard(undefined);
  const foreign = ['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'localhost.evil.example'];
  for (const host of [...foreign, '127.0.0.1@evil.example', '', 'localhost:8080:1', '192.168.1.5', undefined])
    assert.equal(allows(host), false, String(host));
});

test('opened to others, it answers to its own names and to every address', () => {
  const allows = createHostGuard(['house', 'house.local', 'cam.example.org']);
  const own = ['house', 'HOUSE.local:8443', 'house.local.', 'cam.example.org', 'localhost:1', '127.0.0.1'];
  for (const host of [...own, '192.168.1.5:8080', '203.0.113.9', '[fd00::5]:8080', '[::ffff:10.0.0.1]'])
    assert.equal(allows(host), true, host);
});

test('opened to others, sixteen other names are refused, however like its own they look', () => {
  const allows = createHostGuard(['house', 'house.local', 'cam.example.org']);
  const foreign = [
    ...['evil.example', 'house.evil.example', 'house.local.evil.example', 'xhouse', 'house2', 'example.org'],
    ...[
      '192.168.1.5.evil.example',
      '192.168.1.5.nip.io',
      '1.2.3',
      '0x7f.1',
      '[fd00::5].evil.example',
      '[::1',
    ],
    ...['house@evil.example', 'house:80:80', 'house evil.example', ''],
  ];
  assert.equal(foreign.length, 16);
  for (const host of [...foreign, undefined]) assert.equal(allows(host), false, String(host));
});
