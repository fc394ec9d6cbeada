import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { isOwned, takeOwnership } from '../../../../../agent/ledger/database/ownership.ts';
import { lockData } from '../../../../../scripts/lib/run/data-lock.ts';

const ROOM = join(import.meta.dirname, '../../../../../agent/ledger/database/ownership.ts');
const inUse = { kind: 'transient', code: 'ledger.in-use' };

/** Takes the ledger, and says after each line it is given whether it still is the owner. */
const OWNER = `
  import { createInterface } from 'node:readline';
  import { takeOwnership } from ${JSON.stringify(ROOM)};
  const owner = takeOwnership(process.argv[1]);
  console.log('mine');
  for await (const _ of createInterface(process.stdin)) {
    try { owner.confirm(); console.log('mine'); } catch (error) { console.log(error.code); }
  }
`;

let dir = '';
let children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ownership-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(dir, { recursive: true, force: true });
});

async function owner(before: readonly string[] = []) {
  const [command = '', ...args] = [
    ...before,
    ...[process.execPath, '--input-type=module-typescript', '-e', OWNER, dir],
  ];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => (await answers.next()).value as string;
  assert.equal(await next(), 'mine');
  return {
    child,
    ask: async () => {
      child.stdin.write('\n');
      return await next();
    },
  };
}

test('a folder has one owner, also when its lock file is deleted or made anew, until the owner is gone', async () => {
  const { child, ask } = await owner();
  assert.throws(() => takeOwnership(dir), inUse);
  rmSync(join(dir, 'ledger.owner'));
  assert.ok(isOwned(dir), 'who only looks sees the owner');
  assert.throws(() => takeOwnership(dir), inUse);
  writeFileSync(join(dir, 'ledger.owner'), '');
  assert.throws(() => takeOwnership(dir), inUse);
  assert.equal(await ask(), 'mine');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(!isOwned(dir));
  takeOwnership(dir).release();
});

test('the folder counts, not the path that leads to it', async () => {
  await owner();
  const link = `${dir}-link`;
  symlinkSync(dir, link);
  try {
    rmSync(join(dir, 'ledger.owner'));
    assert.throws(() => takeOwnership(link), inUse);
  } finally {
    rmSync(link);
  }
});

const ownNetwork = ['unshare', ...(process.getuid?.() === 0 ? ['-n'] : ['-Urn'])];
const canUnshare = spawnSync(ownNetwork[0] ?? '', [...ownNetwork.slice(1), 'true']).status === 0;

test('an owner in a container of its own whose lock file was deleted and taken by another gives way before its next step', {
  skip: canUnshare ? false : 'this machine does not let us make a network namespace',
}, async () => {
  const first = await owner(ownNetwork);
  assert.throws(() => takeOwnership(dir), inUse, 'the lock file is seen across namespaces');
  rmSync(join(dir, 'ledger.owner'));
  assert.equal(await first.ask(), 'mine', 'nobody has taken it: it is made and locked again');
  assert.throws(() => takeOwnership(dir), inUse);
  rmSync(join(dir, 'ledger.owner'));
  const second = takeOwnership(dir);
  assert.equal(await first.ask(), 'ledger.in-use');
  assert.equal(await first.ask(), 'ledger.in-use', 'and does not take it back');
  second.confirm();
  second.release();
});

const accidents: Readonly<Record<string, (file: string) => void>> = {
  garbage: (file) => writeFileSync(file, Buffer.alloc(5_000, 0xa5)),
  'a folder with something in it': (file) => {
    mkdirSync(file);
    writeFileSync(join(file, 'x'), '');
  },
  'a link to itself': (file) => symlinkSync(file, file),
};
for (const [what, make] of Object.entries(accidents))
  test(`a lock file that is ${what} keeps nobody from his ledger, and locks again afterwards`, async () => {
    make(join(dir, 'ledger.owner'));
    const { ask } = await owner();
    assert.equal(await ask(), 'mine');
    assert.throws(() => takeOwnership(dir), inUse);
  });

test('a data folder has one scripts/run, also when its lock file is deleted', () => {
  const first = lockData(dir);
  assert.ok(first);
  rmSync(join(dir, 'run.lock'));
  assert.equal(lockData(dir), undefined);
  first.release();
  const next = lockData(dir);
  assert.ok(next);
  next.release();
});
