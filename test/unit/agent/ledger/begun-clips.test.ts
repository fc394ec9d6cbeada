import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { type BegunClipsDeps, createBegunClips } from '../../../../agent/ledger/begun-clips.ts';
import { createRowlessClips } from '../../../../agent/ledger/clips/rowless-clips.ts';
import { createLogBook } from '../../../fakes/log-book.ts';
import { benchLedger, writeClip } from './bench.ts';

const TRIGGER = {
  cameraId: 'gate',
  triggeredMs: Date.UTC(2026, 10, 30, 4),
  clockQuality: 'synchronised',
} as const;
const closed = () => new Failure('transient', 'ledger.unavailable', 'it is closed');

/** A ledger that is open when the test wants, in a folder that has the name the test wants. */
function rig(t: TestContext, more: Pick<BegunClipsDeps, 'rememberedMax'> = {}) {
  const writing = new Set<string>();
  const bench = benchLedger(t, { writing });
  const { clipId } = bench.open();
  bench.ledger.loseClip(clipId, 'it made the folder');
  const is = { open: false, full: false, folder: 'a', owned: true };
  const { log, lines } = createLogBook();
  const when =
    <A extends unknown[], R>(work: (...args: A) => R) =>
    (...args: A): R => {
      if (!is.open) throw closed();
      return work(...args);
    };
  const ledger: BegunClipsDeps['ledger'] = {
    openClip: when((request) => bench.ledger.openClip(request)),
    enterClips: when((clips) => {
      if (is.full) throw new Failure('exhausted', 'ledger.enter-clips.sqlite_full', 'the disk is full');
      bench.ledger.enterClips(clips);
    }),
    sealClip: when((id, written) => bench.ledger.sealClip(id, written)),
    recoverClip: when((id) => bench.ledger.recoverClip(id)),
    clip: when((id) => bench.ledger.clip(id)),
  };
  const begun = createBegunClips({
    ...{ ledger, writing, log, isOpen: () => is.open, folder: () => is.folder, ...more },
    requireOwned: () => {
      if (!is.owned) throw closed();
    },
    rowless: createRowlessClips({
      ...{ dir: bench.dir, maxBytes: Number.MAX_SAFE_INTEGER, minFreeBytes: 0 },
      freeBytes: () => Number.MAX_SAFE_INTEGER,
    }),
  });
  const open = () => {
    is.open = true;
    begun.opened();
  };
  const stateOf = (id: string) => bench.ledger.clip(id)?.state;
  return { ...bench, begun, is, open, stateOf, writing, lines };
}

test('a disk that is full when the ledger is opened keeps rows and seals waiting, and costs none of them', async (t) => {
  const { begun, is, open, stateOf, lines } = rig(t);
  const sealed = begun.openClip(TRIGGER);
  const written = writeClip(sealed.partFile, 2_000);
  begun.sealClip(sealed.clipId, written);
  const later = begun.openClip(TRIGGER);
  is.full = true;
  open();
  assert.equal(await begun.settle(), 0);
  const laterWritten = writeClip(later.partFile, 2_000);
  assert.equal(begun.sealClip(later.clipId, laterWritten), undefined);
  assert.equal(lines.filter(({ fields }) => fields['event'] === 'clip.not-entered').length, 1, 'told once');
  is.full = false;
  assert.equal(await begun.settle(), 2);
  assert.deepEqual([stateOf(sealed.clipId), stateOf(later.clipId)], ['sealed', 'sealed']);
});

test('what its writer said first is what counts, whoever gives the clip up afterwards', async (t) => {
  const { ledger, begun, open } = rig(t);
  const { clipId, partFile } = begun.openClip(TRIGGER);
  const written = writeClip(partFile, 2_000);
  begun.sealClip(clipId, written);
  await begun.recoverClip(clipId);
  open();
  await begun.settle();
  assert.equal(ledger.clip(clipId)?.durationMs, written.durationMs);
});

test('ends beyond what is remembered are left to the check, which finds the files', async (t) => {
  const { ledger, begun, open, stateOf, writing } = rig(t, { rememberedMax: 10 });
  const ids: string[] = [];
  for (let n = 0; n < 13; n++) {
    const { clipId, partFile } = begun.openClip(TRIGGER);
    ids.push(clipId);
    begun.sealClip(clipId, writeClip(partFile, 10));
  }
  open();
  assert.equal(await begun.settle(), 10);
  assert.deepEqual(
    ids.filter((id) => stateOf(id) === undefined),
    ids.slice(0, 3),
  );
  assert.equal(writing.size, 0, 'nobody holds them');
  await ledger.check({ repair: true });
  assert.ok(ids.every((id) => stateOf(id) === 'sealed'));
});

test('clips of a disk that is not mounted now get no rows in the ledger of another one', async (t) => {
  const { begun, is, open, stateOf, writing } = rig(t);
  const { clipId, partFile } = begun.openClip(TRIGGER);
  begun.sealClip(clipId, writeClip(partFile, 10));
  // What is mounted hides it.
  renameSync(partFile, `${partFile}.hidden`);
  is.folder = 'b';
  open();
  assert.equal(await begun.settle(), 0);
  assert.equal(stateOf(clipId), undefined);
  assert.ok(!writing.has(clipId), 'it is left to the ledger that finds it');
});

test('a clip that begins in the moment in which its disk is mounted has its row, for its file is there', async (t) => {
  const { begun, is, open, stateOf } = rig(t);
  const early = begun.openClip(TRIGGER);
  const late = begun.openClip(TRIGGER);
  const written = writeClip(early.partFile, 2_000);
  is.folder = 'b';
  open();
  begun.sealClip(early.clipId, written);
  assert.equal(stateOf(early.clipId), 'sealed');
  // Its first bytes come only now.
  const lateWritten = writeClip(late.partFile, 2_000);
  await begun.settle();
  begun.sealClip(late.clipId, lateWritten);
  assert.equal(stateOf(late.clipId), 'sealed');
});
