import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HUB_FAULTS, NET_ACTIONS, planOf, ROUTES } from '../../../../../../scripts/lib/bench/faults/plan.ts';

const rounds = Array.from({ length: 1_000 }, (_, round) => planOf(1, round));

test('a seed and a round always give the same plan, another seed or round another one', () => {
  assert.deepEqual(planOf(7, 3), planOf(7, 3));
  assert.notDeepEqual({ ...planOf(7, 3), round: 0 }, { ...planOf(7, 4), round: 0 });
  assert.notDeepEqual({ ...planOf(7, 3), seed: 0 }, { ...planOf(8, 3), seed: 0 });
});

test('something goes wrong in every round', () => {
  for (const { disk, net, kills } of rounds) assert.ok(disk.length + net.length + kills.length > 0);
});

test('in a thousand rounds everything goes wrong that can', () => {
  const seen = (values: readonly string[]) => [...new Set(values)].sort((a, b) => a.localeCompare(b));
  const disk = rounds.flatMap((plan) => plan.disk);
  const net = rounds.flatMap((plan) => plan.net);
  assert.deepEqual(seen(net.map(({ action }) => action)), seen(NET_ACTIONS));
  assert.deepEqual(seen(rounds.flatMap(({ hub }) => hub ?? [])), seen(HUB_FAULTS));
  assert.deepEqual(seen(net.map(({ route }) => route)), seen(ROUTES));
  assert.deepEqual(seen(disk.map(({ process }) => process)), [
    'functions-host',
    'house',
    'recorder',
    'worker',
  ]);
  assert.deepEqual(seen(disk.flatMap(({ fault }) => fault.error ?? [])), ['EIO', 'ENOSPC', 'EROFS']);
  assert.deepEqual(seen(disk.map(({ fault }) => fault.action)), [
    ...['fail', 'flip a bit', 'kill after', 'kill before'],
    ...['short write, then error', 'short write, then kill', 'sync fails and loses'],
  ]);
  assert.deepEqual(seen(disk.flatMap(({ fault }) => fault.calls)), [
    ...[
      'list',
      'mkdir',
      'open',
      'open to write',
      'read',
      'rename',
      'stat',
      'sync',
      'truncate',
      'unlink',
      'write',
    ],
  ]);
  assert.deepEqual(seen(rounds.flatMap(({ kills }) => kills.map(({ process }) => process))), [
    ...['functions-host', 'house', 'recorder', 'storage', 'worker'],
  ]);
});
