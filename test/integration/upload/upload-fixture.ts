import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import tls from 'node:tls';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { startStorage } from '../../../cloud-fn/local/storage/storage.ts';
import { createFakeUploadTickets, type FakeUploadTickets } from '../../fakes/upload-tickets.ts';

export const DEVICE = 'dacha-1';

export interface StorageFixture {
  /** Folder that goes with the tests of this file. */
  readonly dir: () => string;
  readonly clips: () => ContainerClient;
  readonly connectionString: () => string;
  readonly caFile: () => string;
  readonly tickets: (container?: string) => FakeUploadTickets;
  readonly kill: () => Promise<void>;
  readonly startAgain: () => Promise<void>;
}

/** Storage with a clip container for all tests of a file, trusted by this process. */
export function useStorage(): StorageFixture {
  let dir = '';
  let storage: Awaited<ReturnType<typeof startStorage>> | undefined;
  const trusted = tls.getCACertificates('default');
  const running = () => {
    if (!storage) throw new Error('storage is not running');
    return storage.ready;
  };
  const start = async () => {
    storage = await startStorage({ dataDir: join(dir, 'storage') });
    tls.setDefaultCACertificates([...trusted, readFileSync(storage.ready.caFile, 'utf8')]);
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'dachawatch-upload-'));
    await start();
  });
  after(async () => {
    await storage?.stop();
    tls.setDefaultCACertificates(trusted);
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    dir: () => dir,
    connectionString: () => running().connectionString,
    caFile: () => running().caFile,
    clips: () =>
      BlobServiceClient.fromConnectionString(running().connectionString).getContainerClient(CONTAINER_CLIPS),
    tickets(container = CONTAINER_CLIPS) {
      const { blobEndpoint, connectionString, accountName } = running();
      const key = /AccountKey=([^;]+)/.exec(connectionString)?.[1] ?? '';
      return createFakeUploadTickets({
        deviceId: DEVICE,
        hostName: blobEndpoint.replace('https://', ''),
        account: { name: accountName, key },
        container,
      });
    },
    kill: async () => storage?.kill(),
    startAgain: start,
  };
}

/** Waits for a condition of another process or server. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 180_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it did not come to it within three minutes: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
