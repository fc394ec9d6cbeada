import { Type, type Static } from 'typebox';

/** IoT Hub's answer to a file-upload request: a short-lived permission to write one blob. */
export const FileUploadTicket = Type.Object(
  {
    correlationId: Type.String({ minLength: 1, description: 'Names the ticket when the hub is notified' }),
    hostName: Type.String({ minLength: 1, description: 'Storage host, for the emulator with account path' }),
    containerName: Type.String({ minLength: 1 }),
    blobName: Type.String({ minLength: 1, description: 'The hub puts the device id and a slash in front' }),
    sasToken: Type.String({ minLength: 1, description: 'Query string with its question mark. Secret' }),
  },
  { $id: 'dachawatch/file-upload-ticket/1' },
);
export type FileUploadTicket = Static<typeof FileUploadTicket>;

/** What the device tells the hub when it is done with a ticket. */
export const FileUploadNotification = Type.Object(
  {
    isSuccess: Type.Boolean(),
    statusCode: Type.Integer({ description: 'HTTP status of the upload' }),
    statusDescription: Type.String(),
  },
  { $id: 'dachawatch/file-upload-notification/1' },
);
export type FileUploadNotification = Static<typeof FileUploadNotification>;
