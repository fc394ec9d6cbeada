import { parse, Verdict } from '@dachawatch/contracts';
import type { Clock } from '../ports/clock.ts';
import type { DeviceLinkPort, NotTaken } from '../ports/device-link.ts';

/** IoT Hub keeps a message for two days at most; a house that was away longer asks by itself. */
const KEPT_MS = 47 * 3_600_000;

const REASONS: Readonly<Record<NotTaken, string>> = {
  'device-unknown': 'IoT Hub does not know the device',
  'device-queue-full': 'too many messages already wait for the device',
  'no-hub': 'no IoT Hub is configured',
};

/** Sends a verdict as a cloud-to-device message. Again: the same message id, which changes nothing at the device. */
export function createSendVerdictToDevice({
  deviceLink,
  clock,
}: {
  readonly deviceLink: Pick<DeviceLinkPort, 'send'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}) {
  return async ({
    device_id,
    verdict,
  }: {
    readonly device_id: string;
    readonly verdict: Verdict;
  }): Promise<{ taken: boolean; reason?: string }> => {
    const body = parse(Verdict, verdict);
    const answer = await deviceLink.send(device_id, {
      messageId: `${body.clip_id}.${body.revision}`,
      body,
      expiresMs: clock.nowMs() + KEPT_MS,
    });
    return answer === 'taken' ? { taken: true } : { taken: false, reason: REASONS[answer] };
  };
}
