import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import {
  type FunctionsPackage,
  MAIN,
  makePackage,
} from '../../../scripts/lib/deploy-cloud/functions-package.ts';
import { registeredFunctions } from '../../../scripts/lib/deploy-cloud/registered-functions.ts';
import { repoRoot } from '../../../scripts/lib/places.ts';

let dir: string;
let made: FunctionsPackage;
let files: Record<string, Uint8Array>;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-package-test-'));
  made = await makePackage(dir);
  files = unzipSync(readFileSync(made.zip));
});
after(() => rmSync(dir, { recursive: true, force: true }));

const textOf = (name: string): string => {
  const bytes = files[name];
  assert.ok(bytes, `${name} is in the zip`);
  return strFromU8(bytes);
};

test('the package holds what the Functions host wants, and nothing else', () => {
  assert.deepEqual(
    Object.keys(files).toSorted(),
    ['.funcignore', 'LICENSES.txt', MAIN, 'host.json', 'package.json'].toSorted(),
  );
  const { main } = JSON.parse(textOf('package.json')) as { main: string };
  assert.equal(main, MAIN);
  assert.equal(textOf('host.json'), readFileSync(join(repoRoot, 'cloud-fn/host.json'), 'utf8'));
});

test('every function of the app registers itself when a plain Node loads the package, without the checkout and without settings', async () => {
  assert.deepEqual(made.functions, [
    'Escalate',
    'KeepClips',
    'OnVideoBlobCreated',
    'OnVideoProcessed',
    'PurgeHistories',
    'RecordPoison',
    'SendFailureNotification',
    'SendVideoComplited',
    'StartVideo',
    'clip-analysis',
    'find_result',
    'keep_picture',
    'send_processing_request',
    'send_verdict_to_device',
    'start_container',
    'store_verdict',
  ]);
  const elsewhere = mkdtempSync(join(tmpdir(), 'dachawatch-elsewhere-'));
  try {
    cpSync(join(dir, 'app'), elsewhere, { recursive: true });
    assert.deepEqual(await registeredFunctions(join(elsewhere, MAIN)), made.functions);
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

test('the package is small: a fraction of what its packages weigh when they are installed', () => {
  assert.ok(made.zipBytes < 3e6, `${made.zipBytes} bytes`);
  assert.ok(made.appBytes < 10e6, `${made.appBytes} bytes`);
});

test('the same commit gives the same bytes, in whichever folder', async () => {
  const other = mkdtempSync(join(tmpdir(), 'dachawatch-package-again-'));
  try {
    const again = await makePackage(other);
    assert.equal(again.sha256, made.sha256);
    assert.equal(createHash('sha256').update(readFileSync(made.zip)).digest('hex'), made.sha256);
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});

test('it names no folder of the machine that made it, and holds no secret of it', () => {
  for (const [name, bytes] of Object.entries(files)) {
    const text = strFromU8(bytes);
    assert.ok(!text.includes(repoRoot), name);
    // The key of every Azurite, which the storage package brings along, is no secret.
    const keys = text.match(/(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{20}/g) ?? [];
    assert.deepEqual(
      keys.filter((key) => key !== 'AccountKey=Eby8vdM02xNOcqFlqUwJ'),
      [],
      name,
    );
  }
});

test('each package that is in it is named with its licence', () => {
  const licences = textOf('LICENSES.txt');
  assert.equal(licences.match(/^={80}$/gm)?.length, made.packages);
  for (const name of [
    '@azure/functions',
    'durable-functions',
    '@azure/storage-blob',
    'azure-iothub',
    'typebox',
  ])
    assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\S*: \\S+`, 'm'));
  assert.ok(!licences.includes('UNKNOWN'), 'a package without a licence');
});

test('what an earlier run put there is replaced', async () => {
  const stale = join(dir, 'app', 'stale.js');
  cpSync(join(dir, 'app', MAIN), stale);
  await makePackage(dir);
  assert.ok(!existsSync(stale));
});
