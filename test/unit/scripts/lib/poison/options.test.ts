import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPoisonCommand } from '../../../../../scripts/lib/poison/options.ts';

const ID = '0123456789abcdef0123456789abcdef';

test('each command is read with what goes with it', () => {
  assert.deepEqual(readPoisonCommand(['list', '--data', '/d', '--json']), {
    ...{ name: 'list', ids: [], all: false, dataDir: '/d', json: true },
  });
  assert.deepEqual(readPoisonCommand(['again', ID, ID]).ids, [ID, ID]);
  assert.equal(readPoisonCommand(['again', '--all']).all, true);
  assert.deepEqual(readPoisonCommand(['show', ID]).ids, [ID]);
});

test('what cannot be meant is refused in one sentence', () => {
  for (const [args, sentence] of [
    [[], /^a command is missing: list, show or again$/],
    [['drop'], /^there is no command drop/],
    [['list', ID], /^list takes no id$/],
    [['list', '--all'], /^--all does not go with list$/],
    [['show'], /^show takes one id$/],
    [['again'], /^again takes ids, or --all$/],
    [['again', ID, '--all'], /^again takes ids, or --all$/],
    [['again', '../x'], /is not an id/],
    [['list', '--colour'], /scripts\/poison --help/],
  ] as const)
    assert.throws(() => readPoisonCommand([...args]), { code: 'poison.usage', message: sentence });
});
