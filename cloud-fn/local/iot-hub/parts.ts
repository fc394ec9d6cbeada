import type { Faults } from './faults.ts';
import type { PacketTrace } from './mqtt/wire.ts';
import type { Devices } from './store/devices.ts';
import type { Events } from './store/events.ts';
import type { Feedback } from './store/feedback.ts';
import type { Messages } from './store/messages.ts';
import type { Tickets } from './store/tickets.ts';
import type { Twins } from './store/twins.ts';

export interface Telemetry {
  readonly deviceId: string;
  /** Carries the property bag behind `/messages/events/`. */
  readonly topic: string;
  readonly body: Buffer;
}

/** What the three servers of the hub share. */
export interface HubParts {
  readonly hostName: string;
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly nowMs: () => number;
  readonly faults: Faults;
  readonly devices: Devices;
  readonly twins: Twins;
  readonly messages: Messages;
  readonly feedback: Feedback;
  readonly tickets: Tickets;
  readonly events: Events;
  /** Base64 key of the policy `iothubowner`. */
  readonly serviceKey: string;
  readonly log: (fields: { event: string } & Record<string, unknown>) => void;
  readonly onTelemetry: (telemetry: Telemetry) => void;
  readonly onTrace: (trace: PacketTrace) => void;
}

export const SERVICE_POLICY = 'iothubowner';
