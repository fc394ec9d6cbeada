import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** What a storage account keeps between runs: its key, and the ports its clients have written down. */
export interface Account {
  readonly name: string;
  /** Base64 of 64 random bytes. */
  readonly key: string;
  readonly blobPort: number;
  readonly queuePort: number;
}

const fileIn = (dataDir: string) => join(dataDir, 'account.json');

/** The account of an earlier run, else a new one with a random key and no ports yet. */
export function loadAccount(dataDir: string): Account {
  const file = fileIn(dataDir);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Account;
  return {
    name: 'dachawatchlocal',
    key: randomBytes(64).toString('base64'),
    blobPort: 0,
    queuePort: 0,
  };
}

/** Readable by its owner only; never half written. */
export function saveAccount(dataDir: string, account: Account): void {
  const file = fileIn(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(account)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

export const connectionStringOf = (account: Account): string =>
  [
    'DefaultEndpointsProtocol=https',
    `AccountName=${account.name}`,
    `AccountKey=${account.key}`,
    `BlobEndpoint=${endpointOf(account, 'blob')}`,
    `QueueEndpoint=${endpointOf(account, 'queue')}`,
  ].join(';');

export const endpointOf = (account: Account, service: 'blob' | 'queue'): string =>
  `https://127.0.0.1:${service === 'blob' ? account.blobPort : account.queuePort}/${account.name}`;

/** `port` when it is free on 127.0.0.1, else 0: let the system choose. */
export const freePortOrAny = (port: number): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
