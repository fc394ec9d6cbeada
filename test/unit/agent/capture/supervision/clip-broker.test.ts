import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClipBroker } from '../../../../../agent/capture/supervision/clip-broker.ts';
import type { ToChild } from '../../../../../agent/capture/messages.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';

const trigger = (requestId: number, triggeredMs: number) =>
  ({ type: 'trigger', requestId, triggeredMs, cause: { kind: 'zone', id: 'drive' } }) as const;
const clip = { startedMs: 1, preRollMs: 2, durationMs: 3, bytes: 4, sha256: 'x' };

function broker({ openFails = false, sealFails = false, thumbnailFails = false } = {}) {
  const sent: ToChild[] = [];
  const kept: string[] = [];
  const made = createClipBroker({
    cameraId: 'gate',
    log: createLog('silent'),
    send: (message) => sent.push(message),
    store: {
      open: () => {
        if (openFails) throw new Error('database is locked');
        return { clipId: `c${sent.length}`, partFile: `/p${sent.length}` };
      },
      written: (clipId) => {
        if (sealFails) throw new Error('cannot rename');
        kept.push(`written ${clipId}`);
      },
      thumbnail: (partFile, jpeg) => {
        if (thumbnailFails) throw new Error('disk full');
        kept.push(`thumbnail ${partFile} of ${jpeg.length} bytes`);
      },
      abandoned: async (clipId, reason) => void kept.push(`abandoned ${clipId}: ${reason}`),
    },
  });
  return { made, sent, kept };
}

test('a trigger gets a place; a clip that is written is settled once', async () => {
  const { made, sent, kept } = broker();
  made.take(trigger(1, 5));
  assert.deepEqual(sent, [{ type: 'place', requestId: 1, clipId: 'c0', partFile: '/p0' }]);
  made.take({ type: 'written', clipId: 'c0', clip });
  made.take({ type: 'written', clipId: 'c0', clip });
  await made.settle('gone');
  assert.deepEqual(kept, ['written c0']);
});

test('what a dead child left open is given up, with the reason', async () => {
  const { made, kept } = broker();
  made.take(trigger(1, 5));
  made.take(trigger(2, 6));
  await made.settle('killed');
  assert.deepEqual(kept, ['abandoned c0: killed', 'abandoned c1: killed']);
});

test('a clip that cannot be sealed is handed over for recovery', async () => {
  const { made, kept } = broker({ sealFails: true });
  made.take(trigger(1, 5));
  made.take({ type: 'written', clipId: 'c0', clip });
  await made.settle('gone');
  assert.deepEqual(kept, ['abandoned c0: transient: the clip could not be sealed']);
});

test('a store that fails costs the clip, not the camera', () => {
  const { made, sent } = broker({ openFails: true });
  made.take(trigger(9, 5));
  assert.deepEqual(sent, [{ type: 'no-place', requestId: 9 }]);
});

test('a child can settle only what was given to it', async () => {
  const { made, kept } = broker();
  made.take({ type: 'written', clipId: 'somebody-elses', clip });
  made.take({ type: 'abandoned', clipId: 'somebody-elses', reason: 'x' });
  await made.settle('gone');
  assert.deepEqual(kept, []);
});

const jpeg = (bytes: number) =>
  Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(bytes - 4), Buffer.from('ffd9', 'hex')]).toString(
    'base64',
  );

test('the small picture of a clip is kept once, also when it comes just after the clip was written', async () => {
  const { made, kept } = broker();
  made.take(trigger(1, 5));
  made.take({ type: 'thumbnail', clipId: 'c0', jpeg: jpeg(500) });
  made.take({ type: 'thumbnail', clipId: 'c0', jpeg: jpeg(600) });
  made.take({ type: 'written', clipId: 'c0', clip });
  made.take(trigger(2, 6));
  made.take({ type: 'written', clipId: 'c1', clip });
  made.take({ type: 'thumbnail', clipId: 'c1', jpeg: jpeg(10_000) });
  await made.settle('gone');
  assert.deepEqual(kept, [
    'thumbnail /p0 of 500 bytes',
    'written c0',
    'written c1',
    'thumbnail /p1 of 10000 bytes',
  ]);
});

test('a small picture of another clip, and what is no small picture, is dropped', () => {
  const { made, kept } = broker();
  made.take({ type: 'thumbnail', clipId: 'c0', jpeg: jpeg(500) });
  made.take(trigger(1, 5));
  made.take({ type: 'thumbnail', clipId: '../c0', jpeg: jpeg(500) });
  for (const wrong of [jpeg(10_001), '', 'no base64 at all!', Buffer.alloc(500).toString('base64'), 7, null])
    made.take({ type: 'thumbnail', clipId: 'c0', jpeg: wrong as string });
  assert.deepEqual(kept, []);
});

test('a small picture that cannot be kept costs the clip nothing', async () => {
  const { made, kept } = broker({ thumbnailFails: true });
  made.take(trigger(1, 5));
  made.take({ type: 'thumbnail', clipId: 'c0', jpeg: jpeg(500) });
  made.take({ type: 'written', clipId: 'c0', clip });
  await made.settle('gone');
  assert.deepEqual(kept, ['written c0']);
});
