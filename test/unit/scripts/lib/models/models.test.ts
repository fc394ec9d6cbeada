import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { knownModels, type Model } from '../../../../../cloud-fn/yolo/models/manifest.ts';
import { bringModels } from '../../../../../scripts/lib/models/sources.ts';

const GOOD = Buffer.from('weights that are what they say');
const OTHER = Buffer.from('weights of the lesser model');
const EVIL = Buffer.from('weights that somebody changed!');
let base: string;
let origin: string;
const served = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const body = served.get(request.url ?? '');
  response.statusCode = body ? 200 : 404;
  response.end(body);
});

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'dachawatch-models-'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.close();
  await rm(base, { recursive: true, force: true });
});

const model = (name: string, file: string, bytes: Buffer, paths: string[] = []): Model => ({
  name,
  detector: 'yolox',
  licence: 'Apache-2.0',
  origin: 'test',
  files: [
    {
      file,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      addresses: paths.map((path) => origin + path),
    },
  ],
});

async function bench(name: string) {
  const dir = join(base, name, 'cache');
  const folder = join(base, name, 'folder');
  await mkdir(folder, { recursive: true });
  const said: string[] = [];
  const bring = (models: Model[], from: { folders?: string[]; onlyFolders?: boolean } = {}) =>
    bringModels({ dir, models, folders: [], onlyFolders: false, say: (text) => said.push(text), ...from });
  return { dir, folder, said, bring };
}

test('weights in a folder are checked and kept; the next time nothing is needed', async () => {
  const { dir, folder, bring } = await bench('folder');
  await writeFile(join(folder, 'a.onnx'), GOOD);
  const models = [model('best', 'a.onnx', GOOD)];
  const report = await bring(models, { folders: [folder], onlyFolders: true });
  assert.equal(report.chosen, 'best');
  assert.deepEqual(await readFile(join(dir, 'a.onnx')), GOOD);
  assert.equal((await bring(models)).chosen, 'best');
});

test('the model of the second opinion is brought as well; without it there is a warning, and no failure', async () => {
  const { dir, folder, said, bring } = await bench('second');
  await writeFile(join(folder, 'a.onnx'), GOOD);
  const models = [
    model('best', 'a.onnx', GOOD),
    { ...model('second', 'b.onnx', OTHER), secondOpinion: true },
  ];
  const from = { folders: [folder], onlyFolders: true };
  assert.equal((await bring(models, from)).chosen, 'best');
  assert.match(said.join('\n'), /second could not be had; nobody gives a second opinion/);
  await writeFile(join(folder, 'b.onnx'), OTHER);
  const { chosen, models: states } = await bring(models, from);
  assert.equal(chosen, 'best');
  assert.deepEqual(
    states.map(({ present }) => present),
    [true, true],
  );
  assert.deepEqual(await readFile(join(dir, 'b.onnx')), OTHER);
});

test('a file of a folder with a wrong hash is refused by name and not kept', async () => {
  const { dir, folder, bring } = await bench('wrong');
  await writeFile(join(folder, 'a.onnx'), EVIL);
  await assert.rejects(bring([model('best', 'a.onnx', GOOD)], { folders: [folder] }), {
    name: 'WrongWeights',
    message: new RegExp(`${join(folder, 'a.onnx')} is refused: its SHA-256 is [0-9a-f]{64}, expected`),
  });
  assert.deepEqual(await readdir(dir), []);
});

test('weights are fetched from the public address', async () => {
  const { dir, bring } = await bench('fetch');
  served.set('/a.onnx', GOOD);
  assert.equal((await bring([model('best', 'a.onnx', GOOD, ['/gone', '/a.onnx'])])).chosen, 'best');
  assert.deepEqual(await readFile(join(dir, 'a.onnx')), GOOD);
});

test('an address that serves something else is refused by name, and a lesser model warned about', async () => {
  const { dir, folder, said, bring } = await bench('evil');
  served.set('/evil.onnx', EVIL);
  served.set('/endless.onnx', Buffer.alloc(100_000));
  await writeFile(join(folder, 'b.bin'), OTHER);
  const models = [
    model('best', 'a.onnx', GOOD, ['/evil.onnx', '/endless.onnx']),
    model('lesser', 'b.bin', OTHER),
  ];
  const report = await bring(models, { folders: [folder] });
  assert.equal(report.chosen, 'lesser');
  assert.deepEqual(
    report.models.map(({ present }) => present),
    [false, true],
  );
  assert.ok(
    said.some((text) => /a\.onnx from .*evil\.onnx is refused: its SHA-256/.test(text)),
    said.join('\n'),
  );
  assert.ok(
    said.some((text) => /endless\.onnx is refused: it has more than/.test(text)),
    said.join('\n'),
  );
  assert.ok(said.some((text) => /warning: best could not be had; lesser takes its place/.test(text)));
  assert.deepEqual(await readdir(dir), ['b.bin']);
});

test('damaged weights in the cache are said and brought anew', async () => {
  const { dir, said, bring } = await bench('damaged');
  served.set('/a.onnx', GOOD);
  const models = [model('best', 'a.onnx', GOOD, ['/a.onnx'])];
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'a.onnx'), EVIL);
  await bring(models);
  assert.deepEqual(await readFile(join(dir, 'a.onnx')), GOOD);
  assert.ok(said.some((text) => /is refused: .*; it is fetched again/.test(text)));
});

test('what a killed run left half written is removed and never taken for weights', async () => {
  const { dir, folder, bring } = await bench('torn');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, '.a.onnx.part-999999999'), EVIL);
  await writeFile(join(folder, 'a.onnx'), GOOD);
  await bring([model('best', 'a.onnx', GOOD)], { folders: [folder] });
  assert.deepEqual(await readdir(dir), ['a.onnx']);
});

test('when the person names a folder nothing is fetched from elsewhere', async () => {
  const { folder, said, bring } = await bench('only');
  served.set('/a.onnx', GOOD);
  const brought = bring([model('best', 'a.onnx', GOOD, ['/a.onnx'])], {
    folders: [folder],
    onlyFolders: true,
  });
  await assert.rejects(brought, /no model is complete in .*folder; wanted: a\.onnx/);
  assert.deepEqual(said, []);
});

test('the manifest names files, sizes, hashes and licences of weights that may be used', () => {
  const models = knownModels();
  assert.deepEqual(
    models.map(({ name, licence }) => [name, licence]),
    [
      ['yolox-nano', 'Apache-2.0'],
      ['centernet-mobilenetv3', 'MIT'],
    ],
  );
  for (const { files, npm } of models)
    for (const { file, bytes, sha256, addresses } of files) {
      assert.match(file, /^[a-z0-9_.-]+$/);
      assert.match(sha256, /^[0-9a-f]{64}$/);
      assert.ok(bytes > 0);
      assert.ok(addresses.length > 0 || npm, `${file} can be had nowhere`);
      for (const address of addresses) assert.match(address, /^https:/);
    }
});
