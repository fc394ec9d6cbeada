import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reconnect } from '../../../scripts/lib/bench/reconnects/reconnects.ts';
import { fellBehind, type Sample } from '../../../scripts/lib/bench/reconnects/samples.ts';

describe('a line that breaks again and again', { concurrency: 2 }, () => {
  test('twelve broken connections, two of each kind, leave no descriptor, timer, process, socket or file behind', async (t) => {
    const outcome = await reconnect({ reconnects: 12 }, (line) => t.diagnostic(line), t.signal);
    assert.deepEqual(outcome.findings, []);
    assert.deepEqual(Object.values(outcome.breaks), [2, 2, 2, 2, 2, 2]);
    assert.equal(outcome.last.processes, 2, 'who watches, and its child');
    assert.equal(outcome.last.connections, 2, 'main and sub stream');
  });

  test('a descriptor that each connection leaves behind is found', async (t) => {
    const options = { reconnects: 12, sabotage: 'leak' } as const;
    const { findings } = await reconnect(options, (line) => t.diagnostic(line), t.signal);
    assert.match(findings.join(' | '), /^descriptors grew from \d+ to \d+$/);
  });
});

test('each figure that grows is named', () => {
  const first: Sample = {
    descriptors: 27,
    resources: 6,
    heapMb: 12,
    processes: 2,
    childDescriptors: 33,
    childRssMb: 120,
    connections: 2,
    files: 1,
  };
  assert.deepEqual(fellBehind(first, first), []);
  for (const name of Object.keys(first) as (keyof Sample)[]) {
    const last = { ...first, [name]: first[name] + 100 };
    assert.deepEqual(fellBehind(first, last), [`${name} grew from ${first[name]} to ${last[name]}`]);
  }
});
