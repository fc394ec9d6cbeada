import { Type, type Static } from 'typebox';
import { Address, Word } from '../schema-types.ts';

/** IoT Hub's answer to a file-upload request: a short-lived permission to write one blob. */
export const FileUploadTicket = Type.Object(
  {
    correlationId: Address('Names the ticket when the hub is notified'),
    hostName: Address('Storage host, for the emulator with account path'),
    containerName: Address('Container of the clips'),
    blobName: Address('The hub puts the device id and a slash in front'),
    sasToken: Address('Query string with its question mark. Secret'),
  },
  { $id: 'dachawatch/file-upload-ticket/1' },
);
export type FileUploadTicket = Static<typeof FileUploadTicket>;

/** What the device tells the hub when it is done with a ticket. */
export const FileUploadNotification = Type.Object(
  {
    isSuccess: Type.Boolean(),
    statusCode: Type.Integer({ minimum: 0, maximum: 999, description: 'HTTP status of the upload' }),
    statusDescription: Word('Code of what went wrong'),
  },
  { $id: 'dachawatch/file-upload-notification/1' },
);
export type FileUploadNotification = Static<typeof FileUploadNotification>;
