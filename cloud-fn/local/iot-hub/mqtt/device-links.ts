import type { DeviceLink } from './device-link.ts';
import { createSession, type Session } from './session.ts';
import type { Wire } from './wire.ts';

/** Who is connected, and what is remembered of those that asked for it. One link per device. */
export interface DeviceLinks {
  get(deviceId: string): DeviceLink | undefined;
  /** Lets a device in; a second connection ends the first.
   *  @param clean it wants nothing remembered, neither from before nor for later
   *  @returns its link, and whether it goes on with a session from before */
  enter(deviceId: string, clean: boolean, wire: Wire): { link: DeviceLink; resumed: boolean };
  /** Its connection is over.
   *  @returns whether the device is away now: it may have come back on another connection */
  leave(link: DeviceLink): boolean;
  /** Subscriptions and packets in flight are gone; connections stay. */
  forgetSessions(): void;
}

export function createDeviceLinks(): DeviceLinks {
  const links = new Map<string, DeviceLink>();
  const sessions = new Map<string, Session>();
  return {
    get: (deviceId) => links.get(deviceId),
    enter(deviceId, clean, wire) {
      links.get(deviceId)?.wire.destroy();
      const kept = clean ? undefined : sessions.get(deviceId);
      const session = kept ?? createSession();
      if (clean) sessions.delete(deviceId);
      else sessions.set(deviceId, session);
      const link = { deviceId, session, wire };
      links.set(deviceId, link);
      return { link, resumed: kept !== undefined };
    },
    leave: (link) => links.get(link.deviceId) === link && links.delete(link.deviceId),
    forgetSessions() {
      sessions.clear();
      for (const { session } of links.values()) {
        session.subscriptions.clear();
        session.inFlight.clear();
      }
    },
  };
}
