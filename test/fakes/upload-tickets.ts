import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { CONTAINER_CLIPS, type FileUploadNotification, type FileUploadTicket } from '@dachawatch/contracts';
import type { UploadTickets } from '../../agent/hub/hub.ts';
import { Failure } from '../../agent/kernel/failure.ts';

/** As many as IoT Hub lets a device hold. */
const OPEN_MAX = 10;
/** Azurite knows it, and so does Azure. */
const SAS_VERSION = '2025-11-05';

export interface FakeUploadTickets extends UploadTickets {
  /** Correlation ids of tickets that were not given back. */
  readonly open: () => readonly string[];
  /** What every ticket was given back with, in order. */
  readonly returned: readonly (FileUploadNotification & { readonly blobName: string })[];
  /** Names that tickets were asked for, in order. */
  readonly asked: readonly string[];
  /** Called first in every request and every return: throw or wait in it to be a bad hub. */
  fault: ((call: 'request' | 'return') => void | Promise<void>) | undefined;
  /** Seconds a ticket lives; negative: it has expired when it is handed out. */
  lifeS: number;
  /** The device that tickets are for. Another than asked: a hub that mixes up its devices. */
  issueFor: string;
}

export interface FakeUploadTicketsOptions {
  readonly deviceId: string;
  /** Storage host, with the account as a path for the emulator. */
  readonly hostName?: string;
  readonly account?: { readonly name: string; readonly key: string };
  readonly container?: string;
}

/** IoT Hub's file upload: tickets are real shared access signatures when there is an account key. */
export function createFakeUploadTickets({
  deviceId,
  hostName = 'storage.invalid',
  account,
  container = CONTAINER_CLIPS,
}: FakeUploadTicketsOptions): FakeUploadTickets {
  const open = new Map<string, string>();
  const returned: (FileUploadNotification & { blobName: string })[] = [];
  const asked: string[] = [];
  let issued = 0;

  function sign(blobName: string): string {
    if (!account) return '?sv=fake&sig=fake';
    const parameters = generateBlobSASQueryParameters(
      {
        containerName: container,
        blobName,
        permissions: BlobSASPermissions.parse('rw'),
        expiresOn: new Date(Date.now() + hub.lifeS * 1_000),
        version: SAS_VERSION,
      },
      new StorageSharedKeyCredential(account.name, account.key),
    );
    return `?${parameters.toString()}`;
  }

  const hub: FakeUploadTickets = {
    open: () => [...open.keys()],
    returned,
    asked,
    fault: undefined,
    lifeS: 3_600,
    issueFor: deviceId,
    async requestTicket(blobName, signal): Promise<FileUploadTicket> {
      signal?.throwIfAborted();
      asked.push(blobName);
      await hub.fault?.('request');
      if (open.size >= OPEN_MAX)
        throw new Failure(
          'transient',
          'hub.ticket.http-403',
          'DeviceMaximumActiveFileUploadLimitExceeded: the device holds ten tickets',
        );
      const correlationId = `ticket-${++issued}`;
      const fullName = `${hub.issueFor}/${blobName}`;
      open.set(correlationId, fullName);
      return {
        correlationId,
        hostName,
        containerName: container,
        blobName: fullName,
        sasToken: sign(fullName),
      };
    },
    async returnTicket(correlationId, outcome) {
      await hub.fault?.('return');
      const blobName = open.get(correlationId);
      if (blobName === undefined)
        throw new Failure('rejected', 'hub.ticket-return.http-400', `unknown ticket ${correlationId}`);
      open.delete(correlationId);
      returned.push({ ...outcome, blobName });
    },
  };
  return hub;
}
