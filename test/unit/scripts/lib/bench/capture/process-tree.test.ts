import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { processTree } from '../../../../../../scripts/lib/bench/capture/process-tree.ts';

/** Works for half a second of CPU in a child of its own, says so, and waits. */
const PROGRAM = `
  const { spawn } = require('node:child_process');
  if (process.argv[1] === 'child') {
    const from = process.cpuUsage();
    for (let used = 0; used < 500_000; ) { const { user, system } = process.cpuUsage(from); used = user + system; }
    console.log('done');
    setInterval(() => {}, 1_000);
  } else spawn(process.execPath, ['-e', process.env.PROGRAM, 'child'], { stdio: 'inherit' });
`;

test('what a process costs includes its children, and nobody else', async (t) => {
  const child = spawn(process.execPath, ['-e', PROGRAM, 'parent'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PROGRAM },
    detached: true,
  });
  const { pid = 0 } = child;
  t.after(() => process.kill(-pid, 'SIGKILL'));
  await once(child.stdout, 'data');
  const tree = await processTree(pid);
  assert.equal(tree.length, 2);
  assert.deepEqual(
    tree.map(({ parent }) => parent),
    [process.pid, pid],
  );
  assert.ok((tree[1]?.cpuS ?? 0) >= 0.4, `${tree[1]?.cpuS} s`);
  assert.ok(tree.every(({ rssMb }) => rssMb > 1));
});

test('a process that is not there costs nothing', async () => {
  assert.deepEqual(await processTree(2 ** 22 + 1), []);
});
