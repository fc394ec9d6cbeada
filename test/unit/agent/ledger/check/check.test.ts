import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { benchLedger, keepWhole, uploadNext, writeClip } from '../bench.ts';

const clean = (clips: number) => ({ clips, ok: clips, repaired: 0, repairable: 0, problems: [] });

test('a clip being written by this process is left alone', async (t) => {
  const { ledger, open } = benchLedger(t);
  writeClip(open().partFile, 100);
  assert.deepEqual(await ledger.check({ repair: true }), clean(1));
});

test('what a killed writer left is sealed, and what left nothing is lost with the reason', async (t) => {
  const bench = benchLedger(t);
  const torn = bench.open();
  writeClip(torn.partFile, 100);
  const renamed = bench.open();
  writeClip(renamed.partFile, 200);
  renameSync(renamed.partFile, renamed.file);
  const empty = bench.open();
  writeFileSync(empty.partFile, '');
  const none = bench.open();
  const ledger = bench.reopen();
  assert.deepEqual(await ledger.check({ repair: false }), { ...clean(4), ok: 0, repairable: 4 });
  assert.deepEqual(await ledger.check({ repair: true }), { ...clean(4), ok: 0, repaired: 4 });
  assert.deepEqual(await ledger.check({ repair: true }), clean(4));
  assert.deepEqual(
    [torn, renamed, empty, none].map(({ clipId }) => ledger.clip(clipId)?.state),
    ['sealed', 'sealed', 'lost', 'lost'],
  );
  assert.match(ledger.clip(empty.clipId)?.reason ?? '', /before a playable fragment/);
  assert.match(ledger.clip(none.clipId)?.reason ?? '', /before anything was on disk/);
  assert.equal(ledger.clip(torn.clipId)?.durationMs, 10_000);
});

test('a repair that keeps failing ends with the file set aside, never deleted', async (t) => {
  const bench = benchLedger(t, {
    recoverTorn: async () => {
      throw new Error('the file confuses me');
    },
  });
  const clip = bench.open();
  writeClip(clip.partFile, 100);
  for (let start = 1; start <= 3; start++) {
    const { problems } = await bench.reopen().check({ repair: true });
    assert.equal(problems.length, start < 3 ? 1 : 0);
  }
  assert.match(bench.ledger.clip(clip.clipId)?.reason ?? '', /set aside in quarantine/);
  assert.deepEqual(readdirSync(join(bench.dir, 'quarantine')), [`gate_${clip.clipId}.mp4.part`]);
});

test('a part file that cannot be played is set aside when it holds anything, and removed when it holds nothing', async (t) => {
  const bench = benchLedger(t, { recoverTorn: async () => undefined });
  const [bytes, zeros] = [bench.open(), bench.open()];
  writeClip(bytes.partFile, 100);
  writeFileSync(zeros.partFile, Buffer.alloc(3_000_000));
  const ledger = bench.reopen();
  await ledger.check({ repair: true });
  assert.match(ledger.clip(bytes.clipId)?.reason ?? '', /set aside in quarantine/);
  assert.match(ledger.clip(zeros.clipId)?.reason ?? '', /before a playable fragment/);
  assert.deepEqual(readdirSync(join(bench.dir, 'quarantine')), [`gate_${bytes.clipId}.mp4.part`]);
  assert.equal(existsSync(zeros.partFile), false);
});

test('custody says what a repair kept and set aside', async (t) => {
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      const found = await keepWhole(file);
      return found && { ...found, detail: 'kept 39 of 40 fragments, 152 kB set aside in the clip' };
    },
  });
  const clip = bench.open();
  writeClip(clip.partFile, 100);
  const ledger = bench.reopen();
  await ledger.check({ repair: true });
  const sealed = ledger.custody(clip.clipId).find(({ event }) => event === 'seal');
  assert.equal(
    sealed?.detail,
    'recovered after its writer died: kept 39 of 40 fragments, 152 kB set aside in the clip',
  );
});

test('a torn clip is repaired while the agent runs', async (t) => {
  const { ledger, open } = benchLedger(t);
  const clip = open();
  writeClip(clip.partFile, 100);
  await ledger.recoverClip(clip.clipId);
  assert.equal(ledger.clip(clip.clipId)?.state, 'sealed');
  await ledger.recoverClip(clip.clipId);
});

test('a sealed clip whose file is missing is reported and lost with the reason', async (t) => {
  const { ledger, sealed } = benchLedger(t);
  const clip = sealed();
  rmSync(clip.file);
  const look = await ledger.check({ repair: false });
  assert.match(look.problems[0]?.problem ?? '', /file is missing and it was never uploaded/);
  assert.equal(ledger.clip(clip.clipId)?.state, 'sealed', 'looking changes nothing');
  await ledger.check({ repair: true });
  assert.equal(ledger.clip(clip.clipId)?.state, 'lost');
  assert.deepEqual(await ledger.check({ repair: true }), clean(1));
});

test('an uploaded clip whose file is missing stays uploaded', async (t) => {
  const { ledger, sealed } = benchLedger(t);
  const clip = sealed();
  uploadNext(ledger);
  rmSync(clip.file);
  assert.equal((await ledger.check({ repair: true })).problems.length, 1);
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded');
  assert.deepEqual(await ledger.check({ repair: true }), clean(1));
});

test('a removal that was cut short is finished', async (t) => {
  const { ledger, sealed } = benchLedger(t);
  const clip = sealed();
  ledger.loseClip(clip.clipId, 'given up');
  writeFileSync(clip.file, 'the cut came before the file was removed');
  assert.equal((await ledger.check({ repair: false })).repairable, 1);
  assert.equal((await ledger.check({ repair: true })).repaired, 1);
  assert.ok(!existsSync(clip.file));
});

test('a clip file without a row that can be played is taken up, with its name in storage, and uploaded', async (t) => {
  const { ledger, dir, clock } = benchLedger(t);
  const folder = join(dir, 'clips', 'gate');
  mkdirSync(folder, { recursive: true });
  const clipId = '01KT1GW6G0000000000000000A';
  writeFileSync(join(folder, `${clipId}.mp4`), 'evidence');
  assert.deepEqual(await ledger.check({ repair: true }), clean(1));
  const clip = ledger.clip(clipId);
  assert.deepEqual(
    [clip?.state, clip?.bytes, clip?.blobName],
    [
      'sealed',
      8,
      `gate/${new Date(clock.nowMs()).toISOString().slice(0, 10).replaceAll('-', '/')}/${clipId}.mp4`,
    ],
  );
  assert.equal(ledger.leaseNext()?.clip.clipId, clipId);
});

test('a clip file without a row that cannot be played is moved to quarantine and reported, never deleted', async (t) => {
  const { ledger, dir } = benchLedger(t);
  const folder = join(dir, 'clips', 'gate');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '01ARYZ6S410000000000000000.mp4'), '');
  assert.equal((await ledger.check({ repair: false })).problems.length, 1);
  assert.match(
    (await ledger.check({ repair: true })).problems[0]?.problem ?? '',
    /belongs to no clip; it lies in/,
  );
  assert.deepEqual(readdirSync(join(dir, 'quarantine')), ['gate_01ARYZ6S410000000000000000.mp4']);
  assert.deepEqual(await ledger.check({ repair: true }), clean(0));
});

test('a file of the wrong size is reported; other bytes of the same size only when asked to read', async (t) => {
  const { ledger, sealed } = benchLedger(t);
  const short = sealed(1_000);
  const other = sealed(1_000);
  truncateSync(short.file, 999);
  writeFileSync(other.file, Buffer.alloc(1_000, 'x'));
  assert.deepEqual(
    (await ledger.check({ repair: false })).problems.map((one) => one.clipId),
    [short.clipId],
  );
  assert.deepEqual(
    (await ledger.check({ repair: false, deep: true })).problems.map((one) => one.clipId),
    [short.clipId, other.clipId],
  );
});
