/** Clips without a file, when the database is destroyed: nothing on the disk speaks of them but what was kept beside it. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { backUpDatabase } from '../../../../../agent/ledger/care/backup.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import type { Clip, Ledger } from '../../../../../agent/ledger/ledger.ts';
import { benchLedger, type LedgerBench, uploadNext, verdictFor, writeClip } from '../bench.ts';
import { restore } from '../care/damage-bench.ts';

const PARTS = ['', '-wal', '-shm'];
const destroy = (dir: string) => {
  for (const part of PARTS) rmSync(ledgerFile(dir) + part, { force: true });
};

/** Ways in which a database goes. */
const ENDS: Readonly<Record<string, (dir: string) => void>> = {
  gone: destroy,
  'half of it': (dir) => {
    rmSync(`${ledgerFile(dir)}-wal`, { force: true });
    truncateSync(ledgerFile(dir), statSync(ledgerFile(dir)).size >> 1);
  },
  empty: (dir) => {
    destroy(dir);
    writeFileSync(ledgerFile(dir), '');
  },
  garbage: (dir) => {
    destroy(dir);
    writeFileSync(ledgerFile(dir), Buffer.alloc(20_000, 0x5a));
  },
  'the first page': (dir) => {
    const bytes = readFileSync(ledgerFile(dir));
    bytes.fill(0, 0, 4_096);
    writeFileSync(ledgerFile(dir), bytes);
  },
};

/** Uploads a clip and makes its file go to make room. */
const BUDGET = { maxBytes: 60_000, reserveBytes: 0 };
const CLIP_BYTES = 14_000;

/** Clips that end in every way without a file, none of which a backup knows as it ended. */
async function endWithoutFile(bench: LedgerBench): Promise<Clip[]> {
  const { ledger } = bench;
  const ended: string[] = [];
  const next = async () => {
    await bench.clock.advance(1_000);
    return bench.sealed(CLIP_BYTES);
  };
  // Judged, and uploaded: their files go for the clips that follow.
  for (let turn = 0; turn < 4; turn++) {
    await next();
    const { clipId } = uploadNext(ledger);
    if (turn % 2 === 0) ledger.applyVerdict(verdictFor(clipId));
    ended.push(clipId);
  }
  // Never uploaded: given up by the policy.
  for (let turn = 0; turn < 3; turn++) ended.push((await next()).clipId);
  for (let turn = 0; turn < 4; turn++) await next();
  // Never begun, and given up by hand.
  const nothing = bench.open();
  ledger.loseClip(nothing.clipId, 'the writer ended before anything was on disk');
  const asked = await next();
  ledger.loseClip(asked.clipId, 'somebody asked for it');
  return [...ended, nothing.clipId, asked.clipId].flatMap((clipId) => ledger.clip(clipId) ?? []);
}

const withoutFile = (clips: readonly Clip[]) => clips.filter(({ file }) => !existsSync(file));

const told = (clip: Clip | undefined) =>
  clip && {
    ...{ clipId: clip.clipId, cameraId: clip.cameraId, state: clip.state, blobUrl: clip.blobUrl },
    ...{ bytes: clip.bytes, sha256: clip.sha256, verdict: clip.verdict, reason: clip.reason },
    ...{ triggeredMs: clip.triggeredMs, uploadedMs: clip.uploadedMs, clockQuality: clip.clockQuality },
  };

/** The house comes back, and knows of all of them what it knew. */
async function holds(bench: LedgerBench, clips: readonly Clip[], what: string): Promise<Ledger> {
  await restore(bench.dir);
  const ledger = bench.reopen();
  await ledger.check({ repair: true, deep: true });
  assert.deepEqual((await ledger.check({ repair: false, deep: true })).problems, [], what);
  for (const clip of clips) {
    assert.deepEqual(told(ledger.clip(clip.clipId)), told(clip), what);
    assert.match(
      ledger
        .custody(clip.clipId)
        .map(({ detail }) => detail)
        .join(),
      /taken|damaged ledger/,
      `${what}: custody says from where`,
    );
  }
  return ledger;
}

for (const [what, end] of Object.entries(ENDS))
  test(`whatever is destroyed of the database (${what}), a clip whose file is gone is known as it was`, async (t) => {
    const bench = benchLedger(t, BUDGET);
    const clips = withoutFile(await endWithoutFile(bench));
    const states = new Set(clips.map(({ state }) => state));
    assert.deepEqual([...states].toSorted(), ['judged', 'lost', 'uploaded'], 'of every kind');
    bench.ledger.close();
    end(bench.dir);
    await holds(bench, clips, what);
  });

test('what is younger than the backup is believed, and what the backup knows better is not', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const early = bench.sealed(CLIP_BYTES);
  const before = withoutFile(await endWithoutFile(bench));
  await backUpDatabase(bench.dir);
  // The backup says "uploaded", or "sealed", and that the file is there.
  const after = withoutFile(await endWithoutFile(bench));
  const clips = [early, ...before, ...after].flatMap(({ clipId }) => bench.ledger.clip(clipId) ?? []);
  bench.ledger.close();
  destroy(bench.dir);
  await holds(bench, withoutFile(clips), 'with a backup');
});

test('a verdict that comes when the file is gone already is known after the database is destroyed', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const clips = withoutFile(await endWithoutFile(bench));
  const clip = clips.find(({ state }) => state === 'uploaded');
  assert.ok(clip);
  bench.ledger.applyVerdict(verdictFor(clip.clipId, 3));
  const judged = bench.ledger.clip(clip.clipId);
  assert.equal(judged?.state, 'judged');
  bench.ledger.close();
  destroy(bench.dir);
  await holds(bench, [judged], 'judged late');
});

test('a second destruction, soon after the first, takes nothing either', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const first = withoutFile(await endWithoutFile(bench));
  bench.ledger.close();
  destroy(bench.dir);
  await holds(bench, first, 'the first time');
  const second = withoutFile(await endWithoutFile(bench));
  bench.ledger.close();
  destroy(bench.dir);
  const clips = [...first, ...second];
  await holds(bench, clips, 'the second time');
});

/** Copies the database as it is now. @returns puts it in the place of what follows */
function keepDatabase({ dir }: LedgerBench): () => void {
  const parts = PARTS.filter((part) => existsSync(ledgerFile(dir) + part));
  for (const part of parts) copyFileSync(ledgerFile(dir) + part, join(dir, `older${part}`));
  return () => {
    destroy(dir);
    for (const part of parts) copyFileSync(join(dir, `older${part}`), ledgerFile(dir) + part);
  };
}

test('a whole database that is older than the removals, as after a lost log, is put right before anything is done', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const known = bench.sealed(CLIP_BYTES);
  bench.ledger.close();
  const putBack = keepDatabase(bench);
  bench.reopen();
  const clips = withoutFile(await endWithoutFile(bench));
  const old = bench.ledger.clip(known.clipId);
  assert.ok(old && !existsSync(old.file), 'the first one has gone as well');
  bench.ledger.close();
  putBack();
  await restore(bench.dir);
  bench.reopen();
  for (const clip of [old, ...clips]) assert.deepEqual(told(bench.ledger.clip(clip.clipId)), told(clip));
  await holds(bench, [old, ...clips], 'an older database');
});

/** The files beside the database that are neither it nor its backup. */
const notesIn = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('ledger.gone.'));

test('a line that was torn, or damaged, costs itself alone, and what follows is read', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const clips = withoutFile(await endWithoutFile(bench));
  bench.ledger.close();
  const [name] = notesIn(bench.dir);
  assert.ok(name);
  appendFileSync(join(bench.dir, name), '\n0123456789abcdef {"seq":1,"row":{"cl');
  bench.reopen();
  const more = withoutFile(await endWithoutFile(bench));
  bench.ledger.close();
  destroy(bench.dir);
  await holds(bench, [...clips, ...more], 'torn');
});

for (const backedUp of [false, true])
  test(`notes that a killed process had not written yet are written at the next start (backup: ${backedUp})`, async (t) => {
    const bench = benchLedger(t, BUDGET);
    const before = withoutFile(await endWithoutFile(bench));
    if (backedUp) {
      const isInPlace = bench.ledger.backupBegins();
      await backUpDatabase(bench.dir);
      isInPlace();
    }
    const after = withoutFile(await endWithoutFile(bench));
    bench.ledger.close();
    for (const name of notesIn(bench.dir)) rmSync(join(bench.dir, name));
    bench.reopen();
    bench.ledger.summary();
    bench.ledger.close();
    destroy(bench.dir);
    await holds(bench, [...before, ...after], 'noted at the start');
  });

test('whatever stands in the place of the notes, room is made, and nothing waits for it', async (t) => {
  const bench = benchLedger(t, BUDGET);
  bench.ledger.close();
  mkdirSync(join(bench.dir, 'ledger.gone.1'));
  writeFileSync(join(bench.dir, 'ledger.gone.2'), Buffer.alloc(5_000, 7));
  bench.reopen();
  const clips = withoutFile(await endWithoutFile(bench));
  assert.ok(clips.length > 4);
  bench.ledger.close();
  destroy(bench.dir);
  await holds(bench, clips, 'beside a folder');
});

test('a backup in place ends the notes that it knows of, and no other', async (t: TestContext) => {
  const bench = benchLedger(t, BUDGET);
  const before = withoutFile(await endWithoutFile(bench));
  const [old] = notesIn(bench.dir);
  const isInPlace = bench.ledger.backupBegins();
  await backUpDatabase(bench.dir);
  // While it was made, others went.
  const meanwhile = withoutFile(await endWithoutFile(bench));
  isInPlace();
  assert.ok(!notesIn(bench.dir).includes(old ?? ''), 'they are gone');
  const after = withoutFile(await endWithoutFile(bench));
  bench.ledger.close();
  destroy(bench.dir);
  await holds(bench, [...before, ...meanwhile, ...after], 'with a backup');
});

test('without a backup for ever the notes stay within their bound', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const reason = 'x'.repeat(60_000);
  for (let turn = 0; turn < 100; turn++) bench.ledger.loseClip(bench.open().clipId, `${reason} ${turn}`);
  const bytes = notesIn(bench.dir).reduce((sum, name) => sum + statSync(join(bench.dir, name)).size, 0);
  assert.ok(bytes > 3_000_000 && bytes < 5_000_000, `${bytes} bytes`);
  const clip = bench.open();
  bench.ledger.loseClip(clip.clipId, 'the newest');
  bench.ledger.close();
  destroy(bench.dir);
  await restore(bench.dir);
  assert.equal(bench.reopen().clip(clip.clipId)?.reason, 'the newest');
});

test('a clip that is written down as gone, and whose file stays, is taken for what it is', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  const { file } = clip;
  const bytes = readFileSync(file);
  bench.ledger.loseClip(clip.clipId, 'somebody asked for it');
  writeClip(file, bytes.length, bytes);
  bench.ledger.close();
  destroy(bench.dir);
  await restore(bench.dir);
  await bench.reopen().check({ repair: true, deep: true });
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
  assert.equal(bench.ledger.clip(clip.clipId)?.sha256, clip.sha256);
});

test('what has been put right once is not put right again, and what happens after that stands', async (t) => {
  const bench = benchLedger(t, BUDGET);
  const clips = withoutFile(await endWithoutFile(bench));
  bench.ledger.close();
  destroy(bench.dir);
  const ledger = await holds(bench, clips, 'once');
  const uploaded = clips.find(({ state }) => state === 'uploaded');
  assert.ok(uploaded);
  const lines = new Map(clips.map(({ clipId }) => [clipId, ledger.custody(clipId).length]));
  ledger.applyVerdict(verdictFor(uploaded.clipId, 2));
  for (let turn = 0; turn < 3; turn++) bench.reopen();
  assert.equal(bench.ledger.clip(uploaded.clipId)?.state, 'judged');
  for (const { clipId } of clips)
    assert.equal(
      bench.ledger.custody(clipId).length,
      (lines.get(clipId) ?? 0) + (clipId === uploaded.clipId ? 1 : 0),
    );
});
