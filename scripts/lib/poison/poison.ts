/** `scripts/poison`: messages that nobody could use, seen and sent again. Its help stands in `scripts/poison`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { Failure } from '../../../agent/kernel/failure.ts';
import { driveAgain } from '../../../cloud-fn/keeper/drive-again.ts';
import { type PoisonRecord, readPoisonRecord } from '../../../cloud-fn/keeper/poison-records.ts';
import { connectionStringOf, loadAccount } from '../../../cloud-fn/local/storage/account.ts';
import { createAzureStorage } from '../../../cloud-fn/ports/azure-storage.ts';
import { POISON_PREFIX } from '../../../cloud-fn/ports/instance-places.ts';
import {
  CONTAINER_INSTANCES,
  MAX_DOCUMENT_BYTES,
  type StoragePort,
} from '../../../cloud-fn/ports/storage.ts';
import { Refusal } from '../command/ends.ts';
import { runCommand } from '../command/run-command.ts';
import { readPoisonCommand, type PoisonCommand } from './options.ts';

const LISTED_MAX = 5_000;

const print = (line: string) => process.stdout.write(`${line}\n`);

function storageOf({ dataDir, connection }: PoisonCommand): StoragePort {
  if (connection !== undefined) return createAzureStorage({ connectionString: connection });
  const cloud = join(dataDir, 'cloud');
  if (!existsSync(join(cloud, 'storage', 'account.json')))
    throw new Refusal(`there is no local cloud in ${dataDir}`);
  const ca = readFileSync(join(cloud, 'certificates', 'ca.pem'), 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);
  return createAzureStorage({ connectionString: connectionStringOf(loadAccount(join(cloud, 'storage'))) });
}

async function recordsIn(storage: StoragePort): Promise<PoisonRecord[]> {
  const records: PoisonRecord[] = [];
  for (const { name } of await storage.listBlobs(CONTAINER_INSTANCES, POISON_PREFIX, LISTED_MAX)) {
    const blob = await storage.readBlob({ container: CONTAINER_INSTANCES, name }, MAX_DOCUMENT_BYTES);
    const record = blob && readPoisonRecord(blob.bytes);
    if (record) records.push(record);
  }
  return records.toSorted((one, other) => (one.at < other.at ? -1 : 1));
}

const lineOf = ({ digest, at, queue, state, reason, message }: PoisonRecord) =>
  `${digest}  ${at}  ${queue}  ${state === 'driven' ? 'sent again' : 'aside'}  ${reason}: ${message.replaceAll(/\s+/g, ' ').slice(0, 120)}`;

async function again(storage: StoragePort, { ids, all, json }: PoisonCommand): Promise<number> {
  const wanted = all
    ? (await recordsIn(storage)).filter(({ state }) => state !== 'driven').map(({ digest }) => digest)
    : ids;
  let failed = 0;
  for (const id of wanted) {
    const outcome = await driveAgain(storage, id);
    if (outcome === 'no-such-message' || outcome === 'text-is-gone') failed += 1;
    print(json ? JSON.stringify({ id, outcome }) : `${id}  ${outcome.replaceAll('-', ' ')}`);
  }
  if (wanted.length === 0 && !json) print('nothing lies aside');
  return failed === 0 ? 0 : 1;
}

async function poison(args: readonly string[]): Promise<number> {
  const command = readPoisonCommand(args, process.env);
  const storage = storageOf(command);
  if (command.name === 'again') return again(storage, command);
  const records = await recordsIn(storage);
  if (command.name === 'show') {
    const found = records.find(({ digest }) => digest === command.ids[0]);
    if (!found)
      throw new Failure(
        'rejected',
        'poison.unknown',
        `there is no message ${command.ids[0]}: list shows them`,
      );
    print(JSON.stringify(found, null, command.json ? 0 : 2));
    return 0;
  }
  for (const record of records) print(command.json ? JSON.stringify(record) : lineOf(record));
  if (records.length === 0 && !command.json) print('nothing lies aside');
  return 0;
}

await runCommand('scripts/poison', async () => poison, { onSignal: 'exit' });
