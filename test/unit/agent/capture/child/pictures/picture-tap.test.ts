import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { MAX_PICTURE_BYTES } from '../../../../../../agent/capture/messages.ts';
import {
  CLIP_THUMBNAIL,
  createPictureTap,
  SNAPSHOT,
} from '../../../../../../agent/capture/child/pictures/picture-tap.ts';
import { Failure } from '../../../../../../agent/kernel/failure.ts';
import { THUMBNAIL_MAX_BYTES } from '../../../../../../agent/ledger/ledger.ts';

const CAPS = { width: 640, height: 360 };

function tap(size = SNAPSHOT) {
  const told: string[] = [];
  const made = createPictureTap({
    cameraId: 'gate',
    size,
    clock: { nowMs: () => 1_800_000_000_000.4 },
    branch: {
      open: (open) => told.push(open ? 'open' : 'closed'),
      quality: (quality) => told.push(`quality ${quality}`),
    },
  });
  return { made, told };
}
const noPicture = (error: unknown) => error instanceof Failure && error.code === 'capture.no-picture';

test('the branch is open only while somebody waits, and all who wait get the same picture', async () => {
  const { made, told } = tap();
  made.take(Buffer.from('came unasked'), CAPS);
  const [first, second] = [made.next(), made.next()];
  assert.deepEqual(told, ['quality 85', 'open']);
  made.take(Buffer.from('jpeg'), CAPS);
  made.take(Buffer.from('one too many'), CAPS);
  const jpeg = Buffer.from('jpeg').toString('base64');
  assert.deepEqual(await first, { jpeg, widthPx: 640, heightPx: 360, takenMs: 1_800_000_000_000 });
  assert.equal(await second, await first);
  assert.deepEqual(told.slice(2), ['closed']);
});

test('a picture that came before the question is never the answer', async () => {
  const { made } = tap();
  const first = made.next();
  made.take(Buffer.from('first'), CAPS);
  await first;
  made.take(Buffer.from('late'), CAPS);
  const second = made.next();
  made.take(Buffer.from('second'), CAPS);
  assert.equal(Buffer.from((await second).jpeg, 'base64').toString(), 'second');
});

test('a picture that is too large is taken again with a lower quality, down to an end', async () => {
  const { made, told } = tap();
  const asked = made.next();
  made.take(Buffer.alloc(MAX_PICTURE_BYTES + 1), CAPS);
  made.take(Buffer.alloc(MAX_PICTURE_BYTES), CAPS);
  assert.equal(Buffer.from((await asked).jpeg, 'base64').length, MAX_PICTURE_BYTES);
  assert.deepEqual(told, ['quality 85', 'open', 'quality 65', 'closed']);
  const hopeless = made.next();
  for (let i = 0; i < 10; i++) made.take(Buffer.alloc(MAX_PICTURE_BYTES + 1), CAPS);
  await assert.rejects(hopeless, noPicture);
  assert.equal(told.at(-1), 'closed');
});

test('a camera that shows nothing is not waited for, and the branch is closed', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { made, told } = tap();
    const asked = made.next();
    mock.timers.tick(4_000);
    await assert.rejects(asked, noPicture);
    assert.equal(told.at(-1), 'closed');
  } finally {
    mock.timers.reset();
  }
});

test('a small picture has at most what the ledger keeps', async () => {
  assert.equal(CLIP_THUMBNAIL.maxBytes, THUMBNAIL_MAX_BYTES);
  const { made } = tap(CLIP_THUMBNAIL);
  const asked = made.next();
  made.take(Buffer.alloc(THUMBNAIL_MAX_BYTES + 1), CAPS);
  made.take(Buffer.alloc(THUMBNAIL_MAX_BYTES), CAPS);
  assert.equal(Buffer.from((await asked).jpeg, 'base64').length, THUMBNAIL_MAX_BYTES);
});
