/** The library that the harness of kills and faults puts between a program and the file system. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  buildDiskFaults,
  type Call,
  CALLS,
  createDiskRules,
  type DiskFault,
  type Place,
  PLACES,
} from '../../../scripts/lib/bench/faults/disk/disk-faults.ts';

let dir = '';
let library = '';
before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-disk-faults-'));
  library = await buildDiskFaults(dir);
});
after(() => rmSync(dir, { recursive: true, force: true }));

const EVERYWHERE = Object.keys(PLACES) as Place[];
let runs = 0;

/** Runs a program with one rule in a folder of its own, in which `a.mp4` and `b.mp4.part` hold five bytes. */
async function under(fault: Partial<DiskFault>, program: string) {
  const root = join(dir, `run-${++runs}`);
  mkdirSync(root);
  for (const name of ['a.mp4', 'b.mp4.part']) writeFileSync(join(root, name), 'hello');
  const rules = createDiskRules(library, join(dir, `page-${runs}`), `${root}/`);
  rules.set([
    { calls: [], places: EVERYWHERE, after: 0, times: 1, action: 'fail', error: 'EIO', param: 0, ...fault },
  ]);
  const wrapped = `import fs from 'node:fs'; import fsp from 'node:fs/promises'; import Sqlite from 'better-sqlite3';
    const at = (name) => ${JSON.stringify(root)} + '/' + name;
    try { ${program}; process.stdout.write('no fault') } catch (error) { process.stdout.write(String(error.code)) }`;
  const { said, signal } = await new Promise<{ said: string; signal: string | null }>((resolve) =>
    execFile(
      process.execPath,
      ['--input-type=module', '-e', wrapped],
      { cwd: join(import.meta.dirname, '../../..'), env: rules.environment },
      (error, stdout) => resolve({ said: stdout, signal: error?.signal ?? null }),
    ),
  );
  const fired = rules.fired();
  rules.close();
  return { said, signal, fired, root };
}

const PROGRAMS: Readonly<Record<Call, readonly string[]>> = {
  open: [`fs.openSync(at('a.mp4'))`, `await fsp.open(at('a.mp4'))`],
  'open to write': [
    `fs.openSync(at('new'), 'w')`,
    `await fsp.open(at('new'), 'w')`,
    `new Sqlite(at('x.sqlite'))`,
  ],
  read: [`fs.readFileSync(at('a.mp4'))`, `await fsp.readFile(at('a.mp4'))`],
  write: [
    `fs.writeFileSync(at('new'), 'x')`,
    `await fsp.writeFile(at('new'), 'x')`,
    `const file = await fsp.open(at('new'), 'w'); await file.writev([Buffer.from('x'), Buffer.from('y')])`,
    `new Sqlite(at('x.sqlite')).exec('CREATE TABLE t (x)')`,
  ],
  sync: [
    `fs.fsyncSync(fs.openSync(at('new'), 'w'))`,
    `const file = await fsp.open(at('new'), 'w'); await file.datasync()`,
    `new Sqlite(at('x.sqlite')).exec('CREATE TABLE t (x)')`,
  ],
  rename: [`fs.renameSync(at('a.mp4'), at('c'))`, `await fsp.rename(at('a.mp4'), at('c'))`],
  // Node's own code of a failed rmSync is empty.
  unlink: [
    `fs.unlinkSync(at('a.mp4'))`,
    `await fsp.rm(at('a.mp4'))`,
    `try { fs.rmSync(at('a.mp4')) } catch { throw { code: 'EIO' } }`,
  ],
  truncate: [
    `fs.truncateSync(at('a.mp4'), 1)`,
    `const file = await fsp.open(at('a.mp4'), 'r+'); await file.truncate(1)`,
  ],
  mkdir: [`fs.mkdirSync(at('folder'))`, `await fsp.mkdir(at('folder'))`],
  stat: [`fs.statSync(at('a.mp4'))`, `await fsp.stat(at('a.mp4'))`],
  list: [`fs.readdirSync(at('.'))`, `await fsp.readdir(at('.'))`],
};

for (const call of Object.keys(CALLS) as Call[])
  test(`${call}: the call of Node, and of SQLite, fails once and is counted`, async () => {
    for (const program of PROGRAMS[call]) {
      const { said, fired } = await under({ calls: [call] }, program);
      assert.match(said, /^(EIO|SQLITE_IOERR\w*|SQLITE_CANTOPEN)$/, program);
      assert.equal(fired, 1, program);
      const elsewhere = await under({ calls: [call], after: 1_000 }, program);
      assert.equal(elsewhere.said, 'no fault', program);
    }
  });

test('a short write leaves a part, and the next one fails', async () => {
  const { said, root } = await under(
    { calls: ['write'], action: 'short write, then error', error: 'ENOSPC', param: 2 },
    `fs.writeFileSync(at('c.mp4.part'), 'hello')`,
  );
  assert.equal(said, 'ENOSPC');
  assert.equal(readFileSync(join(root, 'c.mp4.part'), 'utf8'), 'hel');
});

test('a kill comes before the call, after it, or in the middle of a write', async () => {
  const write = `fs.writeFileSync(at('c.mp4.part'), 'hello')`;
  for (const [action, left] of [
    ['kill before', ''],
    ['kill after', 'hello'],
    ['short write, then kill', 'hel'],
  ] as const) {
    const { signal, root } = await under({ calls: ['write'], action, param: 2 }, write);
    assert.equal(signal, 'SIGKILL');
    assert.equal(readFileSync(join(root, 'c.mp4.part'), 'utf8'), left, action);
  }
});

test('a read turns one bit, and the file stays as it is', async () => {
  const { said, root } = await under(
    { calls: ['read'], action: 'flip a bit', param: 0 },
    `process.stdout.write(fs.readFileSync(at('a.mp4')))`,
  );
  assert.match(said, /^iello/);
  assert.equal(readFileSync(join(root, 'a.mp4'), 'utf8'), 'hello');
});

test('a sync that loses leaves zeros where nothing was synced before, though what follows succeeds', async () => {
  const { said, root } = await under(
    { calls: ['sync'], after: 1, action: 'sync fails and loses' },
    `const file = fs.openSync(at('c.mp4.part'), 'w');
     fs.writeSync(file, 'one'); fs.fdatasyncSync(file); fs.writeSync(file, 'two');
     try { fs.fdatasyncSync(file) } catch { fs.fdatasyncSync(file) }`,
  );
  assert.equal(said, 'no fault');
  assert.equal(readFileSync(join(root, 'c.mp4.part'), 'utf8'), 'one\0\0\0');
});

test('pipes and sockets that get the number of a closed file are no files', async () => {
  const { said, fired } = await under(
    { calls: ['read', 'write'], times: 1_000 },
    `const { spawn } = await import('node:child_process');
     for (let n = 0; n < 20; n++) fs.closeSync(fs.openSync(at('a.mp4')));
     const open = await Promise.all(Array.from({ length: 20 }, () => fsp.open(at('a.mp4'))));
     await Promise.all(open.map((file) => file.close()));
     for (const child of Array.from({ length: 10 }, () => spawn('cat'))) {
       let back = '';
       child.stdout.on('data', (bytes) => (back += bytes));
       child.stdin.on('error', () => undefined).end('hello');
       await new Promise((resolve) => child.once('close', resolve));
       if (back !== 'hello') throw { code: 'pipe' };
     }`,
  );
  assert.deepEqual({ said, fired }, { said: 'no fault', fired: 0 });
});
