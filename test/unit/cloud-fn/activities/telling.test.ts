import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEscalate } from '../../../../cloud-fn/activities/escalate.ts';
import { createSendFailureNotification } from '../../../../cloud-fn/activities/send-failure-notification.ts';
import { createSendVerdictToDevice } from '../../../../cloud-fn/activities/send-verdict-to-device.ts';
import { createSendVideoCompleted } from '../../../../cloud-fn/activities/send-video-completed.ts';
import { createFakeDeviceLink } from '../../../fakes/cloud/device-link-port.ts';
import { createFakeNotification } from '../../../fakes/cloud/notification-port.ts';
import { analysisInput, BLOB_NAME, CLIP_ID } from '../orchestrators/clip-samples.ts';
import { verdictOfClip } from './verdict-sample.ts';

const { clip } = analysisInput();
const clock = { nowMs: () => 1_000_000 };

test('a person is told in English and in Ukrainian who saw what, and where the picture is', async () => {
  const notification = createFakeNotification();
  await createSendVideoCompleted({ notification: notification.port })({ clip, verdict: verdictOfClip() });
  assert.deepEqual(notification.told, [
    {
      id: 'clip-0123456789abcdef0123456789abcdef.1.person-seen',
      kind: 'person-seen',
      at: '2026-11-21T12:00:06.000Z',
      text: {
        en: 'A person was seen: house-1 / gate (87 %).',
        uk: 'Помічено людину: house-1 / gate (87 %).',
      },
      clip: { clipId: CLIP_ID, blobName: `dacha-video/${BLOB_NAME}`, deviceId: 'house-1', cameraId: 'gate' },
      verdict: 'person',
      confidence: 0.87,
      bestFrame: BLOB_NAME.replace('.mp4', '.best.jpg'),
    },
  ]);
});

test('the same notice again has the same id', async () => {
  const notification = createFakeNotification();
  const escalate = createEscalate({ notification: notification.port });
  const verdict = verdictOfClip({
    verdict: 'undecided',
    decision: 'escalated',
    reason: 'No answer within 360 s.',
  });
  await escalate({ clip, verdict });
  await escalate({ clip, verdict });
  const [first, second] = notification.told;
  assert.equal(first?.id, second?.id);
  assert.match(first?.text.en ?? '', /No answer within 360 s\./);
  assert.match(first?.text.uk ?? '', /перегляньте/);
});

test('a failure names what broke: beside the verdict when something did, else in its reason', async () => {
  const notification = createFakeNotification();
  const tell = createSendFailureNotification({ notification: notification.port });
  const verdict = verdictOfClip({ reason: 'the file is broken' });
  await tell({ clip, verdict });
  await tell({ clip, verdict, problem: { code: 'verdict-not-stored', message: 'disk full' } });
  assert.match(notification.told[0]?.text.en ?? '', /the file is broken/);
  assert.match(notification.told[1]?.text.en ?? '', /disk full/);
});

test('the house gets the verdict under an id made of clip and revision, with an expiry', async () => {
  const deviceLink = createFakeDeviceLink();
  const send = createSendVerdictToDevice({ deviceLink: deviceLink.port, clock });
  assert.deepEqual(await send({ device_id: 'house-1', verdict: verdictOfClip({ revision: 2 }) }), {
    taken: true,
  });
  assert.deepEqual(deviceLink.sent, [
    {
      deviceId: 'house-1',
      message: {
        messageId: `${CLIP_ID}.2`,
        body: verdictOfClip({ revision: 2 }),
        expiresMs: 1_000_000 + 47 * 3_600_000,
      },
    },
  ]);
});

test('a device nobody knows or whose queue is full is an answer; a link that is down is an error', async () => {
  const deviceLink = createFakeDeviceLink();
  const send = createSendVerdictToDevice({ deviceLink: deviceLink.port, clock });
  for (const answer of ['device-unknown', 'device-queue-full', 'no-hub'] as const) {
    deviceLink.answer = answer;
    const { taken, reason } = await send({ device_id: 'house-1', verdict: verdictOfClip() });
    assert.equal(taken, false);
    assert.ok(reason);
  }
  deviceLink.answer = 'broken';
  await assert.rejects(send({ device_id: 'house-1', verdict: verdictOfClip() }), /no hub today/);
});
