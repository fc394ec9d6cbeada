import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import tls from 'node:tls';
import Sqlite from 'better-sqlite3';
import { ensureCertificates } from '../certificates.ts';
import { flagsOf, logLine, portOf, refuse, serveUntilTold } from '../service-process.ts';
import { connectionStringOf, endpointOf, freePortOrAny, loadAccount, saveAccount } from './account.ts';
import { BLOBS_COLLECTION, createAzuriteServers } from './azurite-servers.ts';
import { createBlobChanges } from './blob-changes.ts';
import { createChangeRequests } from './change-requests.ts';
import { createMetadataStore } from './metadata-store.ts';
import { provision } from './provision.ts';
import type { StorageReady } from './storage.ts';

const USAGE = `Blob and queue storage on this machine: Azurite over HTTPS on 127.0.0.1, kept in a folder.
  --data DIR            where everything is kept: blobs, messages, the account key (required)
  --certificates DIR    certificates of the local cloud (default: <data>/certificates)
  --blob-port N         default: the port of the last run, else chosen by the system
  --queue-port N        the same
  --accept-unsigned-tokens   also accept bearer tokens whose signature nobody checks (tests of identities)`;

const flags = flagsOf(USAGE, {
  data: { type: 'string' },
  certificates: { type: 'string' },
  'blob-port': { type: 'string' },
  'queue-port': { type: 'string' },
  'accept-unsigned-tokens': { type: 'boolean' },
});
const dataDir = resolve(flags.data ?? refuse('--data DIR is required: the folder to keep storage in.'));
const blobPort = portOf('--blob-port', flags['blob-port']);
const queuePort = portOf('--queue-port', flags['queue-port']);

await serveUntilTold(async () => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const db = openExclusively(join(dataDir, 'metadata.sqlite'));
  const certificates = await ensureCertificates(
    resolve(flags.certificates ?? join(dataDir, 'certificates')),
    [],
  );
  tls.setDefaultCACertificates([
    ...tls.getCACertificates('default'),
    readFileSync(certificates.caFile, 'utf8'),
  ]);

  const before = loadAccount(dataDir);
  saveAccount(dataDir, before);
  process.env['AZURITE_ACCOUNTS'] = `${before.name}:${before.key}`;
  const changes = createBlobChanges({ db });
  const servers = createAzuriteServers({
    dataDir,
    certificates,
    metadata: createMetadataStore({
      db,
      watch: { store: 'blob', collection: BLOBS_COLLECTION, ...changes },
    }),
    changeRequests: createChangeRequests({ changes, accountKey: before.key }),
    blobPort: blobPort ?? (await samePortOrAny('blob', before.blobPort)),
    queuePort: queuePort ?? (await samePortOrAny('queue', before.queuePort)),
    acceptUnsignedTokens: flags['accept-unsigned-tokens'] ?? false,
    onSaveFailed: (error) => logLine({ event: 'storage.save-failed', message: error.message }),
  });
  const account = { ...before, ...(await servers.start()) };
  saveAccount(dataDir, account);
  const connectionString = connectionStringOf(account);
  await provision(connectionString);
  const ready: StorageReady = {
    blobEndpoint: endpointOf(account, 'blob'),
    queueEndpoint: endpointOf(account, 'queue'),
    connectionString,
    accountName: account.name,
    caFile: certificates.caFile,
  };
  return {
    ready,
    stop: async () => {
      await servers.stop();
      db.close();
    },
  };
});

/** Held open exclusively: a second process on the same folder would overwrite what the first one keeps. */
function openExclusively(file: string): Sqlite.Database {
  try {
    const db = new Sqlite(file, { timeout: 5000 });
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('BEGIN IMMEDIATE; COMMIT');
    return db;
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_BUSY')
      throw new Error(`${file} is in use: another storage process runs on this folder.`, { cause: error });
    throw error;
  }
}

async function samePortOrAny(service: string, port: number): Promise<number> {
  const free = await freePortOrAny(port);
  if (free !== port) logLine({ event: 'storage.port-changed', service, taken: port });
  return free;
}
