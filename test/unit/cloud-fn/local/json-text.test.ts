import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonText, whyNotJson } from '../../../../cloud-fn/local/json-text.ts';

const nested = (levels: number) => Buffer.from(`${'['.repeat(levels)}${']'.repeat(levels)}`);

test('what is nested deeper than anybody can write out again is refused, and the sentence says so', () => {
  assert.equal(jsonText(nested(1_000)), nested(1_000).toString());
  for (const levels of [1_001, 20_000]) {
    assert.equal(jsonText(nested(levels)), undefined);
    assert.match(whyNotJson(nested(levels)), /nested deeper than 1000 levels/);
  }
});

test('brackets in texts are no levels, whatever is escaped in them', () => {
  const text = JSON.stringify({ a: '['.repeat(2_000), b: `\\"${'{'.repeat(2_000)}`, c: '\\' });
  assert.equal(jsonText(Buffer.from(text)), text);
});

test('nothing is null, and what is not JSON is nothing and has its sentence', () => {
  assert.equal(jsonText(Buffer.alloc(0)), null);
  assert.equal(jsonText(Buffer.from('{')), undefined);
  assert.equal(whyNotJson(Buffer.from('{')), 'The body is not JSON.');
});
