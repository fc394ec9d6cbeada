import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { flagsOf, logLine, refuse, serveUntilTold } from '../service-process.ts';
import { createBridge } from './bridge.ts';
import { openEventStore } from './event-store.ts';
import { createChangeSource } from './follow.ts';

/** The bridge asks again by itself; the client's default would wait for a minute after storage is back. */
const RETRY = { retryOptions: { maxTries: 2, retryDelayInMs: 500, tryTimeoutInMs: 30_000 } };

const USAGE = `Tells a functions app about new blobs, as Event Grid does on Azure.
  --data DIR         what was seen and what is still to be told (required)
  --endpoint URL     webhook of the Event Grid function, ...?functionName=NAME (required)
  --keys FILE        keys file of the functions host; or the key in DACHA_EVENTGRID_KEY
  --container NAME   default ${CONTAINER_CLIPS}
Environment: DACHA_STORAGE_CONNECTION (connection string), DACHA_EVENTGRID_KEY.`;

const flags = flagsOf(USAGE, {
  data: { type: 'string' },
  endpoint: { type: 'string' },
  keys: { type: 'string' },
  container: { type: 'string' },
});
const dataDir = resolve(flags.data ?? refuse('--data DIR is required: the folder to keep state in.'));
const given = flags.endpoint ?? refuse('--endpoint URL is required: where to deliver events.');
const endpoint = URL.canParse(given) ? new URL(given) : refuse(`--endpoint "${given}" is not an address.`);
const connection = process.env['DACHA_STORAGE_CONNECTION'] ?? refuse('DACHA_STORAGE_CONNECTION is not set.');
const key = flags.keys === undefined ? process.env['DACHA_EVENTGRID_KEY'] : keyIn(flags.keys);
if (key !== undefined) endpoint.searchParams.set('code', key);

const accountKey =
  /(?:^|;)AccountKey=([^;]+)/.exec(connection)?.[1] ?? refuse('DACHA_STORAGE_CONNECTION has no AccountKey.');

await serveUntilTold(() => {
  const store = openEventStore(dataDir);
  const service = BlobServiceClient.fromConnectionString(connection, RETRY);
  const bridge = createBridge({
    container: service.getContainerClient(flags.container ?? CONTAINER_CLIPS),
    changes: createChangeSource(service.url, accountKey),
    store,
    endpoint,
    nowMs: Date.now,
    random: Math.random,
    log: logLine,
  });
  bridge.start();
  return Promise.resolve({
    ready: { container: flags.container ?? CONTAINER_CLIPS },
    stop: async () => {
      await bridge.stop();
      store.close();
    },
  });
});

function keyIn(file: string): string {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { eventGrid: string }).eventGrid;
  } catch (error) {
    return refuse(`--keys ${file} cannot be read: ${(error as Error).message}`);
  }
}
