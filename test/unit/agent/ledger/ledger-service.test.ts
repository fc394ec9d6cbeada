import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { type Care, createCare } from '../../../../agent/ledger/care/care.ts';
import { backupFile, ledgerFile } from '../../../../agent/ledger/database/database-files.ts';
import { createLedger } from '../../../../agent/ledger/ledger.ts';
import { takeOwnership } from '../../../../agent/ledger/database/ownership.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';
import { keepWhole, writeClip } from './bench.ts';
import { serviceBench } from './service-bench.ts';
import { damageBench, restore } from './care/damage-bench.ts';

const unavailable = { kind: 'transient', code: 'ledger.unavailable' };

function service(t: TestContext, dir: string, care?: Care, onOpen?: () => void) {
  const bench = serviceBench(dir);
  const ledger = bench.create({ ...(care ? { care } : {}), ...(onOpen ? { onOpen } : {}) });
  t.after(() => ledger.stop());
  const isOpen = () => bench.opened() > 0 && !bench.codes().includes('ledger-unavailable');
  return { ledger, isOpen, ...bench };
}

test('before it is open, and while it cannot be opened, every call says so at once, and a condition says why', async (t) => {
  const { dir } = damageBench(t);
  const owner = takeOwnership(dir);
  const { ledger, codes, conditions, until, isOpen } = service(t, dir);
  assert.throws(() => ledger.summary(), unavailable);
  await ledger.start();
  await until('it is told', () => codes().includes('ledger-unavailable'));
  assert.match(conditions.list()[0]?.detail ?? '', /another process is using the ledger/);
  const calls: readonly (() => unknown)[] = [
    () => ledger.openClip({ cameraId: 'gate', triggeredMs: 1, clockQuality: 'synchronised' }),
    () => ledger.leaseNext(),
    () => ledger.tell('heartbeat', {} as never),
    () => ledger.storeMessage({ messageId: 'x', receivedMs: 1, body: Buffer.from('x') }),
    () => ledger.clips({ limit: 1 }),
    () => ledger.recoverClip('x'),
    () => ledger.tend(),
  ];
  for (const call of calls) await assert.rejects(async () => call(), unavailable);
  owner.release();
  await until('it is open', isOpen);
  assert.ok(ledger.clips({ limit: 100 }).length > 0);
});

test('a database that is damaged while it is open is looked over and begun anew; a clip being written stays its writer’s', async (t) => {
  const { dir, clips } = damageBench(t);
  const { ledger, codes, opened, logged, until, isOpen } = service(t, dir);
  await ledger.start();
  await until('it is open and checked', () => isOpen() && logged('ledger.checked') === 1);
  const writing = ledger.openClip({
    cameraId: 'gate',
    triggeredMs: Date.now(),
    clockQuality: 'synchronised',
  });
  const written = writeClip(writing.partFile, 3_000);
  rmSync(`${ledgerFile(dir)}-wal`);
  writeFileSync(ledgerFile(dir), Buffer.alloc(readFileSync(ledgerFile(dir)).length, 0x5a));
  writeFileSync(`${ledgerFile(dir)}-shm`, Buffer.alloc(32_768, 0x5a));
  await until('it is opened again', () => {
    try {
      ledger.clips({ limit: 100 });
    } catch {
      // What a damaged database throws sends it back to be looked over.
    }
    return opened() > 1;
  });
  await until('it is checked', () => logged('ledger.checked') >= 2);
  assert.ok(codes().includes('ledger-rebuilt'), codes().join());
  const ids = new Set(ledger.clips({ limit: 100 }).map(({ clipId }) => clipId));
  for (const clip of clips) if (existsSync(clip.file)) assert.ok(ids.has(clip.clipId), clip.clipId);
  assert.ok(existsSync(writing.partFile), 'nobody took the file from its writer');
  assert.equal(ledger.sealClip(writing.clipId, written)?.state, 'sealed');
});

test('an owner whose lock file was deleted goes on, and nobody else becomes the owner', async (t) => {
  const { dir } = damageBench(t);
  const { ledger, codes, until, isOpen, opened } = service(t, dir);
  await ledger.start();
  await until('it is open', isOpen);
  rmSync(join(dir, 'ledger.owner'));
  assert.doesNotThrow(() => ledger.summary(), 'nobody else has taken it');
  assert.throws(() => takeOwnership(dir), { code: 'ledger.in-use' });
  assert.ok(!codes().includes('ledger-unavailable'));
  assert.equal(opened(), 1);
});

test('a backup is made by itself, is whole, and is what a ledger that is gone is begun from', async (t) => {
  const { dir, clips } = damageBench(t);
  const { ledger, until, isOpen, logged } = service(t, dir);
  await ledger.start();
  await until('it is open', isOpen);
  await until('a backup', () => logged('ledger.backed-up') === 1);
  assert.ok(existsSync(backupFile(dir)));
  await ledger.stop();
  rmSync(ledgerFile(dir));
  assert.equal((await restore(dir)).state, 'rebuilt');
  const again = service(t, dir);
  await again.ledger.start();
  await again.until('it is open', again.isOpen);
  assert.ok(again.codes().includes('ledger-rebuilt'), 'it is told again after a restart');
  const states = new Map(again.ledger.clips({ limit: 100 }).map((clip) => [clip.clipId, clip]));
  for (const clip of clips.filter(({ state }) => state === 'judged' || state === 'lost'))
    assert.deepEqual(
      [states.get(clip.clipId)?.state, states.get(clip.clipId)?.verdict],
      [clip.state, clip.verdict],
    );
});

test('a ledger that is deleted under the running agent is noticed, told, and begun anew from backup and files', async (t) => {
  const { dir, clips } = damageBench(t);
  const { ledger, codes, opened, until, isOpen, logged } = service(t, dir);
  await ledger.start();
  await until('a backup', () => isOpen() && logged('ledger.backed-up') > 0);
  rmSync(ledgerFile(dir));
  await until('it is opened again', () => opened() > 1 && isOpen());
  assert.ok(codes().includes('ledger-rebuilt'), codes().join());
  assert.equal(logged('ledger.unavailable'), 1, 'it was told');
  const ids = new Set(ledger.clips({ limit: 100 }).map(({ clipId }) => clipId));
  for (const { clipId } of clips) assert.ok(ids.has(clipId), clipId);
});

test('a clip whose writer died is put right as soon as the disk allows it, also when the check at the start could not', async (t) => {
  const { dir } = damageBench(t);
  const before = createLedger({
    ...{ dir, clock: createFakeClock(), log: createLogBook().log, maxBytes: 1_000_000_000, leaseMs: 60_000 },
    ...{ minFreeBytes: 0, reserveBytes: 0, recoverTorn: keepWhole },
  });
  const { clipId } = before.openClip({
    cameraId: 'gate',
    triggeredMs: Date.now(),
    clockQuality: 'synchronised',
  });
  before.close();
  const other = new Database(ledgerFile(dir));
  const busy = () => void other.exec('BEGIN IMMEDIATE');
  const { ledger, clock, until, logged } = service(t, dir, undefined, busy);
  await ledger.start();
  await until('it is checked, in vain', () => logged('ledger.checked') > 0);
  assert.equal(ledger.clip(clipId)?.state, 'recording');
  other.exec('ROLLBACK');
  other.close();
  await clock.advance(2 * 60_000);
  await ledger.tend();
  assert.equal(ledger.clip(clipId)?.state, 'lost');
});

test('a look at the ledger that takes long is told until it is open', async (t) => {
  const { dir } = damageBench(t);
  const { log } = createLogBook();
  const end = Promise.withResolvers<void>();
  const real = createCare({ dir, log });
  const { ledger, codes, until, isOpen } = service(t, dir, {
    ...real,
    look: async (signal) => {
      await end.promise;
      return await real.look(signal);
    },
  });
  await ledger.start();
  await until('it is told', () => codes().includes('ledger-unavailable'));
  end.resolve();
  await until('it is open', isOpen);
});

test('a look that is killed from outside, however often, does not cost a healthy ledger', async (t) => {
  const { dir } = damageBench(t);
  const before = readFileSync(ledgerFile(dir));
  const { log } = createLogBook();
  const care = createCare({ dir, log });
  const children = () =>
    readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (let turn = 0; turn < 3; turn++) {
    const looking = care.look(new AbortController().signal);
    for (const pid of children()) process.kill(Number(pid), 'SIGKILL');
    await assert.rejects(looking, { kind: 'transient', code: 'ledger.care-crashed', message: /SIGKILL/ });
  }
  assert.deepEqual(await care.look(new AbortController().signal), { state: 'whole' });
  assert.deepEqual(readFileSync(ledgerFile(dir)), before);
});
