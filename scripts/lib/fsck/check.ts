import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import tls from 'node:tls';
import { recoverTornClip } from '../../../agent/capture/recovery/recover.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { ledgerFile } from '../../../agent/ledger/database/database-files.ts';
import { examineDatabase } from '../../../agent/ledger/care/examine.ts';
import { inspectLedger } from '../../../agent/ledger/check/inspect.ts';
import { type CheckReport, createLedger } from '../../../agent/ledger/ledger.ts';
import { type Ownership, takeOwnership } from '../../../agent/ledger/database/ownership.ts';
import { restoreDatabase } from '../../../agent/ledger/care/restore.ts';
import { connectionStringOf, loadAccount } from '../../../cloud-fn/local/storage/account.ts';
import { flag, readArguments, requireNoWords, text } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { needFile } from '../command/folders.ts';
import { checkBlobs } from './blobs.ts';

interface Result extends CheckReport {
  /** Clips of long ago, of which only totals are kept. */
  readonly folded: number;
  /** How many uploaded clips were compared with storage; null when storage was not asked. */
  readonly blobs: { readonly checked: number; readonly read?: number; readonly archived?: number } | null;
}

/** Connection string of a storage account, for who has no file of it. */
const CONNECTION_VARIABLE = 'DACHAWATCH_STORAGE_CONNECTION';

function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/fsck', args, {
    data: text,
    json: flag,
    repair: flag,
    deep: flag,
    'storage-connection-file': text,
    ca: text,
  });
  requireNoWords(words);
  if (values.data === undefined) throw new Refusal('--data DIR is missing: the folder to check');
  const connection = process.env[CONNECTION_VARIABLE] || undefined;
  const file = values['storage-connection-file'];
  if (file !== undefined && connection !== undefined)
    throw new Refusal(
      `--storage-connection-file and ${CONNECTION_VARIABLE} are both given: use one of the two`,
    );
  if (file !== undefined) needFile('--storage-connection-file', resolve(file));
  if (values.ca !== undefined) needFile('--ca', resolve(values.ca));
  const { json, repair, deep, ca } = values;
  const given = file === undefined ? connection : readFileSync(file, 'utf8').trim();
  if (given === '') throw new Refusal(`--storage-connection-file ${file} is empty`);
  return { data: resolve(values.data), json, repair, deep, ca, connection: given };
}

/** The agent's folder: `data` itself, or the one that scripts/run keeps in it. */
function ledgerDirIn(data: string): string {
  if (!statSync(data, { throwIfNoEntry: false })?.isDirectory())
    throw new Refusal(`--data: there is no folder ${data}`);
  const found = [data, join(data, 'agent')].find((dir) => existsSync(join(dir, 'ledger.sqlite')));
  if (found) return found;
  throw new Refusal(`--data: there is no ledger in ${data}, nor in an agent folder below it`);
}

/** How to reach storage: what the caller says, else the local cloud that lies beside the agent's folder. */
function storageOf(
  options: ReturnType<typeof readOptions>,
): { connection: string; ca: string | undefined } | undefined {
  const { connection, ca, data } = options;
  if (connection !== undefined) return { connection, ca };
  const cloud = join(data, 'cloud');
  if (!existsSync(join(cloud, 'storage', 'account.json'))) return undefined;
  return {
    connection: connectionStringOf(loadAccount(join(cloud, 'storage'))),
    ca: ca ?? join(cloud, 'certificates', 'ca.pem'),
  };
}

/** @throws Failure `corrupt` with what is wrong with the database itself: rows of a damaged one say nothing */
function requireWhole(dir: string): void {
  const found = examineDatabase(ledgerFile(dir), { toWrite: false });
  if (!('why' in found)) return;
  throw new Failure(
    'corrupt',
    'fsck.damaged',
    `the ledger ${ledgerFile(dir)} is damaged (${found.why}): the next start of the agent, or --repair, mends it or ` +
      'sets it aside and begins a new one from its backup, from what can be read, and from the clip files',
  );
}

async function repaired(dir: string, deep: boolean): Promise<CheckReport> {
  const ownership = takeOwnership(dir);
  try {
    const found = await restoreDatabase({
      dir,
      clock: systemClock,
      isWanted: () => true,
    });
    if (found.state !== 'whole') process.stderr.write(`scripts/fsck: ${found.sentence}\n`);
    return await checkedRepairing(dir, deep, ownership);
  } finally {
    ownership.release();
  }
}

async function checkedRepairing(dir: string, deep: boolean, ownership: Ownership): Promise<CheckReport> {
  const ledger = createLedger({
    dir,
    ownership,
    clock: systemClock,
    log: createLog('error', (line) => process.stderr.write(line)),
    maxBytes: Number.MAX_SAFE_INTEGER,
    leaseMs: 1,
    recoverTorn: recoverTornClip,
  });
  try {
    return await ledger.check({ repair: true, deep });
  } finally {
    ledger.close();
  }
}

async function check(values: ReturnType<typeof readOptions>): Promise<Result> {
  const dir = ledgerDirIn(values.data);
  const afterRepair = values.repair ? await repaired(dir, values.deep) : undefined;
  requireWhole(dir);
  const inspection = inspectLedger(dir);
  try {
    const checked = afterRepair ?? (await inspection.check({ deep: values.deep }));
    const report = { ...checked, folded: inspection.folded() };
    const storage = storageOf(values);
    if (!storage) return { ...report, blobs: null };
    if (storage.ca && existsSync(storage.ca))
      tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(storage.ca, 'utf8')]);
    const blobs = await checkBlobs(inspection, storage.connection, {
      deep: values.deep,
      say: (line) => process.stderr.write(`scripts/fsck: ${line}\n`),
    });
    if (!blobs) {
      process.stderr.write('fsck: storage does not answer; blobs were not compared\n');
      return { ...report, blobs: null };
    }
    const wrong = new Set(blobs.problems.map((one) => one.clipId));
    return {
      ...report,
      ok: report.ok - [...wrong].filter((id) => id !== null && inspection.knows(id)).length,
      problems: [...report.problems, ...blobs.problems],
      blobs: {
        checked: blobs.checked,
        ...(blobs.read === undefined ? {} : { read: blobs.read }),
        ...(blobs.archived ? { archived: blobs.archived } : {}),
      },
    };
  } finally {
    inspection.close();
  }
}

function print(result: Result, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { clips, ok, repaired: put, repairable, folded, problems, blobs } = result;
  for (const { clipId, problem } of problems)
    process.stdout.write(`${clipId === null ? '' : `clip ${clipId}: `}${problem}\n`);
  const parts = [`${clips} clips`, `${ok} ok`];
  if (folded > 0) parts.push(`${folded} of long ago are totals`);
  if (put > 0) parts.push(`${put} repaired`);
  if (repairable > 0) parts.push(`${repairable} left by a killed process; the next start puts them right`);
  parts.push(blobs ? `${blobs.checked} compared with storage` : 'storage not compared');
  if (blobs?.read !== undefined) parts.push(`the bytes of ${blobs.read} blobs read`);
  if (blobs?.archived) parts.push(`${blobs.archived} in the archive tier not read`);
  parts.push(problems.length === 0 ? 'nothing wrong' : `${problems.length} problems`);
  process.stdout.write(`${parts.join(', ')}\n`);
}

/** What stands in `scripts/fsck`. */
export async function fsck(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  try {
    const result = await check(options);
    print(result, options.json);
    return result.problems.length === 0 ? 0 : 1;
  } catch (error) {
    // A program that reads the object learns of it there, too.
    if (options.json && !(error instanceof Refusal))
      print({ ...NOTHING_CHECKED, problems: [{ clipId: null, problem: (error as Error).message }] }, true);
    throw error;
  }
}

const NOTHING_CHECKED = { clips: 0, ok: 0, repaired: 0, repairable: 0, folded: 0, blobs: null };
