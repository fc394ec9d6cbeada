import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const PROGRAM = join(import.meta.dirname, '../../../../../agent/capture/child/main.ts');

test("a camera's process loads no schema of a document: each camera would pay for it at every connect", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-loads-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const loaded = join(dir, 'loaded.txt');
  const preload = join(dir, 'preload.mjs');
  writeFileSync(loaded, '');
  writeFileSync(
    preload,
    `import { appendFileSync } from 'node:fs';
     import { registerHooks } from 'node:module';
     registerHooks({
       load(url, context, next) {
         appendFileSync(${JSON.stringify(loaded)}, url + '\\n');
         return next(url, context);
       },
     });`,
  );
  const child = fork(PROGRAM, [], { execArgv: ['--import', pathToFileURL(preload).href] });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  // It ends with its parent, once it has loaded what it needs to notice.
  child.disconnect();
  await ended;
  const modules = readFileSync(loaded, 'utf8').trim().split('\n');
  assert.ok(modules.some((url) => url.endsWith('/zones/schedule.ts')));
  assert.deepEqual(
    modules.filter((url) => url.includes('/typebox/') || url.endsWith('/contracts/index.ts')),
    [],
  );
});
