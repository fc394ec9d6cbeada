import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { benchLedger, uploadNext } from '../bench.ts';

/** Room for three clips of 10,000 bytes and one that is being opened. */
const THREE = { maxBytes: 40_000 };

/** Puts a folder, which no unlink removes, in place of a file. */
function blockRemoval(file: string): () => void {
  renameSync(file, `${file}.kept-aside`);
  mkdirSync(file);
  return () => {
    rmdirSync(file);
    renameSync(`${file}.kept-aside`, file);
  };
}

test('a clip file that cannot be removed costs no other clip, and is still there when it can be', async (t) => {
  const { ledger, sealed, open, standing, clock } = benchLedger(t, { maxBytes: 20_000 });
  const stuck = sealed(10_000);
  const other = sealed(10_000);
  const unblock = blockRemoval(stuck.file);
  const states = () => [stuck, other].map(({ clipId }) => ledger.clip(clipId)?.state);
  for (let trigger = 0; trigger < 21; trigger++) {
    try {
      ledger.loseClip(open().clipId, 'the camera went away');
    } catch (error) {
      assert.ok(error instanceof Failure && error.kind === 'exhausted');
    }
  }
  assert.deepEqual(
    states(),
    ['sealed', 'sealed'],
    'a file that is still there is not lost, nor is its neighbour',
  );
  assert.deepEqual(standing(), ['clip-unremovable']);
  unblock();
  await ledger.check({ repair: true });
  assert.ok(existsSync(stuck.file) && existsSync(other.file), 'the fault is gone, the evidence is not');
  assert.deepEqual(states(), ['sealed', 'sealed']);
  // It may go now, and does when room is needed.
  await clock.advance(2 * 60_000);
  open();
  open();
  open();
  await ledger.tend();
  assert.equal(states()[0], 'lost');
  assert.ok(!existsSync(stuck.file));
  assert.deepEqual(standing(), []);
});

test('many files that cannot be removed: every clip that is lost has lost its file', async (t) => {
  const { ledger, sealed, open } = benchLedger(t, { maxBytes: 60_000 });
  const clips = Array.from({ length: 20 }, (_, n) => sealed(1_000, n % 2 === 0 ? 'gate' : 'yard'));
  for (const clip of clips.slice(0, 15)) blockRemoval(clip.file);
  for (let n = 0; n < 40; n++) {
    sealed(10_000, 'yard');
    await ledger.tend();
  }
  open('gate');
  const all = ledger.clips({ limit: 1_000 });
  for (const clip of all)
    if (clip.state === 'lost') {
      assert.ok(!existsSync(clip.file), `${clip.clipId} is lost and its file is there`);
      assert.equal(clip.reason, 'file removed: byte budget');
    }
  assert.ok(clips.slice(0, 15).every(({ clipId }) => ledger.clip(clipId)?.state === 'sealed'));
});

test('an uploaded clip whose file cannot be removed keeps answering for it', async (t) => {
  const { ledger, sealed, open, clock } = benchLedger(t, THREE);
  const clip = sealed(10_000);
  uploadNext(ledger);
  const unblock = blockRemoval(clip.file);
  sealed(10_000);
  sealed(10_000);
  open();
  open();
  assert.equal(ledger.clip(clip.clipId)?.state, 'uploaded');
  unblock();
  await clock.advance(2 * 60_000);
  open();
  assert.ok(!existsSync(clip.file));
});

test('a file that is immutable stays sealed; the next clip is recorded', (t) => {
  const { ledger, sealed, open } = benchLedger(t, { maxBytes: 20_000 });
  const clip = sealed(10_000);
  try {
    execFileSync('chattr', ['+i', clip.file], { stdio: 'ignore' });
  } catch {
    t.skip('this system or this user cannot make a file immutable');
    return;
  }
  try {
    open();
    open();
    open();
    assert.equal(ledger.clip(clip.clipId)?.state, 'sealed');
    assert.ok(existsSync(clip.file));
  } finally {
    execFileSync('chattr', ['-i', clip.file]);
  }
});

test('files that are not there make no room: a clip is not given up because its disk is away', (t) => {
  const { ledger, sealed, open, dir } = benchLedger(t, THREE);
  const clips = [sealed(10_000), sealed(10_000), sealed(10_000)];
  renameSync(`${dir}/clips/gate`, `${dir}/clips-of-gate`);
  for (let n = 0; n < 4; n++)
    try {
      open();
    } catch (error) {
      assert.ok(error instanceof Failure && error.kind === 'exhausted');
    }
  assert.deepEqual(
    clips.map(({ clipId }) => ledger.clip(clipId)?.state),
    ['sealed', 'sealed', 'sealed'],
  );
});
