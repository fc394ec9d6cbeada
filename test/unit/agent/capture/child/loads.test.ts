import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noteLoads } from '../../../../fakes/loaded-modules.ts';

const PROGRAM = join(import.meta.dirname, '../../../../../agent/capture/child/main.ts');

test("a camera's process loads no schema of a document: each camera would pay for it at every connect", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-loads-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const loads = noteLoads(dir);
  const child = fork(PROGRAM, [], { execArgv: [...loads.nodeOptions] });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  // It ends with its parent, once it has loaded what it needs to notice.
  child.disconnect();
  await ended;
  const modules = loads.modules();
  assert.ok(modules.some((url) => url.endsWith('/zones/schedule.ts')));
  assert.deepEqual(
    modules.filter((url) => url.includes('/typebox/') || url.endsWith('/contracts/index.ts')),
    [],
  );
});
