import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWebhook, type Webhook } from '../../engine/webhook.ts';

const send = async (webhook: Webhook, key: string, blobName: string) => {
  const answer = await fetch(webhook.address, {
    method: 'POST',
    headers: { 'idempotency-key': key },
    body: JSON.stringify({ kind: 'person-seen', clip: { blobName } }),
  });
  return answer.status;
};

test('what comes again under a key that was taken is heard again and shown once', async () => {
  const webhook = await startWebhook();
  try {
    for (const key of ['a.1', 'a.1', 'a.2']) assert.equal(await send(webhook, key, 'a.mp4'), 204);
    assert.equal(webhook.heardAbout('a.mp4').length, 3);
    assert.equal(webhook.shownAbout('a.mp4').length, 2);
    assert.equal(webhook.redelivered(), 1);
  } finally {
    await webhook.stop();
  }
});

test('what was refused was not taken: nobody saw it, and it may come again', async () => {
  const webhook = await startWebhook();
  try {
    for (let time = 0; time < 2; time += 1)
      assert.equal(await send(webhook, 'r.1', 'webhook-refuses.mp4'), 400);
    assert.deepEqual([webhook.shownAbout('webhook-refuses.mp4'), webhook.redelivered()], [[], 0]);
  } finally {
    await webhook.stop();
  }
});
