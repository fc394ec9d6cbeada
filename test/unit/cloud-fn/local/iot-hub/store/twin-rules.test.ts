import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTooDeep, twinFault, twinSize } from '../../../../../../cloud-fn/local/iot-hub/store/twin-rules.ts';
import { mergePatch } from '../../../../../../cloud-fn/local/iot-hub/store/twins.ts';

test('keys with a dot, a dollar sign, a space or a control character are refused at every depth', () => {
  for (const key of ['a.b', '$a', 'a b', 'a\u0001', 'a\u0085', '', 'x'.repeat(1025)]) {
    assert.ok(twinFault({ [key]: 1 }), JSON.stringify(key));
    assert.ok(twinFault({ a: [{ b: { [key]: 1 } }] }), JSON.stringify(key));
  }
  assert.equal(
    twinFault({ 'größer-als_Ω': { x: [1, 'y', { z: false }] }, ['x'.repeat(1024)]: 1 }),
    undefined,
  );
});

test('texts, integers and arrays have the bounds of IoT Hub', () => {
  assert.equal(twinFault({ a: 'x'.repeat(4096), b: 4_503_599_627_370_495, c: 0.5 }), undefined);
  assert.match(twinFault({ a: 'ö'.repeat(2049) }) ?? '', /4 KB/);
  assert.match(twinFault({ a: 4_503_599_627_370_496 }) ?? '', /52 bits/);
  assert.match(twinFault({ a: [1, null] }) ?? '', /null/);
});

test('ten levels are allowed, an eleventh is not, and depth without end is no danger', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
  assert.equal(isTooDeep(nested(11)), false);
  assert.equal(isTooDeep(nested(12)), true);
  assert.equal(isTooDeep(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), true);
});

test('the size counts names and values and not the signs between them', () => {
  assert.equal(twinSize({ ab: 'cde', f: [1, true], g: { h: 'ö' } }), 2 + 3 + 1 + 8 + 4 + 1 + 1 + 2);
});

test('a patch may name what objects have by birth, and harms nothing by it', () => {
  const patch = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"a":1}}') as Record<string, unknown>;
  const merged = mergePatch({}, patch);
  assert.deepEqual(Object.keys(merged), ['__proto__', 'constructor']);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
