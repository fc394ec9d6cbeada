import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { aborted } from '../../../../agent/kernel/aborted.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { type Care, createCare } from '../../../../agent/ledger/care/care.ts';
import { markerFile } from '../../../../agent/ledger/clips/clips-root.ts';
import { ledgerFile } from '../../../../agent/ledger/database/database-files.ts';
import { takeOwnership } from '../../../../agent/ledger/database/ownership.ts';
import { createLedgerService } from '../../../../agent/ledger/ledger-service.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';
import { keepWhole, writeClip } from './bench.ts';
import { damageBench } from './care/damage-bench.ts';

const PATIENCE_MS = 60_000;
const TRIGGER = {
  cameraId: 'gate',
  triggeredMs: Date.UTC(2026, 10, 30, 4),
  clockQuality: 'synchronised',
} as const;
const unavailable = { kind: 'transient', code: 'ledger.unavailable' };

/** A house whose ledger is looked at for as long as the test wants. */
async function house(t: TestContext, changes: { minFreeBytes?: number; care?: Care; known?: boolean } = {}) {
  const { dir } = damageBench(t);
  if (changes.known ?? true) writeFileSync(markerFile(dir), '');
  const clock = createFakeClock();
  const { log } = createLogBook();
  const care = changes.care ?? createCare({ dir, log });
  let isHeld = true;
  const looked = Promise.withResolvers<void>();
  const service = () => {
    const conditions = createConditions({ clock, log });
    const ledger = createLedgerService({
      dir,
      care: {
        ...care,
        look: async (signal) => {
          if (isHeld) await Promise.race([looked.promise, aborted(signal)]);
          return await care.look(signal);
        },
      },
      onOpen: () => undefined,
      conditions,
      clock,
      log,
      maxBytes: 1_000_000_000,
      minFreeBytes: changes.minFreeBytes ?? 0,
      reserveBytes: 0,
      leaseMs: 60_000,
      recoverTorn: keepWhole,
    });
    t.after(() => ledger.stop());
    return ledger;
  };
  const ledger = service();
  await ledger.start();
  async function until(what: string, holds: () => boolean): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!holds()) {
      assert.ok(performance.now() < endMs, `waited in vain: ${what}`);
      await clock.advance(1_000);
      await delay(10);
    }
  }
  /** Undefined while nobody can say. */
  const clipOf = (clipId: string) => {
    try {
      return ledger.clip(clipId);
    } catch {
      return undefined;
    }
  };
  const release = () => {
    isHeld = false;
    looked.resolve();
  };
  return { dir, ledger, until, clipOf, release };
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

test('what moves while the ledger is looked at or begun anew is recorded, and is a clip like any other when it is open', async (t) => {
  const { ledger, until, clipOf, release } = await house(t);
  const place = ledger.openClip(TRIGGER);
  const written = writeClip(place.partFile, 5_000);
  assert.equal(ledger.sealClip(place.clipId, written), undefined, 'sealed by the check, when there is a row');
  assert.ok(existsSync(place.partFile));
  release();
  await until('it has its row', () => clipOf(place.clipId)?.state === 'sealed');
  const clip = clipOf(place.clipId) ?? assert.fail();
  assert.equal(clip.triggeredMs, TRIGGER.triggeredMs);
  assert.equal(sha256(clip.file), written.sha256);
  assert.ok(
    ledger.custody(place.clipId).some(({ detail }) => detail?.includes('the row was made from the file')),
  );
});

test('a clip that is still being written when the ledger opens is sealed by its writer, with what its writer knows', async (t) => {
  const { ledger, until, clipOf, release } = await house(t);
  const place = ledger.openClip(TRIGGER);
  const written = writeClip(place.partFile, 5_000);
  release();
  await until('it has its row', () => clipOf(place.clipId)?.state === 'recording');
  const clip = ledger.sealClip(place.clipId, written) ?? assert.fail('it has a row');
  assert.deepEqual([clip.state, clip.durationMs], ['sealed', written.durationMs]);
  assert.equal(sha256(clip.file), written.sha256);
});

test('a writer that fails while the ledger is not open costs nothing that is on disk', async (t) => {
  const { ledger, until, clipOf, release } = await house(t);
  const place = ledger.openClip(TRIGGER);
  writeClip(place.partFile, 5_000);
  const empty = ledger.openClip(TRIGGER);
  await ledger.recoverClip(place.clipId);
  await ledger.recoverClip(empty.clipId);
  release();
  await until('it has its row', () => clipOf(place.clipId)?.state === 'sealed');
  assert.equal(clipOf(empty.clipId), undefined, 'nothing of it was on disk');
  const next = ledger.openClip(TRIGGER);
  assert.ok(ledger.sealClip(next.clipId, writeClip(next.partFile, 1_000)), 'the ledger goes on as ever');
});

test('clips of one moment have names of their own', async (t) => {
  const { ledger } = await house(t);
  const ids = Array.from({ length: 50 }, () => ledger.openClip(TRIGGER).clipId);
  assert.equal(new Set(ids).size, 50);
  assert.deepEqual(ids.toSorted(), ids);
});

test('nothing is recorded without a ledger where none has known clips, or where too little is free', async (t) => {
  const unknown = await house(t, { known: false });
  if (existsSync(markerFile(unknown.dir))) rmSync(markerFile(unknown.dir));
  assert.throws(() => unknown.ledger.openClip(TRIGGER), { kind: 'exhausted', code: 'ledger.clips-unknown' });
  const full = await house(t, { minFreeBytes: Number.MAX_SAFE_INTEGER });
  assert.throws(() => full.ledger.openClip(TRIGGER), { kind: 'exhausted', code: 'ledger.disk-full' });
});

test('a ledger that cannot be opened for good, as one of a newer program, does not stop the guard', async (t) => {
  const { dir, ledger, until, clipOf, release } = await house(t);
  const db = new Database(ledgerFile(dir));
  const version = Number(db.pragma('user_version', { simple: true }));
  db.pragma('user_version = 9999');
  const reader = db.prepare("SELECT value FROM facts WHERE name = 'oldest_reader'").pluck().get();
  const allow = "UPDATE facts SET value = ? WHERE name = 'oldest_reader'";
  db.prepare(allow).run(9999);
  db.close();
  release();
  await until('it is told', () => {
    try {
      ledger.summary();
      return false;
    } catch (error) {
      return /newer/.test((error as Error).message);
    }
  });
  const place = ledger.openClip(TRIGGER);
  ledger.sealClip(place.clipId, writeClip(place.partFile, 2_000));
  assert.throws(() => takeOwnership(dir, 0), { code: 'ledger.in-use' }, 'nobody else records there');
  const again = new Database(ledgerFile(dir));
  again.pragma(`user_version = ${version}`);
  again.prepare(allow).run(reader);
  again.close();
  await until('it has its row', () => clipOf(place.clipId)?.state === 'sealed');
});

test('who does not own the folder records nothing there, nor who has stopped', async (t) => {
  const { dir } = damageBench(t);
  writeFileSync(markerFile(dir), '');
  const owner = takeOwnership(dir);
  t.after(() => owner.release());
  const { log } = createLogBook();
  const clock = createFakeClock();
  const ledger = createLedgerService({
    ...{ dir, care: createCare({ dir, log }), onOpen: () => undefined, clock, log },
    conditions: createConditions({ clock, log }),
    ...{ maxBytes: 1e9, minFreeBytes: 0, reserveBytes: 0, leaseMs: 60_000, recoverTorn: keepWhole },
  });
  await ledger.start();
  assert.throws(() => ledger.openClip(TRIGGER), unavailable);
  await ledger.stop();
  assert.throws(() => ledger.openClip(TRIGGER), unavailable);
});
