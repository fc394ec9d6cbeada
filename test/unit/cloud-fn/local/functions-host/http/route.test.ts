import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoute } from '../../../../../../cloud-fn/local/functions-host/http/route.ts';

test('parameters, optional parameters, constraints and the rest of a path', () => {
  assert.deepEqual(parseRoute('/api/videos/{id}').match('/api/videos/a%20b'), { id: 'a b' });
  assert.deepEqual(parseRoute('/api/videos/{id?}').match('/api/videos'), {});
  assert.deepEqual(parseRoute('/api/v/{n:int}').match('/api/v/12'), { n: '12' });
  assert.equal(parseRoute('/api/v/{n:int}').match('/api/v/x'), undefined);
  assert.deepEqual(parseRoute('/api/f/{*path}').match('/api/f/a/b'), { path: 'a/b' });
  assert.deepEqual(parseRoute('/api/f/{*path}').match('/api/f'), {});
  assert.deepEqual(parseRoute('/api/f/{x}').match('/api/f/a%2Fb%2B%20c'), { x: 'a%2Fb+ c' });
  assert.deepEqual(parseRoute('/api/a-{x}.json').match('/api/a-1.json'), { x: '1' });
  assert.equal(parseRoute('/api/a.json').match('/api/aXjson'), undefined);
});

test('literal segments weigh more than parameters', () => {
  assert.ok(parseRoute('/api/videos/latest').weight > parseRoute('/api/videos/{id}').weight);
});

test('an unknown constraint is refused', () => {
  assert.throws(() => parseRoute('/api/{x:regex}'), /"regex" is not emulated/);
});

test('a route is matched whole, whatever the case, with or without a slash behind', () => {
  const route = parseRoute('/api/Videos/{id}');
  assert.deepEqual(route.match('/API/videos/a/'), { id: 'a' });
  for (const other of ['/api/videos', '/api/videos/a/b', '/x/api/videos/a', '/api/videos/a//'])
    assert.equal(route.match(other), undefined, other);
  assert.deepEqual(parseRoute('/api/v/{a}-{b}').match('/api/v/1-2'), { a: '1', b: '2' });
  assert.deepEqual(parseRoute('api//v').match('/api/v'), {});
});

test('each constraint takes what it is made for', () => {
  const match = (constraint: string, value: string) => parseRoute(`/{x:${constraint}}`).match(`/${value}`);
  const guid = '0f8fad5b-d9cb-469f-a165-70867728950e';
  for (const [constraint, good, bad] of [
    ['int', '-12', '1.5'],
    ['long', '12', 'a'],
    ['guid', guid, guid.slice(1)],
    ['alpha', 'abC', 'a1'],
    ['bool', 'true', 'yes'],
  ] as const) {
    assert.deepEqual(match(constraint, good), { x: good });
    assert.equal(match(constraint, bad), undefined);
  }
  assert.deepEqual(parseRoute('/v/{n:int?}').match('/v'), {});
  assert.deepEqual(parseRoute('/v/{n:int?}').match('/v/5'), { n: '5' });
});

test('a value that is not encoded as it should be is given as it came', () => {
  assert.deepEqual(parseRoute('/v/{x}').match('/v/%E0%A4'), { x: '%E0%A4' });
});

test('the more literal route is asked first, segment by segment', () => {
  const weight = (template: string) => parseRoute(template).weight;
  assert.ok(weight('/a/{x}') > weight('/{x}/a'));
  assert.ok(weight('/a-{x}') > weight('/{x}'));
  assert.ok(weight('/a/{x}/{y}') > weight('/a/{x}'));
  assert.equal(weight('/{x}'), weight('/{y:int}'));
});
