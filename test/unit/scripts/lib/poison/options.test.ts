import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../../../../scripts/lib/command/ends.ts';
import { readPoisonCommand } from '../../../../../scripts/lib/poison/options.ts';

const ID = '0123456789abcdef0123456789abcdef';

test('each command is read with what goes with it', () => {
  assert.deepEqual(readPoisonCommand(['list', '--data', '/d', '--json'], {}), {
    ...{ name: 'list', ids: [], all: false, dataDir: '/d', connection: undefined, json: true },
  });
  assert.deepEqual(readPoisonCommand(['again', ID, ID], {}).ids, [ID, ID]);
  assert.equal(readPoisonCommand(['again', '--all'], {}).all, true);
  assert.deepEqual(readPoisonCommand(['show', ID], {}).ids, [ID]);
  const other = { DACHAWATCH_STORAGE_CONNECTION: ' AccountName=a ' };
  assert.equal(readPoisonCommand(['list'], other).connection, 'AccountName=a');
  assert.throws(() => readPoisonCommand(['list', '--data', '/d'], other), /has no effect/);
});

test('what cannot be meant is refused in one sentence', () => {
  for (const [args, sentence] of [
    [[], /^there is no command; there are list, show, again/],
    [['drop'], /^"drop" is no command/],
    [['list', ID], /^usage: scripts\/poison list$/],
    [['list', '--all'], /^--all does not belong to list$/],
    [['show'], /^usage: scripts\/poison show ID$/],
    [['again'], /^usage: .* again ID…, or again --all$/],
    [['again', ID, '--all'], /^usage: .* again ID…, or again --all$/],
    [['again', '../x'], /is no id/],
    [['list', '--colour'], /scripts\/poison --help/],
  ] as const)
    assert.throws(
      () => readPoisonCommand([...args], {}),
      (error) => error instanceof Refusal && sentence.test(error.message),
      args.join(' '),
    );
});
