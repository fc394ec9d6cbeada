import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCare } from '../../../../../agent/ledger/care/care.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { noteLoads } from '../../../../fakes/loaded-modules.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';
import { damageBench } from './damage-bench.ts';

/** What a clip id is stands in a file without a schema. */
const HEAVY = /\/typebox\/|\/contracts\/(?!clip-id\.ts)/;

/** Looks the ledger over in a process that writes down which modules it loads. */
async function look(dir: string) {
  const loads = noteLoads(dir);
  const care = createCare({
    dir,
    log: createLogBook().log,
    nodeOptions: loads.nodeOptions,
  });
  const { state } = await care.look(new AbortController().signal);
  return { state, modules: loads.modules() };
}

const heavyOf = (modules: readonly string[]) =>
  modules.filter((url) => HEAVY.test(url) || url.endsWith('/rebuild.ts'));

test('a look at a whole ledger loads neither the contracts nor what would begin it anew; damage does', async (t) => {
  const { dir } = damageBench(t);
  const whole = await look(dir);
  assert.equal(whole.state, 'whole');
  assert.ok(whole.modules.some((url) => url.endsWith('/examine.ts')));
  assert.deepEqual(heavyOf(whole.modules), []);

  const file = ledgerFile(dir);
  const bytes = Buffer.alloc(statSync(file).size - 8_192, 0x5a);
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, 8_192);
  closeSync(handle);
  const damaged = await look(dir);
  assert.equal(damaged.state, 'rebuilt');
  assert.ok(damaged.modules.some((url) => url.endsWith('/rebuild.ts')));
  assert.ok(damaged.modules.some((url) => HEAVY.test(url)));
});

test('the very first look, at an empty folder, loads neither of them', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-care-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { state, modules } = await look(dir);
  assert.equal(state, 'whole');
  assert.deepEqual(heavyOf(modules), []);
});
