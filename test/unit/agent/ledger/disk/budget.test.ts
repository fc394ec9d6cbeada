import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { benchLedger, uploadNext, verdictFor, writeClip } from '../bench.ts';

/** Room for three clips of 10,000 bytes and one that is being opened. */
const THREE = { maxBytes: 40_000 };

test('files of clips in storage go first, judged before uploaded, and their rows stay', (t) => {
  const { ledger, sealed, open } = benchLedger(t, THREE);
  const clips = [sealed(10_000), sealed(10_000), sealed(10_000)];
  uploadNext(ledger);
  uploadNext(ledger);
  ledger.applyVerdict(verdictFor(clips[2]!.clipId));
  open();
  assert.deepEqual(
    clips.map((clip) => existsSync(clip.file)),
    [true, true, true],
    'still within the budget',
  );
  open();
  assert.deepEqual(
    clips.map((clip) => existsSync(clip.file)),
    [true, true, false],
  );
  open();
  assert.deepEqual(
    clips.map((clip) => existsSync(clip.file)),
    [true, false, false],
  );
  assert.equal(ledger.clip(clips[2]!.clipId)?.state, 'judged');
  assert.ok(ledger.custody(clips[2]!.clipId).some((entry) => entry.detail === 'file removed: byte budget'));
});

test('a clip that is nowhere else is given up only last, oldest first, and the policy names itself', (t) => {
  const { ledger, lines, sealed, open } = benchLedger(t, THREE);
  const clips = [sealed(10_000), sealed(10_000), sealed(10_000)];
  open();
  open();
  const oldest = ledger.clip(clips[0]!.clipId);
  assert.equal(oldest?.state, 'lost');
  assert.equal(oldest.reason, 'file removed: byte budget');
  assert.ok(!existsSync(clips[0]!.file) && existsSync(clips[1]!.file));
  assert.ok(lines.some((line) => line.includes('clip.lost')));
});

test('neither a clip being uploaded nor one being recorded is given up: the next one is refused', (t) => {
  const { ledger, sealed, open } = benchLedger(t, { maxBytes: 20_000 });
  const clip = sealed(10_000);
  const lease = ledger.leaseNext()!;
  open();
  open();
  assert.throws(
    () => open(),
    (error) => error instanceof Failure && error.kind === 'exhausted' && error.code === 'ledger.budget',
  );
  assert.ok(existsSync(clip.file));
  assert.equal(ledger.settleUploaded(lease, 'https://x/y'), true);
  open();
  assert.ok(!existsSync(clip.file));
});

test('a recording that grows beyond what was expected counts with what it has', (t) => {
  const { ledger, sealed, open } = benchLedger(t, { maxBytes: 50_000 });
  const clip = sealed(10_000);
  uploadNext(ledger);
  writeClip(open().partFile, 35_000);
  open();
  assert.ok(!existsSync(clip.file));
});

test('below the floor of the disk the same policy makes room', (t) => {
  let free = 1_000_000_000;
  const { ledger, sealed, open } = benchLedger(t, { minFreeBytes: 500_000, freeBytes: () => free });
  const clip = sealed(10_000);
  uploadNext(ledger);
  free = 505_000;
  open();
  assert.ok(!existsSync(clip.file));
  assert.ok(ledger.custody(clip.clipId).some((entry) => entry.detail === 'file removed: disk nearly full'));
});

test('when others have filled the disk a clip is refused, and nothing is removed in vain', (t) => {
  let free = 1_000_000_000;
  const { ledger, sealed, open } = benchLedger(t, { minFreeBytes: 500_000, freeBytes: () => free });
  const clips = [sealed(10_000), sealed(10_000)];
  uploadNext(ledger);
  free = 1_000;
  assert.throws(
    () => open(),
    (error) => error instanceof Failure && error.kind === 'exhausted' && error.code === 'ledger.disk-full',
  );
  assert.ok(clips.every((clip) => existsSync(clip.file)));
  assert.equal(ledger.summary().clips, 2, 'a refused clip has no row');
});

test('a trigger waits for sixteen removals at most, the others follow in steps, and their number refuses nothing', async (t) => {
  const bench = benchLedger(t, { maxBytes: 500_000 });
  const clips = Array.from({ length: 400 }, () => bench.sealed(1_000));
  // Settings now allow a tenth of it.
  bench.reopen({ maxBytes: 40_000 });
  const onDisk = () => clips.filter(({ file }) => existsSync(file)).length;
  assert.equal(bench.open().state, 'recording', 'it is recorded at once');
  const afterTrigger = onDisk();
  assert.ok(afterTrigger >= 400 - 16 && afterTrigger < 400, `${afterTrigger} are left`);

  let turns = 0;
  let longest = 0;
  let before = afterTrigger;
  const done = new AbortController();
  const turning = (async () => {
    while (!done.signal.aborted) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = onDisk();
      longest = Math.max(longest, before - now);
      before = now;
      turns += 1;
    }
  })();
  await bench.ledger.tend();
  done.abort();
  await turning;
  assert.ok(longest <= 16, `${longest} went in one step`);
  assert.ok(turns > 20);
  assert.ok(onDisk() <= 40);
  const lost = clips.filter(({ clipId }) => bench.ledger.clip(clipId)?.state === 'lost');
  assert.deepEqual(lost, clips.slice(0, lost.length), 'the oldest went');
  assert.ok(lost.every(({ clipId }) => bench.ledger.clip(clipId)?.reason === 'file removed: byte budget'));
});

test('room is kept ahead, so that the next trigger removes nothing', async (t) => {
  const { ledger, sealed, open } = benchLedger(t, { maxBytes: 100_000 });
  const clips = Array.from({ length: 10 }, () => sealed(10_000));
  for (let n = 0; n < 4; n++) uploadNext(ledger);
  await ledger.tend();
  const onDisk = () => clips.filter(({ file }) => existsSync(file)).length;
  const before = onDisk();
  assert.ok(before < 10);
  open();
  assert.equal(onDisk(), before);
  assert.ok(
    clips.every(({ clipId }) => ledger.clip(clipId)?.state !== 'lost'),
    'ahead of need only what is in storage goes while there is some',
  );
});

test('when files go and the disk gets no room of it, no more of them go', async (t) => {
  let free = 1_000_000_000;
  const { ledger, sealed, open, standing } = benchLedger(t, { freeBytes: () => free });
  const clips = Array.from({ length: 6 }, () => sealed(5_000_000));
  // Full, and somebody holds the files open, or a snapshot does.
  free = 2_000_000;
  open();
  for (let n = 0; n < 10; n++) {
    assert.throws(
      () => open(),
      (error) => error instanceof Failure && error.kind === 'exhausted',
    );
    await ledger.tend();
  }
  assert.deepEqual(
    clips.map(({ clipId }) => ledger.clip(clipId)?.state),
    ['lost', ...Array.from({ length: 5 }, () => 'sealed')],
  );
  assert.ok(standing().includes('clip-unremovable'));
});
