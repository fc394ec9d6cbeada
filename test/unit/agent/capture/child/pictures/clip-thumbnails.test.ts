import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClipThumbnails } from '../../../../../../agent/capture/child/pictures/clip-thumbnails.ts';
import { Failure } from '../../../../../../agent/kernel/failure.ts';
import type { GateDecision, Region } from '../../../../../../agent/motion/motion.ts';

const QUIET: GateDecision = { kind: 'quiet' };
/** Something that takes so much of the picture. */
const moving = (share: number): GateDecision => {
  const region: Region = [0, 0, share, 1];
  return { kind: 'motion', regions: [region], cause: { kind: 'picture' } };
};

function thumbnails(answer: () => Promise<string> = async () => 'jpeg') {
  const taken: string[] = [];
  let asked = 0;
  const made = createClipThumbnails({
    tap: {
      next: async () => {
        asked++;
        return { jpeg: await answer(), widthPx: 320, heightPx: 180, takenMs: 1 };
      },
    },
    taken: (clipId, jpeg) => taken.push(`${clipId} ${jpeg}`),
  });
  return { made, taken, asked: () => asked };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('the picture is taken when what moves has come into it, and only one of a clip', async () => {
  const { made, taken, asked } = thumbnails();
  made.begun('c1', 0);
  for (const [n, share] of [0.02, 0.05, 0.1].entries()) made.frame(moving(share), (n + 1) * 200);
  assert.equal(asked(), 0, 'it still grows');
  made.frame(moving(0.09), 800);
  assert.equal(asked(), 1);
  for (let n = 5; n < 100; n++) made.frame(moving(n / 100), n * 200);
  await settled();
  assert.deepEqual([taken, asked()], [['c1 jpeg'], 1]);
  made.begun('c2', 30_000);
  made.frame(moving(0.5), 30_200);
  made.frame(QUIET, 30_400);
  await settled();
  assert.deepEqual(taken, ['c1 jpeg', 'c2 jpeg']);
});

test('what grows on and on, and a clip in which nothing moves, has its picture a second after it began', async () => {
  for (const decisionAt of [(n: number) => moving(n / 20), () => QUIET]) {
    const { made, taken } = thumbnails();
    made.frame(moving(0.5), 0);
    made.begun('c1', 100);
    for (let n = 1; n <= 5; n++) made.frame(decisionAt(n), n * 200);
    await settled();
    assert.deepEqual(taken, []);
    made.frame(decisionAt(6), 1_200);
    await settled();
    assert.deepEqual(taken, ['c1 jpeg']);
  }
});

test('a camera that shows nothing more leaves its clip without a picture, and the next one has one', async () => {
  let fails = true;
  const { made, taken } = thumbnails(async () => {
    if (fails) throw new Failure('transient', 'capture.no-picture', 'none came');
    return 'jpeg';
  });
  made.begun('c1', 0);
  made.frame(QUIET, 1_000);
  await settled();
  fails = false;
  made.begun('c2', 2_000);
  made.frame(QUIET, 3_000);
  await settled();
  assert.deepEqual(taken, ['c2 jpeg']);
});
