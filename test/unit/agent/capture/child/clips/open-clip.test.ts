import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClipSlot, openClip } from '../../../../../../agent/capture/child/clips/open-clip.ts';
import type { Fragment } from '../../../../../../agent/capture/mp4/fragment.ts';
import { Failure } from '../../../../../../agent/kernel/failure.ts';
import { madeFormat, madeFragment, madeFragments, seconds } from '../../made-fragments.ts';

const full = new Failure('exhausted', 'test.full', 'the disk is full');

/** A clip from 2 s on that shall end at 6 s; its disk takes so many fragments. */
function opened({ takes = Infinity, certainMs = 0 } = {}) {
  const place = Promise.withResolvers<ClipSlot | undefined>();
  const file: Fragment[] = [];
  const said: string[] = [];
  const all = madeFragments(seconds(10)).fragments as [Fragment, ...Fragment[]];
  const clip = openClip({
    start: {
      triggerMs: 3_500,
      triggeredWallMs: 1_003_500,
      cause: { kind: 'picture' },
      fromMs: 2_000,
      untilMs: undefined,
      capMs: undefined,
      formatFrom: 0,
    },
    fragments: all.slice(2, 4) as unknown as [Fragment, ...Fragment[]],
    length: { endMs: 6_000, capMs: 6_000, postRollMs: 2_500 },
    place: place.promise,
    createWriter: (writer) => ({
      append: (fragment) => {
        file.push(fragment);
        if (file.length > takes) writer.onFailure(full);
      },
      close: async () => {
        if (file.length <= takes) return { durationMs: file.length * 1_000, bytes: 1, sha256: 'x' };
        if (certainMs === 0) throw full;
        return { durationMs: certainMs, bytes: 1, sha256: 'x', cutBy: full };
      },
    }),
    onWriting: () => said.push('writing'),
    onEnd: (lastEndMs) => said.push(`ends at ${lastEndMs}`),
    written: (clipId, { preRollMs, startedMs, detail }) =>
      said.push(`written ${clipId}: ${preRollMs}, ${startedMs}${detail === undefined ? '' : `, ${detail}`}`),
    abandoned: (clipId, reason) => said.push(`abandoned ${clipId}: ${reason}`),
  });
  const give = (clipId?: string) =>
    place.resolve(clipId === undefined ? undefined : { clipId, partFile: '/p' });
  return { clip, all, file, said, give };
}

test('what comes before its place is known is written in order, and it ends with the last that fits', async () => {
  const it = opened();
  assert.equal(it.clip.isBeingWritten, false);
  for (const fragment of it.all.slice(4)) it.clip.take(fragment);
  it.give('c1');
  assert.deepEqual(await it.clip.reported, { kind: 'whole' });
  assert.deepEqual(
    it.file.map(({ startMs }) => startMs),
    [2_000, 3_000, 4_000, 5_000],
  );
  assert.deepEqual(it.said, ['ends at 6000', 'writing', 'written c1: 1500, 1002000']);
});

test('a clip without a place reports nothing', async () => {
  const it = opened();
  it.give();
  assert.deepEqual(await it.clip.reported, { kind: 'refused' });
  assert.deepEqual(it.said, []);
});

test('another format ends it, and is not in it', async () => {
  const it = opened();
  it.give('c1');
  it.clip.take(madeFragment({ baseMs: 4_000, key: true }, madeFormat(2)));
  assert.deepEqual([it.clip.isChanged, it.clip.isEnded, it.clip.lastEndMs], [true, true, 4_000]);
  await it.clip.reported;
  assert.equal(it.file.length, 2);
});

test('a disk that fails ends it at what is certain; one that took nothing makes it abandoned', async () => {
  const cut = opened({ takes: 1, certainMs: 1_000 });
  cut.give('c1');
  assert.deepEqual(await cut.clip.reported, { kind: 'cut', certainMs: 1_000 });
  const why = 'cut off, because the disk failed (exhausted: the disk is full)';
  assert.deepEqual(cut.said, ['writing', `written c1: 1500, 1002000, ${why}`]);
  const lost = opened({ takes: 0 });
  lost.give('c1');
  assert.deepEqual(await lost.clip.reported, { kind: 'lost' });
  assert.deepEqual(lost.said, ['writing', 'abandoned c1: exhausted: the disk is full']);
});
