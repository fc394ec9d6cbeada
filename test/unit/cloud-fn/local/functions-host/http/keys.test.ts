import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOneOf, keysFileIn, loadKeys } from '../../../../../../cloud-fn/local/functions-host/http/keys.ts';
import { folderOf } from '../host-bench.ts';

test('keys are made once, each another, and kept where only their owner reads them', (t) => {
  const dir = join(folderOf(t), 'deep', 'down');
  const keys = loadKeys(dir);
  const values = Object.values(keys);
  assert.deepEqual([values.length, new Set(values).size], [5, 5]);
  for (const key of values) assert.match(key, /^[\w-]{40}$/);
  assert.deepEqual(loadKeys(dir), keys);
  assert.deepEqual(JSON.parse(readFileSync(keysFileIn(dir), 'utf8')), keys);
  assert.deepEqual([statSync(keysFileIn(dir)).mode & 0o777, statSync(dir).mode & 0o777], [0o600, 0o700]);
});

test('a key opens when it is one of those that do, whole and exact', () => {
  assert.equal(isOneOf('b', ['a', 'b']), true);
  for (const given of ['c', 'ab', 'A', '', undefined, null]) assert.equal(isOneOf(given, ['a', 'b']), false);
});
