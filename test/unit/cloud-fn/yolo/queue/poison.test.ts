import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poisonMessage } from '../../../../../cloud-fn/yolo/queue/poison.ts';

const ERROR = { code: 'bad-json', message: 'the message is not JSON' } as const;
const read = (text: string) =>
  JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Record<string, string>;

test('a poisoned message carries its reason, itself and the time', () => {
  assert.deepEqual(read(poisonMessage('{"half', ERROR, Date.UTC(2026, 10, 21))), {
    reason: 'bad-json',
    message: 'the message is not JSON',
    original: '{"half',
    at: '2026-11-21T00:00:00.000Z',
  });
});

test('an original that leaves no room for its reason is cut, and it is said', () => {
  for (const original of ['x'.repeat(65_536), '\u0000'.repeat(65_536), 'ж'.repeat(30_000)]) {
    const text = poisonMessage(original, ERROR, 0);
    assert.ok(text.length <= 65_536);
    const poisoned = read(text);
    assert.ok(original.startsWith(poisoned['original'] ?? '-'));
    assert.match(poisoned['message'] ?? '', new RegExp(`the original has ${original.length} characters`));
  }
});
