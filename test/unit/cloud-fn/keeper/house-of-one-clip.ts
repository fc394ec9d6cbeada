import type { ProcessingResult, Verdict } from '@dachawatch/contracts';
import { verdictOfClip } from '../activities/verdict-sample.ts';
import { PortFailure } from '../../../../cloud-fn/ports/port-failure.ts';
import { systemClock } from '../../../../cloud-fn/ports/clock.ts';
import { keepClips } from '../../../../cloud-fn/keeper/keep-clips.ts';
import { openClip } from '../../../../cloud-fn/keeper/open-clips.ts';
import { resultPlace, clipInstanceId } from '../../../../cloud-fn/ports/instance-places.ts';
import { createNotificationOutbox } from '../../../../cloud-fn/ports/notification-outbox.ts';
import type { Notification } from '../../../../cloud-fn/ports/notification.ts';
import { json } from '../../../../cloud-fn/ports/storage.ts';
import { createFakeDeviceLink } from '../../../fakes/cloud/device-link-port.ts';
import { createFakeRuntime } from '../../../fakes/cloud/durable-runtime.ts';
import { createFakeStorage } from '../../../fakes/cloud/storage-port.ts';
import { analysisInput, BLOB_NAME, details, detection, result } from '../orchestrators/clip-samples.ts';

export const { clip, waitMs } = analysisInput();
export const ID = clipInstanceId(clip.blobName);
export const later = (revision: number) => `${ID}-r${revision}`;
const VERDICT = { container: 'dacha-video', name: BLOB_NAME.replace('.mp4', '.verdict.json') };
export const NOTE = `dacha-instances/open/${ID}.json`;
export const MINUTE = 60_000;

/** Everything that is stored about one clip, and a keeper whose rounds a test calls. */
export function houseOfOneClip() {
  const storage = createFakeStorage();
  const runtime = createFakeRuntime(storage);
  const deviceLink = createFakeDeviceLink();
  const told: Notification[] = [];
  const warned: string[] = [];
  const log = { info: () => {}, warn: (_: object, message: string) => void warned.push(message) };
  const clock = { nowMs: () => Date.UTC(2026, 10, 30) + storage.nowMs };
  const house = {
    storage,
    runtime,
    told,
    warned,
    sent: () => deviceLink.sent.map(({ message }) => message.body as Verdict),
    /** Called before the notification is taken; throws to refuse it. */
    webhook: async (): Promise<void> => {},
    /** The clip is announced and its analysis is started. */
    async begin() {
      await house.announce();
      await runtime.runtime.start(ID, { record: { clip, waitMs, asked: 0, touched: 0 }, revision: 1 });
    },
    announce: () => openClip(storage.port, ID, { clip, waitMs }),
    /** A worker's answer is stored, as its receiver does. */
    async answered(answer: ProcessingResult, instanceId = ID) {
      const document = json({ ...answer, instance_id: instanceId, blobName: clip.blobName });
      const stored = await storage.port.createBlob(resultPlace(instanceId), document);
      const { container, name } = resultPlace(instanceId);
      if (!stored)
        await storage.port.createBlob({ container, name: name.replace('.json', '-ab12.json') }, document);
      await openClip(storage.port, ID, { clip, waitMs });
    },
    putVerdict: (verdict: Verdict) => storage.port.writeBlob(VERDICT, json(verdict)),
    verdict: () => storage.document(`${VERDICT.container}/${VERDICT.name}`) as Verdict | null,
    isOpen: () => storage.names().includes(NOTE),
    outbox: createNotificationOutbox({
      channels: [
        {
          name: 'webhook',
          async notify(notification) {
            await house.webhook();
            told.push(notification);
          },
        },
      ],
      storage: storage.port,
      clock: { ...systemClock, ...clock },
      log,
    }),
    deps: () => ({
      storage: storage.port,
      runtime: runtime.runtime,
      notification: house.outbox,
      deviceLink: deviceLink.port,
      clock,
      log,
    }),
    /** Lets time pass and has the keeper look. */
    async round(afterMs = MINUTE) {
      storage.nowMs += afterMs;
      return keepClips(house.deps());
    },
    async rounds(count: number, everyMs = MINUTE) {
      for (let i = 0; i < count; i += 1) await house.round(everyMs);
    },
  };
  return house;
}

export const person = result(details([detection('person')]));
export const nothing = result(details([]));
export const failed = result({ error: { code: 'bad-video', message: 'broken' } }, { status: 'FAILED' });

export const kinds = (house: ReturnType<typeof houseOfOneClip>) => house.told.map(({ kind }) => kind);
export const said = (verdict: Verdict | null) => [verdict?.verdict, verdict?.decision, verdict?.revision];
export const AWAY = () =>
  Promise.reject(new PortFailure('transient', 'webhook.http-500', 'the webhook answered 500'));

export const unasked = (revision: number) =>
  verdictOfClip({ verdict: 'undecided', decision: 'failed', confidence: 0, revision });

export function notificationOfPerson() {
  return {
    id: '',
    kind: 'person-seen' as const,
    at: '2026-11-30T00:00:00Z',
    text: { en: 'a', uk: 'б' },
    clip: { clipId: clip.clip_id, blobName: clip.blobName, deviceId: null, cameraId: null },
    verdict: 'person',
    confidence: 1,
    bestFrame: null,
  };
}
