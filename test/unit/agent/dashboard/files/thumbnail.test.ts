import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { clipIdOf } from '../../../../fakes/ledger-view.ts';
import { assertProblem, servePage } from '../served-page.ts';

const page = servePage();
const { get, keep } = page;
const path = `/api/clips/${clipIdOf(1)}/thumbnail`;
const picture = () => join(page.dir, 'clip.jpg');
const JPEG = Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(4_000, 7), Buffer.from('ffd9', 'hex')]);

afterEach(() => rm(picture(), { recursive: true, force: true }));

const listed = async () => (await get('/api/clips')).json().clips[0].thumbnail as unknown;

test('a clip without a verdict has a small picture, which a browser keeps for ever', async () => {
  keep(1);
  await writeFile(picture(), JPEG);
  assert.equal(await listed(), path);
  const reply = await get(path);
  assert.deepEqual([reply.status, reply.headers['content-type']], [200, 'image/jpeg']);
  assert.ok(reply.body.equals(JPEG));
  assert.equal(reply.headers['cache-control'], 'private, max-age=31536000, immutable');
  const again = await get(path, { 'if-none-match': reply.headers['etag'] ?? '' });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
});

test('a clip without a small picture says so with 404, and its list names none', async () => {
  keep(1);
  assertProblem(await get(path), 404, 'no-thumbnail');
  assert.equal(await listed(), null);
  assertProblem(await get(`/api/clips/${clipIdOf(2)}/thumbnail`), 404, 'no-such-clip');
  assertProblem(await get('/api/clips/..%2f..%2fetc/thumbnail'), 400, 'clip-id');
});

test('what stands in place of a small picture is never served: a link, a pipe, a folder, a torn or a large file', async () => {
  keep(1);
  const strange: Record<string, () => Promise<unknown>> = {
    link: () => symlink('/etc/passwd', picture()),
    'link to a picture': async () => {
      await writeFile(join(page.dir, 'other.jpg'), JPEG);
      await symlink(join(page.dir, 'other.jpg'), picture());
    },
    pipe: async () => execFileSync('mkfifo', [picture()]),
    folder: () => mkdir(picture()),
    empty: () => writeFile(picture(), ''),
    torn: async () => {
      await writeFile(picture(), JPEG);
      await truncate(picture(), 3_000);
    },
    large: () => writeFile(picture(), Buffer.concat([JPEG, Buffer.alloc(20_000), JPEG])),
    text: () => writeFile(picture(), 'secret'),
  };
  for (const [what, make] of Object.entries(strange)) {
    await make();
    const reply = await get(path);
    assert.equal(reply.status, 404, what);
    await rm(picture(), { recursive: true });
  }
});
