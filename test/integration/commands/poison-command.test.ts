/** `scripts/poison` as a process, with real storage and the app that records. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { recordPoisonQueues } from '../../../cloud-fn/keeper/record-poison.ts';
import { createAzureStorage } from '../../../cloud-fn/ports/azure-storage.ts';
import { startCloudStorage, type CloudStorage } from '../cloud-fn/cloud-fn-fixture.ts';
import { makeWorld, type World } from '../hub/hub-fixture.ts';

const PROGRAM = fileURLToPath(new URL('../../../scripts/lib/poison/poison.ts', import.meta.url));

let world: World;
let storage: CloudStorage;
before(async () => {
  world = await makeWorld();
  storage = await startCloudStorage(world);
});
after(async () => {
  await storage?.stop();
  world?.remove();
});

/** What it says on standard output and standard error, and how it ends. */
function poison(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: {
      PATH: process.env['PATH'],
      NODE_EXTRA_CA_CERTS: storage.caFile,
      DACHAWATCH_STORAGE_CONNECTION: storage.connectionString,
    },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

test('messages that lie aside are listed, shown and sent again, once', async () => {
  assert.deepEqual(await poison('list'), { code: 0, out: 'nothing lies aside\n', err: '' });
  const note = {
    reason: 'bad-json',
    message: 'the message is not JSON',
    original: '7.10',
    at: '2026-11-30T12:00:00Z',
  };
  await storage.send('video-processed-poison', JSON.stringify(note));
  const told: string[] = [];
  const round = () =>
    recordPoisonQueues({
      storage: createAzureStorage(storage),
      notification: { notify: async ({ id }) => void told.push(id) },
      clock: { nowMs: () => Date.UTC(2026, 10, 30, 12) },
      known: new Set(),
    });
  assert.equal(await round(), 1);

  const listed = await poison('list');
  assert.match(
    listed.out,
    /^[0-9a-f]{32} {2}2026-11-30T12:00:00.000Z {2}video-processed {2}aside {2}bad-json: the message is not JSON\n$/,
  );
  const id = listed.out.slice(0, 32);
  assert.equal((JSON.parse((await poison('show', id)).out) as { original: string }).original, '7.10');
  const json = await poison('list', '--json');
  assert.equal((JSON.parse(json.out) as { digest: string }).digest, id);

  assert.deepEqual(await poison('again', id), { code: 0, out: `${id}  driven\n`, err: '' });
  assert.equal(await storage.take('video-processed'), '7.10');
  assert.deepEqual(await poison('again', id), { code: 0, out: `${id}  already driven\n`, err: '' });
  assert.deepEqual(await poison('again', '--all'), { code: 0, out: 'nothing lies aside\n', err: '' });
  assert.equal(await storage.take('video-processed'), undefined);
  assert.match((await poison('list')).out, /sent again/);
  assert.equal(told.length, 1);
});

test('what is not there is said in one sentence, with the exit code of its kind', async () => {
  const unknown = 'f'.repeat(32);
  assert.deepEqual(await poison('again', unknown), {
    code: 1,
    out: `${unknown}  no such message\n`,
    err: '',
  });
  assert.deepEqual(await poison('show', unknown), {
    ...{ code: 1, out: '' },
    err: `scripts/poison: there is no message ${unknown}: list shows them\n`,
  });
  const { code, err } = await poison('again');
  assert.deepEqual([code, err], [2, 'scripts/poison: usage: scripts/poison again ID…, or again --all\n']);
});
