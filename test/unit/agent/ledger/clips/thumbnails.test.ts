import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { keepThumbnail, thumbnailOf } from '../../../../../agent/ledger/ledger.ts';
import { benchLedger, writeClip } from '../bench.ts';

const JPEG = Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(500, 7), Buffer.from('ffd9', 'hex')]);

test('a clip that is being recorded gets its small picture, and keeps it when it is sealed', (t) => {
  const bench = benchLedger(t);
  const clip = bench.open();
  const written = writeClip(clip.partFile, 1_000);
  assert.equal(keepThumbnail(clip.partFile, JPEG), true);
  bench.ledger.sealClip(clip.clipId, written);
  assert.ok(readFileSync(thumbnailOf(clip.file)).equals(JPEG));
  assert.ok(!existsSync(`${thumbnailOf(clip.file)}.tmp`));
});

test('a small picture goes with its clip, for whatever reason that goes', async (t) => {
  const bench = benchLedger(t, { maxBytes: 10_000 });
  const [oldest, ...others] = [1, 2, 3].map(() => {
    const clip = bench.sealed(3_000);
    keepThumbnail(clip.file, JPEG);
    return clip;
  });
  assert.ok(oldest && others[0] && others[1]);
  // Makes room for it: the oldest goes.
  bench.sealed(3_000);
  assert.ok(!existsSync(oldest.file) && !existsSync(thumbnailOf(oldest.file)));
  bench.ledger.loseClip(others[0].clipId, 'a person said so');
  assert.ok(!existsSync(thumbnailOf(others[0].file)));
  rmSync(others[1].file);
  bench.ledger.loseClip(others[1].clipId, 'a person said so');
  assert.ok(!existsSync(thumbnailOf(others[1].file)));
});

test('a clip that is not there any more gets no picture', (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  bench.ledger.loseClip(clip.clipId, 'a person said so');
  assert.equal(keepThumbnail(clip.file, JPEG), false);
  assert.ok(!existsSync(thumbnailOf(clip.file)));
});

test('a picture that cannot be written or removed fails no clip', (t) => {
  const bench = benchLedger(t, { maxBytes: 10_000 });
  const clip = bench.sealed(3_000);
  // A folder under its name, which cannot be moved away either, is in nobody's way.
  mkdirSync(join(thumbnailOf(clip.file), 'inside'), { recursive: true });
  bench.ledger.loseClip(clip.clipId, 'a person said so');
  assert.ok(!existsSync(clip.file));
  const next = bench.sealed(3_000);
  const folder = dirname(next.file);
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0o500);
    assert.throws(() => keepThumbnail(next.file, JPEG), { name: 'Failure' });
    chmodSync(folder, 0o700);
  }
  symlinkSync('/etc/passwd', thumbnailOf(next.file));
  keepThumbnail(next.file, JPEG);
  assert.ok(readFileSync(thumbnailOf(next.file)).equals(JPEG), 'the link was moved aside');
});

test('what a kill left of small pictures is swept, and nothing else', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  keepThumbnail(clip.file, JPEG);
  const writing = bench.open();
  writeClip(writing.partFile, 1_000);
  keepThumbnail(writing.partFile, JPEG);
  const away = [1, 2].map(() => bench.sealed(1_000, 'yard'));
  for (const { file } of away) {
    keepThumbnail(file, JPEG);
    // Taken away by a person, who may bring them back.
    rmSync(file);
  }
  const folder = dirname(clip.file);
  const junk = [
    `${thumbnailOf(clip.file)}.tmp`,
    join(folder, '01KAPZ8Y4M3VQ7T0C2N5R8X1DB.jpg'),
    join(folder, '01KAPZ8Y4M3VQ7T0C2N5R8X1DC.jpg.tmp'),
  ];
  const foreign = [join(folder, 'holiday.jpg'), join(folder, 'notes.txt')];
  for (const file of [...junk, ...foreign]) writeFileSync(file, 'x');
  await bench.ledger.check({ repair: false });
  assert.ok(junk.every(existsSync), 'a check that may not repair changes nothing');
  await bench.ledger.check({ repair: true });
  assert.deepEqual(junk.filter(existsSync), []);
  const kept = [...foreign, ...[clip, writing, ...away].map(({ file }) => thumbnailOf(file))];
  assert.deepEqual(
    kept.filter((file) => !existsSync(file)),
    [],
  );
});
