import type { FileUploadNotification, FileUploadTicket } from '@dachawatch/contracts';

export type LinkState = 'connecting' | 'online' | 'refused' | 'offline';

export interface LinkStatus {
  readonly state: LinkState;
  /** Wall time since when, Unix milliseconds. */
  readonly sinceMs: number;
  /** What the last failed attempt said. */
  readonly detail: string | null;
}

/** Permission to write blobs, one at a time. */
export interface TicketDesk {
  /** @param blobName without the device id; ASCII
   *  @throws Failure transient or rejected */
  requestTicket(blobName: string, signal?: AbortSignal): Promise<FileUploadTicket>;
  /** Every ticket must be given back, or it counts against the ten a device may hold. */
  returnTicket(correlationId: string, outcome: FileUploadNotification): Promise<void>;
}

/** The agent's link to IoT Hub. Offline is a state, not an error. */
export interface HubLink extends TicketDesk {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): LinkStatus;
}
