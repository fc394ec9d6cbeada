import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { verdictBlobName } from '@dachawatch/contracts';
import { openDatabase } from '../../../agent/ledger/database/database.ts';
import { MIGRATIONS, SCHEMA_VERSION } from '../../../agent/ledger/database/migrations.ts';
import { benchLedger, uploadNext, verdictFor, writeClip } from '../../unit/agent/ledger/bench.ts';
import { damageBench, damagedCopy } from '../../unit/agent/ledger/care/damage-bench.ts';
import { DEVICE, useStorage } from '../upload/upload-fixture.ts';

const storage = useStorage();

interface Run {
  readonly code: number;
  readonly result: {
    clips: number;
    ok: number;
    repaired: number;
    repairable: number;
    problems: { clipId: string | null; problem: string }[];
    blobs: { checked: number; read?: number } | null;
  };
  readonly stderr: string;
}

/** Runs scripts/lib/fsck/fsck.ts, which scripts/fsck hands its arguments to. */
function fsck(...args: string[]): Promise<Run> {
  const program = join(import.meta.dirname, '../../../scripts/lib/fsck/fsck.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 300_000 }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      resolve({
        code: error ? Number(error.code ?? 99) : 0,
        result: (last.startsWith('{') ? JSON.parse(last) : {}) as Run['result'],
        stderr,
      });
    });
  });
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-fsck-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a sound ledger: nothing wrong, also while the agent records', async (t) => {
  const { dir, sealed, open, ledger } = benchLedger(t);
  sealed();
  writeClip(open().partFile, 10);
  const { code, result } = await fsck('--data', dir, '--json', '--deep');
  assert.deepEqual(result, {
    clips: 2,
    ok: 2,
    repaired: 0,
    repairable: 0,
    problems: [],
    folded: 0,
    blobs: null,
  });
  assert.equal(code, 0);
  assert.equal(ledger.summary().clips, 2, 'the agent goes on');
});

test('what a killed agent left is repairable, and --repair puts it right; the folder of scripts/run will do', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  const nothingWritten = bench.open();
  const data = folder(t);
  // A copy of the files of a running ledger is what a power cut leaves.
  cpSync(bench.dir, join(data, 'agent'), { recursive: true });
  const look = await fsck('--data', data, '--json');
  assert.deepEqual([look.result.repairable, look.result.ok, look.code], [1, 1, 0]);
  const repair = await fsck('--data', data, '--json', '--repair');
  assert.deepEqual([repair.result.repaired, repair.result.problems.length, repair.code], [1, 0, 0]);
  const after = await fsck('--data', join(data, 'agent'), '--json');
  assert.deepEqual([after.result.ok, after.result.repairable], [2, 0]);
  assert.equal(bench.ledger.clip(nothingWritten.clipId)?.state, 'recording', 'the original was not touched');
});

test('a missing file is a problem and the exit code tells', async (t) => {
  const { dir, sealed } = benchLedger(t);
  const clip = sealed();
  rmSync(clip.file);
  const { code, result } = await fsck('--data', dir, '--json');
  assert.equal(code, 1);
  assert.equal(result.problems[0]?.clipId, clip.clipId);
});

test('no repair while the agent runs; no ledger, no folder, no flag: one sentence each', async (t) => {
  const { dir } = benchLedger(t);
  const busy = await fsck('--data', dir, '--json', '--repair');
  assert.equal(busy.code, 1);
  assert.match(busy.result.problems[0]?.problem ?? '', /another process is using the ledger/);

  const empty = await fsck('--data', folder(t), '--json');
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /^scripts\/fsck: --data: there is no ledger in .*\n$/);
  const none = await fsck('--data', '/nowhere/at/all');
  assert.deepEqual(
    [none.code, none.stderr],
    [2, 'scripts/fsck: --data: there is no folder /nowhere/at/all\n'],
  );
  const wrong = await fsck('--dta', 'x');
  assert.equal(wrong.code, 2);
  assert.equal(wrong.stderr.trim().split('\n').length, 1);
});

test('a ledger of a newer version is refused and not changed; a file that is no ledger is told apart', async (t) => {
  const dir = folder(t);
  openDatabase(dir, [
    ...MIGRATIONS,
    {
      version: SCHEMA_VERSION + 1,
      oldestReader: SCHEMA_VERSION + 1,
      sql: 'CREATE TABLE from_the_future (x)',
    },
  ]).close();
  const newer = await fsck('--data', dir, '--json');
  assert.match(newer.result.problems[0]?.problem ?? '', /written by a newer version/);

  const garbage = folder(t);
  writeFileSync(join(garbage, 'ledger.sqlite'), 'nothing that a database would begin with '.repeat(50));
  const corrupt = await fsck('--data', garbage, '--json');
  assert.equal(corrupt.code, 1);
  assert.match(corrupt.result.problems[0]?.problem ?? '', /not a database/);
});

test('blobs are compared: missing, other bytes, no verdict, and one that no clip answers for', async (t) => {
  const { dir, ledger, sealed } = benchLedger(t);
  const clips = [sealed(100), sealed(200), sealed(300), sealed(400)];
  const container = storage.clips();
  for (let i = 0; i < clips.length; i++) {
    const lease = ledger.leaseNext()!;
    ledger.settleUploaded(lease, container.getBlobClient(`${DEVICE}/${lease.clip.blobName}`).url);
  }
  for (const clip of clips.slice(0, 2)) ledger.applyVerdict(verdictFor(clip.clipId));
  const [whole, noVerdict, otherBytes, missing] = clips;
  const put = async (clip: (typeof clips)[number], body: string, sha256: string) =>
    container
      .getBlockBlobClient(`${DEVICE}/${clip.blobName}`)
      .upload(body, body.length, { metadata: { sha256 } });
  await put(whole!, 'x'.repeat(100), whole!.sha256!);
  await container.getBlockBlobClient(verdictBlobName(`${DEVICE}/${whole!.blobName}`)).upload('{}', 2);
  await put(noVerdict!, 'x'.repeat(200), noVerdict!.sha256!);
  await put(otherBytes!, 'x'.repeat(300), 'f'.repeat(64));
  const stranger = `${DEVICE}/gate/2026/06/01/01ARYZ6S410000000000000000.mp4`;
  await container.getBlockBlobClient(stranger).upload('x', 1);

  const secret = join(dir, 'connection');
  writeFileSync(secret, `${storage.connectionString()}\n`);
  const { result, code } = await fsck(
    ...['--data', dir, '--json', '--storage-connection-file', secret, '--ca', storage.caFile()],
  );
  assert.equal(code, 1);
  assert.deepEqual(result.blobs, { checked: 4 });
  assert.equal(result.ok, 1);
  const told = Object.fromEntries(result.problems.map(({ clipId, problem }) => [clipId, problem]));
  assert.equal(result.problems.length, 4);
  assert.match(told[noVerdict!.clipId] ?? '', /no verdict lies beside/);
  assert.match(told[otherBytes!.clipId] ?? '', /another checksum/);
  assert.match(told[missing!.clipId] ?? '', /is not in storage/);
  assert.match(told['01ARYZ6S410000000000000000'] ?? '', /belongs to no clip/);
  await container.getBlockBlobClient(stranger).delete();
});

test('--deep finds a blob whose metadata is right and whose bytes are wrong, and says how far it is and what it cannot read', async (t) => {
  const { dir, ledger, sealed } = benchLedger(t);
  const clips = [sealed(70_000), sealed(70_000), sealed(70_000)];
  const container = storage.clips();
  for await (const { name } of container.listBlobsFlat()) await container.deleteBlob(name);
  for (const clip of clips) {
    const lease = ledger.leaseNext()!;
    ledger.settleUploaded(lease, container.getBlobClient(`${DEVICE}/${lease.clip.blobName}`).url);
    const bytes = readFileSync(clip.file);
    // As committed blocks are: storage keeps the hash that its writer gave.
    const right = createHash('md5').update(bytes).digest();
    if (clip === clips[1]) bytes[69_999]! ^= 1;
    const blob = container.getBlockBlobClient(`${DEVICE}/${clip.blobName}`);
    await blob.stageBlock('YQ==', bytes, bytes.length);
    await blob.commitBlockList(['YQ=='], {
      metadata: { sha256: clip.sha256! },
      blobHTTPHeaders: { blobContentMD5: right },
    });
  }
  const secret = join(dir, 'connection');
  writeFileSync(secret, storage.connectionString());
  const where = ['--data', dir, '--json', '--storage-connection-file', secret, '--ca', storage.caFile()];
  const shallow = await fsck(...where);
  assert.deepEqual([shallow.code, shallow.result.problems, shallow.result.blobs], [0, [], { checked: 3 }]);
  const deep = await fsck(...where, '--deep');
  assert.equal(deep.code, 1);
  assert.deepEqual(deep.result.blobs, { checked: 3, read: 3 });
  assert.equal(deep.result.problems.length, 1);
  assert.equal(deep.result.problems[0]?.clipId, clips[1]!.clipId);
  assert.match(deep.result.problems[0]?.problem ?? '', /holds other bytes/);
  assert.match(deep.stderr, /0 of 3 blobs read, 0\.0 MB of 0\.2 MB/);
  await container.getBlockBlobClient(`${DEVICE}/${clips[0]!.blobName}`).setAccessTier('Archive');
  const archived = await fsck(...where, '--deep');
  assert.deepEqual(archived.result.blobs, { checked: 3, read: 2, archived: 1 });
  assert.equal(archived.result.problems.length, 1, 'that bytes cannot be read is nothing wrong with them');
});

test('the local cloud beside the agent is found by itself; when it does not run, blobs are not compared', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  uploadNext(bench.ledger);
  const data = folder(t);
  cpSync(bench.dir, join(data, 'agent'), { recursive: true });
  mkdirSync(join(data, 'cloud', 'storage'), { recursive: true });
  const account = { name: 'local', key: Buffer.alloc(64).toString('base64'), blobPort: 1, queuePort: 1 };
  writeFileSync(join(data, 'cloud', 'storage', 'account.json'), JSON.stringify(account));
  const { code, result, stderr } = await fsck('--data', data, '--json');
  assert.deepEqual([code, result.blobs], [0, null]);
  assert.match(stderr, /storage does not answer/);
});

test('of a damaged ledger it says in one sentence what is wrong, and --repair begins it anew', async (t) => {
  const bench = damageBench(t);
  const damages: Readonly<Record<string, (file: string) => void>> = {
    'a zeroed page': (file) => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0, 4096, 8192));
    },
    'a first page of garbage': (file) => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0xa5, 0, 4096));
    },
    'a cut': (file) => truncateSync(file, 9_000),
    'a folder in its place': (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    const dir = damagedCopy(t, bench.dir, damage);
    const look = await fsck('--data', dir, '--json');
    assert.equal(look.code, 1, what);
    assert.match(look.result.problems[0]?.problem ?? '', /^the ledger .* is damaged \(/, what);
    assert.doesNotMatch(look.stderr, /\n +at /, what);
    const repair = await fsck('--data', dir, '--json', '--repair');
    assert.match(repair.stderr, /set aside in set-aside/, what);
    // What it reports beside: the clips of the bench are no videos, and cannot be taken up without their rows.
    const after = await fsck('--data', dir, '--json', '--deep');
    assert.deepEqual([after.result.problems, after.code], [[], 0], what);
  }
});
