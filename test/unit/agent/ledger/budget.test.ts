import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { benchLedger, uploadNext, verdictFor, writeClip } from './bench.ts';

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
