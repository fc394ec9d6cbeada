import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { recoverTornClip } from '../../../../../agent/capture/recovery/recover.ts';
import { sha256Of } from '../../../../../agent/ledger/clips/clip-files.ts';
import { madeBytes, madeInit, seconds } from '../../capture/made-fragments.ts';
import { benchLedger, uploadNext, writeClip } from '../bench.ts';

const PARTS = seconds(4).map((second) => madeBytes({ ...second, frames: 2, frameMs: 500, frameBytes: 600 }));
const CLIP = Buffer.concat([madeInit(), ...PARTS]);
const HOUR_MS = 3_600_000;

/** A sealed clip of four real fragments, whose file is then changed. */
function damaged(t: TestContext, change: (file: string) => void) {
  const bench = benchLedger(t, { recoverTorn: recoverTornClip });
  const opened = bench.open();
  const clip = bench.ledger.sealClip(opened.clipId, writeClip(opened.partFile, CLIP.length, CLIP));
  const harm = () => change(clip.file);
  const custody = () => bench.ledger.custody(clip.clipId);
  const now = () => bench.ledger.clip(clip.clipId);
  return { bench, clip, harm, custody, now };
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}
const endOf = (parts: number) => CLIP.length - PARTS.slice(parts).reduce((sum, part) => sum + part.length, 0);

for (const [what, change, kept] of [
  ['is cut', (file: string) => truncateSync(file, CLIP.length - 100), /kept 3 of 4 fragments/],
  [
    'has a fragment that is none any more',
    (file: string) => flip(file, endOf(1) + 5),
    /kept 3 of 4 fragments/,
  ],
  ['has a damaged picture', (file: string) => flip(file, CLIP.length - 100), /pictures may be damaged/],
] as const)
  test(`a sealed clip whose file ${what}: what still plays is kept and uploaded, and custody says what happened`, async (t) => {
    const { bench, clip, harm, custody, now } = damaged(t, change);
    harm();
    const { problems } = await bench.ledger.check({ repair: true, deep: true });
    assert.match(problems.map(({ problem }) => problem).join(), kept);
    const line = custody().find(({ event }) => event === 'salvage');
    assert.match(line?.detail ?? '', kept);
    assert.ok(line?.detail?.includes(String(clip.sha256)), 'the checksum of before is not forgotten');
    assert.deepEqual(
      [now()?.state, now()?.sha256, now()?.bytes],
      ['sealed', await sha256Of(clip.file), readFileSync(clip.file).length],
    );
    assert.ok(bench.standing().includes('clips-lost'), 'it is told');
    assert.deepEqual((await bench.ledger.check({ repair: true, deep: true })).problems, []);
    assert.equal(uploadNext(bench.ledger).clipId, clip.clipId);
    await bench.ledger.tend();
    assert.deepEqual(bench.standing(), [], 'what is left of it is safe');
  });

test('a clip of which nothing plays any more is lost, with the reason, and its file is kept aside', async (t) => {
  const { bench, clip, harm, now } = damaged(t, (file) => writeFileSync(file, Buffer.alloc(5_000, 0x5a)));
  harm();
  await bench.ledger.check({ repair: true, deep: true });
  assert.equal(now()?.state, 'lost');
  assert.match(now()?.reason ?? '', /bytes instead of .*nothing of it plays.*quarantine/);
  assert.equal(readdirSync(join(bench.dir, 'quarantine')).length, 1);
  assert.ok(!existsSync(clip.file));
});

test('a clip that was parked for its file is salvaged by the hourly look, and goes up again', async (t) => {
  const { bench, clip, harm, now } = damaged(t, (file) => flip(file, CLIP.length - 100));
  harm();
  const lease = bench.ledger.leaseNext();
  assert.ok(lease);
  // As the uploader does, which has asked storage first.
  bench.ledger.noteNotInStorage(lease, 'storage does not have it');
  assert.ok(bench.ledger.settleParked(lease, 'upload.file-changed: the file has changed since'));
  await bench.clock.advance(HOUR_MS);
  await bench.ledger.tend();
  assert.equal(now()?.state, 'sealed');
  assert.equal(bench.ledger.leaseNext()?.clip.sha256, await sha256Of(clip.file));
});

test('a clip that its uploader has begun with is left to it: storage may have it as it was', async (t) => {
  const { bench, clip, harm, custody, now } = damaged(t, (file) => flip(file, CLIP.length - 100));
  const lease = bench.ledger.leaseNext();
  assert.ok(lease);
  harm();
  for (let turn = 0; turn < 2; turn += 1) {
    const { problems } = await bench.ledger.check({ repair: true, deep: true });
    assert.match(problems.map(({ problem }) => problem).join(), /^(?:|.*storage may have it.*)$/);
    assert.equal(now()?.sha256, clip.sha256);
    // The answer of storage was lost.
    bench.ledger.settleFailed(lease, 'the answer was lost', 0);
  }
  assert.deepEqual(
    custody().filter(({ event }) => event === 'salvage'),
    [],
  );
});

test('a damaged clip that cannot be read just now stays as it is, is told, and is saved when it can be', async (t) => {
  let isReadable = false;
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      if (!isReadable) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', errno: -5 });
      return recoverTornClip(file);
    },
  });
  const opened = bench.open();
  const clip = bench.ledger.sealClip(opened.clipId, writeClip(opened.partFile, CLIP.length, CLIP));
  truncateSync(clip.file, CLIP.length - 100);
  const first = await bench.ledger.check({ repair: true });
  assert.match(first.problems[0]?.problem ?? '', /nothing can be saved yet.*EIO/);
  assert.equal(bench.ledger.clip(clip.clipId)?.sha256, clip.sha256);
  isReadable = true;
  await bench.ledger.check({ repair: true });
  assert.match(bench.ledger.custody(clip.clipId).at(-1)?.detail ?? '', /kept 3 of 4/);
});
