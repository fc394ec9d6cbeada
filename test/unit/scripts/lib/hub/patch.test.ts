import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { readPatch } from '../../../../../scripts/lib/hub/patch.ts';

const patch = (...wishes: string[]) => readPatch(wishes, []);
const refused = (why: RegExp, wishes: string[], unset: string[] = []) =>
  assert.throws(
    () => readPatch(wishes, unset),
    (error: unknown) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, 'hub.usage');
      assert.match(error.message, why);
      return true;
    },
  );

test('paths with dots and JSON pointers name the same place, and wishes come together', () => {
  assert.deepEqual(patch('a.b.c=1', '/a/b/d="x=y"', 'e=[1,{"f":null}]'), {
    a: { b: { c: 1, d: 'x=y' } },
    e: [1, { f: null }],
  });
  assert.deepEqual(patch('/a.b/c~1d~0e=true'), { 'a.b': { 'c/d~e': true } });
});

test('a wish without a value and one to unset delete alike', () => {
  assert.deepEqual(readPatch(['a.b=', 'c= '], ['d.e', '/f/g']), {
    a: { b: null },
    c: null,
    d: { e: null },
    f: { g: null },
  });
});

test('what makes no sense is refused with the argument that is at fault', () => {
  refused(/"a" lacks a value/, ['a']);
  refused(/a=Europe\/Kyiv is not JSON; text needs quotation marks/, ['a=Europe/Kyiv']);
  for (const path of ['', 'a..b', '.a', 'a.', '/', '//a']) refused(/is no path/, [`${path}=1`]);
  refused(/belongs to the hub/, ['$version=1']);
});

test('a place that is named twice is refused, in whichever order', () => {
  for (const wishes of [
    ['a=1', 'a=2'],
    ['a=1', 'a.b=2'],
    ['a.b=2', 'a=1'],
    ['a={}', 'a.b=1'],
  ])
    refused(/is named twice/, wishes);
  refused(/--unset a: .* is named twice/, ['a.b=1'], ['a']);
});

test('names that objects have by birth are names like others', () => {
  const made = patch('__proto__.x=1', 'constructor.y=2', 'toString=3');
  assert.deepEqual(JSON.stringify(made), '{"__proto__":{"x":1},"constructor":{"y":2},"toString":3}');
});
