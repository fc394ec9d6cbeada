import type { DeviceLinkPort, DeviceMessage, NotTaken } from '../../../cloud-fn/ports/device-link.ts';
import { PortFailure } from '../../../cloud-fn/ports/port-failure.ts';

/** A hub that keeps what it is sent. Set `answer` to have it refuse or break. */
export function createFakeDeviceLink() {
  const fake = {
    answer: 'taken' as 'taken' | NotTaken | 'broken',
    sent: [] as { deviceId: string; message: DeviceMessage }[],
  };
  const port: DeviceLinkPort = {
    async send(deviceId, message) {
      if (fake.answer === 'broken') throw new PortFailure('transient', 'hub.fake', 'no hub today');
      if (fake.answer === 'taken') fake.sent.push({ deviceId, message });
      return fake.answer;
    },
    async stop() {},
  };
  return Object.assign(fake, { port });
}
