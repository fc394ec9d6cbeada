import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClipBroker } from '../../../../../agent/capture/supervision/clip-broker.ts';
import type { ToChild } from '../../../../../agent/capture/messages.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';

const trigger = (requestId: number, triggeredMs: number) =>
  ({ type: 'trigger', requestId, triggeredMs, cause: { kind: 'zone', id: 'drive' } }) as const;
const clip = { startedMs: 1, preRollMs: 2, durationMs: 3, bytes: 4, sha256: 'x' };

function broker({ openFails = false, sealFails = false } = {}) {
  const sent: ToChild[] = [];
  const kept: string[] = [];
  const made = createClipBroker({
    cameraId: 'gate',
    log: createLog('silent'),
    send: (message) => sent.push(message),
    store: {
      open: () => {
        if (openFails) throw new Error('database is locked');
        return { clipId: `c${sent.length}`, partFile: '/p' };
      },
      written: (clipId) => {
        if (sealFails) throw new Error('cannot rename');
        kept.push(`written ${clipId}`);
      },
      abandoned: async (clipId, reason) => void kept.push(`abandoned ${clipId}: ${reason}`),
    },
  });
  return { made, sent, kept };
}

test('a trigger gets a place; a clip that is written is settled once', async () => {
  const { made, sent, kept } = broker();
  made.take(trigger(1, 5));
  assert.deepEqual(sent, [{ type: 'place', requestId: 1, clipId: 'c0', partFile: '/p' }]);
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
