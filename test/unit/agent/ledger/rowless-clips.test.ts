import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { aborted } from '../../../../agent/kernel/waiting/aborted.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createCare } from '../../../../agent/ledger/care/care.ts';
import { markerFile } from '../../../../agent/ledger/clips/clips-root.ts';
import { ledgerFile } from '../../../../agent/ledger/database/database-files.ts';
import { takeOwnership } from '../../../../agent/ledger/database/ownership.ts';
import { createLedgerService } from '../../../../agent/ledger/ledger-service.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';
import { keepWhole, writeClip } from './bench.ts';
import { serviceBench } from './service-bench.ts';
import { damageBench, openLedger } from './care/damage-bench.ts';

const TRIGGER = {
  cameraId: 'gate',
  triggeredMs: Date.UTC(2026, 10, 30, 4),
  clockQuality: 'synchronised',
  detail: 'triggered by the bench',
} as const;
const unavailable = { kind: 'transient', code: 'ledger.unavailable' };

interface Changes {
  readonly minFreeBytes?: number;
  readonly maxBytes?: number;
  readonly known?: boolean;
}

/** A house whose ledger is looked at for as long as the test wants. */
async function house(t: TestContext, changes: Changes = {}) {
  const { dir, clips } = damageBench(t);
  if (changes.known === false) rmSync(markerFile(dir));
  const { create, clock, log, care, until, opened, logged } = serviceBench(dir);
  let held = Promise.withResolvers<void>();
  let looks = 0;
  const service = () =>
    create({
      care: {
        ...care,
        look: async (signal) => {
          looks += 1;
          await Promise.race([held.promise, aborted(signal)]);
          signal.throwIfAborted();
          return await care.look(signal);
        },
      },
      conditions: createConditions({ clock, log }),
      maxBytes: changes.maxBytes ?? 1_000_000_000,
      minFreeBytes: changes.minFreeBytes ?? 0,
    });
  let ledger = service();
  t.after(() => ledger.stop());
  async function start(): Promise<void> {
    const before = looks;
    await ledger.start();
    await until('it is looked at', () => looks > before);
  }
  await start();
  /** Undefined while nobody can say. */
  const clipOf = (clipId: string) => {
    try {
      return ledger.clip(clipId);
    } catch {
      return undefined;
    }
  };
  const isOpen = () => {
    try {
      return ledger.clips({ limit: 1 }).length > 0;
    } catch {
      return false;
    }
  };
  return {
    ...{ dir, clips, until, clipOf, isOpen },
    ledger: () => ledger,
    looks: () => looks,
    opened,
    checks: () => logged('ledger.checked'),
    release: () => held.resolve(),
    /** The next look waits again. */
    hold: () => {
      held = Promise.withResolvers<void>();
    },
    /** A process that has forgotten everything. */
    startAnew: async () => {
      await ledger.stop();
      ledger = service();
      await start();
    },
  };
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

test('what moves while the ledger is looked at or begun anew is recorded, and is a clip like any other when it is open', async (t) => {
  const { ledger, until, clipOf, release, opened } = await house(t);
  const place = ledger().openClip(TRIGGER);
  const written = writeClip(place.partFile, 5_000);
  assert.equal(ledger().sealClip(place.clipId, written), undefined, 'sealed when there is a row');
  assert.ok(existsSync(place.partFile));
  release();
  await until('it is sealed', () => clipOf(place.clipId)?.state === 'sealed');
  await until('the uploader is told', () => opened() > 0);
  const clip = clipOf(place.clipId) ?? assert.fail();
  assert.deepEqual(
    [clip.triggeredMs, clip.clockQuality, clip.startedMs, clip.preRollMs, clip.durationMs],
    [TRIGGER.triggeredMs, 'synchronised', written.startedMs, written.preRollMs, written.durationMs],
    'with what was known at its trigger, and what its writer knew',
  );
  assert.equal(sha256(clip.file), written.sha256);
  const [first] = ledger().custody(place.clipId);
  assert.match(first?.detail ?? '', /triggered by the bench; the ledger could not be used when it began/);
});

test('every clip that began without the ledger has its row in the moment in which it is open, before any of its bytes', async (t) => {
  const { ledger, until, isOpen, clipOf, release } = await house(t);
  const places = ['gate', 'yard', 'door'].map((cameraId) => ledger().openClip({ ...TRIGGER, cameraId }));
  release();
  await until('it is open', isOpen);
  assert.deepEqual(
    places.map(({ clipId }) => [clipOf(clipId)?.state, clipOf(clipId)?.clockQuality]),
    places.map(() => ['recording', 'synchronised']),
  );
  const [gate, yard, door] = places.map(({ clipId, partFile }) => ({ clipId, partFile }));
  const written = writeClip(gate?.partFile ?? '', 5_000);
  assert.equal(ledger().sealClip(gate?.clipId ?? '', written)?.state, 'sealed');
  writeClip(yard?.partFile ?? '', 3_000);
  await ledger().recoverClip(yard?.clipId ?? '');
  assert.equal(clipOf(yard?.clipId ?? '')?.state, 'sealed', 'its recorder died');
  await ledger().recoverClip(door?.clipId ?? '');
  assert.deepEqual(
    [clipOf(door?.clipId ?? '')?.state, clipOf(door?.clipId ?? '')?.reason],
    ['lost', 'the writer ended before anything was on disk'],
  );
});

test('a recorder that dies behind the first check leaves a clip that is sealed or lost at once, not at the next look', async (t) => {
  const { ledger, until, clipOf, checks, release } = await house(t);
  const torn = ledger().openClip(TRIGGER);
  const empty = ledger().openClip(TRIGGER);
  release();
  await until('the first check is over', () => checks() === 1);
  writeClip(torn.partFile, 4_000);
  await Promise.all([torn, empty].map(({ clipId }) => ledger().recoverClip(clipId)));
  assert.deepEqual(
    [torn, empty].map(({ clipId }) => clipOf(clipId)?.state),
    ['sealed', 'lost'],
  );
  assert.equal(checks(), 1);
});

test('a recorder that dies while the ledger is not open costs nothing that is on disk, and of what is not there it is said why', async (t) => {
  const { ledger, until, clipOf, release } = await house(t);
  const place = ledger().openClip(TRIGGER);
  writeClip(place.partFile, 5_000);
  const empty = ledger().openClip(TRIGGER);
  await ledger().recoverClip(place.clipId);
  await ledger().recoverClip(empty.clipId);
  release();
  await until('it is sealed', () => clipOf(place.clipId)?.state === 'sealed');
  await until('the other one is lost', () => clipOf(empty.clipId)?.state === 'lost');
  assert.match(clipOf(empty.clipId)?.reason ?? '', /before anything was on disk/);
  const next = ledger().openClip(TRIGGER);
  assert.ok(ledger().sealClip(next.clipId, writeClip(next.partFile, 1_000)), 'the ledger goes on as ever');
});

test('a file that is not what its writer said is recovered when the ledger is open', async (t) => {
  const { ledger, until, clipOf, release } = await house(t);
  const place = ledger().openClip(TRIGGER);
  const { sha256: whole, ...written } = writeClip(place.partFile, 5_000);
  ledger().sealClip(place.clipId, { ...written, sha256: whole, bytes: 6_000 });
  release();
  await until('it is sealed', () => clipOf(place.clipId)?.state === 'sealed');
  assert.deepEqual([clipOf(place.clipId)?.bytes, clipOf(place.clipId)?.sha256], [5_000, whole]);
});

test('a ledger that is opened again and again refuses nothing between, and forgets no end that it could not be told', async (t) => {
  const { dir, ledger, until, clipOf, isOpen, looks, release, hold } = await house(t);
  release();
  await until('it is open', isOpen);
  const before = ledger().openClip(TRIGGER);
  const written = writeClip(before.partFile, 3_000);
  hold();
  for (const part of ['', '-wal', '-shm']) rmSync(`${ledgerFile(dir)}${part}`, { force: true });
  const seen = looks();
  const between: string[] = [];
  await until('it is looked at again', () => {
    if (!isOpen() && between.length < 5) {
      const place = ledger().openClip(TRIGGER);
      between.push(place.clipId);
      ledger().sealClip(place.clipId, writeClip(place.partFile, 2_000));
    }
    return looks() > seen;
  });
  assert.equal(ledger().sealClip(before.clipId, written), undefined);
  release();
  for (const clipId of [before.clipId, ...between])
    await until(`${clipId} is sealed`, () => clipOf(clipId)?.state === 'sealed');
  assert.ok(between.length > 0);
  assert.equal(clipOf(before.clipId)?.durationMs, written.durationMs, 'with what its writer knew');
});

test('a process that dies while its ledger is not open leaves files that the next one makes clips of, and nothing of what is empty', async (t) => {
  const { ledger, until, clipOf, release, checks, startAnew } = await house(t);
  const whole = ledger().openClip(TRIGGER);
  const written = writeClip(whole.partFile, 5_000);
  const empty = ledger().openClip({ ...TRIGGER, cameraId: 'yard' });
  writeFileSync(empty.partFile, '');
  const unbegun = ledger().openClip(TRIGGER);
  await startAnew();
  release();
  await until('it is checked', () => checks() > 0);
  const clip = clipOf(whole.clipId) ?? assert.fail('it has no row');
  assert.deepEqual([clip.state, clip.triggeredMs], ['sealed', TRIGGER.triggeredMs]);
  assert.equal(sha256(clip.file), written.sha256);
  const lost = clipOf(empty.clipId) ?? assert.fail('it has no row');
  assert.deepEqual(
    [lost.state, lost.reason],
    ['lost', 'the writer ended before a playable fragment was on disk'],
  );
  assert.ok(!existsSync(empty.partFile));
  assert.equal(clipOf(unbegun.clipId), undefined, 'nothing of it was ever there');
});

test('clips of one moment have names of their own, in their order, greater than those of all clips before, whatever the clock says', async (t) => {
  const { clips, ledger } = await house(t, { maxBytes: Number.MAX_SAFE_INTEGER });
  const ids = Array.from({ length: 50 }, () => ledger().openClip({ ...TRIGGER, triggeredMs: 1 }).clipId);
  assert.equal(new Set(ids).size, 50);
  assert.deepEqual(ids.toSorted(), ids);
  for (const clip of clips.filter(({ file }) => existsSync(file)))
    assert.ok((ids[0] ?? '') > clip.clipId, clip.clipId);
});

test('nothing is recorded without a ledger where none has known clips, or where too little is free', async (t) => {
  const unknown = await house(t, { known: false });
  rmSync(markerFile(unknown.dir), { force: true });
  assert.throws(() => unknown.ledger().openClip(TRIGGER), {
    kind: 'exhausted',
    code: 'ledger.clips-unknown',
  });
  const full = await house(t, { minFreeBytes: Number.MAX_SAFE_INTEGER });
  assert.throws(() => full.ledger().openClip(TRIGGER), { kind: 'exhausted', code: 'ledger.disk-full' });
});

test('what is recorded without a ledger stays within an eighth of the byte budget, and counts in it when the ledger is open', async (t) => {
  const { ledger, until, isOpen, release } = await house(t, { maxBytes: 8_000_000 });
  const place = ledger().openClip(TRIGGER);
  assert.throws(() => ledger().openClip(TRIGGER), { kind: 'exhausted', code: 'ledger.budget' });
  ledger().sealClip(place.clipId, writeClip(place.partFile, 600_000));
  const held: string[] = [];
  assert.throws(
    () => {
      for (;;) {
        const next = ledger().openClip(TRIGGER);
        held.push(next.clipId);
        ledger().sealClip(next.clipId, writeClip(next.partFile, 600_000));
        assert.ok(held.length < 20);
      }
    },
    { code: 'ledger.budget' },
  );
  release();
  await until('it is open', isOpen);
  const more = ledger().openClip(TRIGGER);
  assert.ok(ledger().sealClip(more.clipId, writeClip(more.partFile, 1_000)));
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
      ledger().summary();
      return false;
    } catch (error) {
      return /newer/.test((error as Error).message);
    }
  });
  const place = ledger().openClip(TRIGGER);
  ledger().sealClip(place.clipId, writeClip(place.partFile, 2_000));
  assert.throws(() => takeOwnership(dir, 0), { code: 'ledger.in-use' }, 'nobody else records there');
  const again = new Database(ledgerFile(dir));
  again.pragma(`user_version = ${version}`);
  again.prepare(allow).run(reader);
  again.close();
  await until('it is sealed', () => clipOf(place.clipId)?.state === 'sealed');
});

test('who does not own the folder records nothing there, nor who has stopped', async (t) => {
  const { dir } = damageBench(t);
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

test('a check leaves the file of a clip alone that somebody writes, also without a row', async (t) => {
  const { dir } = damageBench(t);
  const writing = new Set<string>();
  const ledger = openLedger(dir, [], { writing });
  t.after(() => ledger.close());
  const { clipId, partFile } = ledger.openClip(TRIGGER);
  const db = new Database(ledgerFile(dir));
  for (const table of ['custody', 'clips']) db.prepare(`DELETE FROM ${table} WHERE clip_id = ?`).run(clipId);
  db.close();
  const written = writeClip(partFile, 2_000);
  await ledger.check({ repair: true });
  assert.equal(sha256(partFile), written.sha256, 'it is where its writer has it');
  const clip = { clipId, ...TRIGGER };
  ledger.enterClips([{ clip, detail: 'its writer goes on' }]);
  assert.equal(ledger.sealClip(clipId, written).state, 'sealed');
});
