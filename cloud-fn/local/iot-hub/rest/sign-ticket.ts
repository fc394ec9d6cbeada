import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { TICKET_LIFE_MS, type Ticket } from '../store/tickets.ts';
import type { SignedTicket } from './route.ts';

/** Pinned: the emulator refuses signatures of the newest version. */
const SAS_VERSION = '2025-11-05';
/** The storage's clock may be a little behind ours. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Signs tickets with the account's key: one blob, read and write, one hour.
 *  @param connection storage connection string with AccountName and AccountKey
 *  @throws when the connection string lacks a part */
export function createTicketSigner({
  connection,
  container,
  nowMs,
}: {
  connection: string;
  container: string;
  nowMs: () => number;
}): (ticket: Ticket) => SignedTicket {
  const { accountName, accountKey, endpoint } = readConnection(connection);
  const credential = new StorageSharedKeyCredential(accountName, accountKey);
  return ({ blobName }) => {
    const now = nowMs();
    const query = generateBlobSASQueryParameters(
      {
        containerName: container,
        blobName,
        permissions: BlobSASPermissions.parse('rw'),
        startsOn: new Date(now - CLOCK_TOLERANCE_MS),
        expiresOn: new Date(now + TICKET_LIFE_MS),
        protocol: endpoint.protocol === 'https:' ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
        version: SAS_VERSION,
      },
      credential,
    );
    return {
      hostName: `${endpoint.host}${endpoint.pathname.replace(/\/$/, '')}`,
      containerName: container,
      sasToken: `?${query.toString()}`,
    };
  };
}

function readConnection(connection: string): { accountName: string; accountKey: string; endpoint: URL } {
  const fields = new Map(
    connection
      .split(';')
      .filter((part) => part.includes('='))
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
  );
  const accountName = fields.get('AccountName');
  const accountKey = fields.get('AccountKey');
  if (!accountName || !accountKey)
    throw new Error('the storage connection string lacks AccountName or AccountKey');
  const suffix = fields.get('EndpointSuffix') ?? 'core.windows.net';
  const protocol = fields.get('DefaultEndpointsProtocol') ?? 'https';
  const endpoint = fields.get('BlobEndpoint') ?? `${protocol}://${accountName}.blob.${suffix}`;
  if (!URL.canParse(endpoint)) throw new Error('the BlobEndpoint of the storage connection string is no URL');
  return { accountName, accountKey, endpoint: new URL(endpoint) };
}
