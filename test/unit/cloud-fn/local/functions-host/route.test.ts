import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoute } from '../../../../../cloud-fn/local/functions-host/route.ts';

test('parameters, optional parameters, constraints and the rest of a path', () => {
  assert.deepEqual(parseRoute('/api/videos/{id}').match('/api/videos/a%20b'), { id: 'a b' });
  assert.deepEqual(parseRoute('/api/videos/{id?}').match('/api/videos'), {});
  assert.deepEqual(parseRoute('/api/v/{n:int}').match('/api/v/12'), { n: '12' });
  assert.equal(parseRoute('/api/v/{n:int}').match('/api/v/x'), undefined);
  assert.deepEqual(parseRoute('/api/f/{*path}').match('/api/f/a/b'), { path: 'a/b' });
  assert.deepEqual(parseRoute('/api/a-{x}.json').match('/api/a-1.json'), { x: '1' });
  assert.equal(parseRoute('/api/a.json').match('/api/aXjson'), undefined);
});

test('literal segments weigh more than parameters', () => {
  assert.ok(parseRoute('/api/videos/latest').weight > parseRoute('/api/videos/{id}').weight);
});

test('an unknown constraint is refused', () => {
  assert.throws(() => parseRoute('/api/{x:regex}'), /"regex" is not emulated/);
});
