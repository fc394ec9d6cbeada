import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type TestContext } from 'node:test';
import { type Care, createCare } from '../../../../../agent/ledger/care/care.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';
import { damageBench, openLedger } from './damage-bench.ts';

const signal = new AbortController().signal;
const SQLITE = pathToFileURL(createRequire(import.meta.url).resolve('better-sqlite3')).href;

/** A look at a ledger whose reading crashes the process, as SQLite does on what a dying disk returns: its check always,
 *  and each read that gives one of these clips.
 *  @param how what is done at such a read */
function caring(
  t: TestContext,
  poisonous: (index: number) => boolean,
  how = `process.kill(process.pid, 'SIGSEGV')`,
  crashedReadsMax = 200,
) {
  const { dir, clips } = damageBench(t);
  const ids = clips.filter((_, index) => poisonous(index)).map(({ clipId }) => clipId);
  const preload = join(dir, 'preload.mjs');
  writeFileSync(
    preload,
    `import Sqlite from ${JSON.stringify(SQLITE)};
     const ids = new Set(${JSON.stringify(ids)});
     const crash = () => { ${how}; };
     const isBad = (row) => ids.has(row) || (typeof row === 'object' && row !== null && ids.has(row.clip_id));
     const isOurs = (db) => db.readonly && !db.name.includes('backup');
     const { prepare, pragma } = Sqlite.prototype;
     Sqlite.prototype.pragma = function (source, ...rest) {
       if (isOurs(this) && source.startsWith('integrity_check')) crash();
       return pragma.call(this, source, ...rest);
     };
     Sqlite.prototype.prepare = function (sql) {
       const statement = prepare.call(this, sql);
       if (!isOurs(this)) return statement;
       const { all, get, iterate } = statement;
       statement.all = (...args) => { const rows = all.apply(statement, args); if (rows.some(isBad)) crash(); return rows; };
       statement.get = (...args) => { const row = get.apply(statement, args); if (isBad(row)) crash(); return row; };
       statement.iterate = function* (...args) { for (const row of iterate.apply(statement, args)) { if (isBad(row)) crash(); yield row; } };
       return statement;
     };`,
  );
  const { log, lines } = createLogBook();
  const care = createCare({
    dir,
    log,
    nodeOptions: ['--import', pathToFileURL(preload).href],
    stalledMs: 300_000,
    crashedReadsMax,
  });
  return { dir, clips, ids: new Set(ids), care, lines };
}

/** As the service does, which tries again. */
async function lookTwiceInVain(care: Care): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1)
    await assert.rejects(care.look(signal), { code: 'ledger.care-crashed', message: /SIGSEGV/ });
}

test('a ledger that crashes who examines it is read row by row: only what crashes the reader is missing, and no clip', async (t) => {
  const { dir, clips, ids, care } = caring(t, (index) => index === 3);
  await lookTwiceInVain(care);
  const finding = await care.look(signal);
  assert.equal(finding.state, 'rebuilt');
  const ledger = openLedger(dir);
  t.after(() => ledger.close());
  await ledger.check({ repair: true });
  const now = new Map(ledger.clips({ limit: 100 }).map((clip) => [clip.clipId, clip]));
  for (const clip of clips) {
    const found = now.get(clip.clipId);
    assert.ok(found, clip.clipId);
    if (ids.has(clip.clipId) || clip.state === 'recording') continue;
    assert.deepEqual([found.state, found.verdict], [clip.state, clip.verdict], 'its row was read');
    assert.match(
      ledger
        .custody(clip.clipId)
        .map(({ detail }) => detail)
        .join(),
      /from the damaged ledger/,
    );
  }
});

test('only a ledger that crashes every reader is set aside unread, whole, and kept apart from those that were read', async (t) => {
  const { dir, clips, care } = caring(t, () => true, undefined, 3);
  const before = readFileSync(ledgerFile(dir));
  // Everything that it gives crashes its reader: there is no end to it.
  await lookTwiceInVain(care);
  const finding = await care.look(signal);
  assert.equal(finding.state, 'rebuilt');
  const [folder = ''] = readdirSync(join(dir, 'set-aside'));
  assert.match(folder, /^unread-ledger-/);
  assert.ok(readFileSync(join(dir, 'set-aside', folder, 'ledger.sqlite')).equals(before));
  const ledger = openLedger(dir);
  t.after(() => ledger.close());
  await ledger.check({ repair: true });
  const ids = new Set(ledger.clips({ limit: 100 }).map(({ clipId }) => clipId));
  for (const clip of clips) if (existsSync(clip.file)) assert.ok(ids.has(clip.clipId), clip.clipId);
});

test('a look that makes no step for too long is ended, told with where it stood, and costs nothing', async (t) => {
  const { dir } = caring(t, () => false);
  const before = readFileSync(ledgerFile(dir));
  const { log } = createLogBook();
  const hanging = caring(t, () => false, `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`);
  const preload = join(hanging.dir, 'preload.mjs');
  const care = createCare({
    dir,
    log,
    stalledMs: 3_000,
    nodeOptions: ['--import', pathToFileURL(preload).href],
  });
  await assert.rejects(care.look(signal), { code: 'ledger.care-stalled', message: /every page/ });
  assert.ok(readFileSync(ledgerFile(dir)).equals(before));
});
