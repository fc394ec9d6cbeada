import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../../../../scripts/lib/command/ends.ts';
import { readPatch } from '../../../../../scripts/lib/hub/patch.ts';

const patch = (...changes: string[]) => readPatch(changes, []);
const refused = (why: RegExp, changes: string[], unset: string[] = []) =>
  assert.throws(
    () => readPatch(changes, unset),
    (error: unknown) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.message, why);
      return true;
    },
  );

test('paths with dots and JSON pointers name the same place, and several changes become one patch', () => {
  assert.deepEqual(patch('a.b.c=1', '/a/b/d="x=y"', 'e=[1,{"f":null}]'), {
    a: { b: { c: 1, d: 'x=y' } },
    e: [1, { f: null }],
  });
  assert.deepEqual(patch('/a.b/c~1d~0e=true'), { 'a.b': { 'c/d~e': true } });
});

test('a property without a value and one to unset delete alike', () => {
  assert.deepEqual(readPatch(['a.b=', 'c= '], ['d.e', '/f/g']), {
    a: { b: null },
    c: null,
    d: { e: null },
    f: { g: null },
  });
});

test('what makes no sense is refused with the argument that is at fault', () => {
  refused(/"a" lacks a value/, ['a']);
  refused(/the value of a is not JSON; text needs quotation marks/, ['a=Europe/Kyiv']);
  for (const path of ['', 'a..b', '.a', 'a.', '/', '//a']) refused(/is no path/, [`${path}=1`]);
  refused(/belongs to the hub/, ['$version=1']);
});

test('a place that is named twice is refused, in whichever order', () => {
  for (const changes of [
    ['a=1', 'a=2'],
    ['a=1', 'a.b=2'],
    ['a.b=2', 'a=1'],
    ['a={}', 'a.b=1'],
  ])
    refused(/is named twice/, changes);
  refused(/--unset a: .* is named twice/, ['a.b=1'], ['a']);
});

test('names that objects have by birth are names like others', () => {
  const made = patch('__proto__.x=1', 'constructor.y=2', 'toString=3');
  assert.deepEqual(JSON.stringify(made), '{"__proto__":{"x":1},"constructor":{"y":2},"toString":3}');
});

test('a login is not sent, and neither it nor any other value is said back', () => {
  for (const change of [
    'cameras.yard.main="rtsp://viewer:hunter2@cam/1"',
    'cameras.yard.main=rtsp://viewer:hunter2@cam/1',
    'cameras.yard.sub="rtsp://cam/1?user=viewer&password=hunter2"',
    'cameras.yard={"password":"hunter2"}',
    'cameras.yard.password="hunter2"',
    'cameras.yard.title=hunter2',
  ])
    assert.throws(
      () => patch(change),
      (error) =>
        error instanceof Refusal && !error.message.includes('hunter2') && /cameras\.yard/.test(error.message),
    );
});
