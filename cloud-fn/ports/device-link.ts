/** A cloud-to-device message. */
export interface DeviceMessage {
  /** The same id again changes nothing at the device. */
  readonly messageId: string;
  readonly body: object;
  /** Unix milliseconds after which the hub drops it; the device asks by itself then. */
  readonly expiresMs: number;
}

/** Why a message was not taken, when trying again soon is of no use. */
export type NotTaken = 'device-unknown' | 'device-queue-full' | 'no-hub';

/** The service side of IoT Hub, as far as we need it. */
export interface DeviceLinkPort {
  /** `taken`: the hub keeps it for the device.
   *  @throws PortFailure transient: link down, deadline, hub busy */
  send(deviceId: string, message: DeviceMessage): Promise<'taken' | NotTaken>;
  stop(): Promise<void>;
}

/** No hub: verdicts are only stored, and the device finds them beside its clips. */
export const noDeviceLink: DeviceLinkPort = {
  send: async () => 'no-hub',
  stop: async () => {},
};
