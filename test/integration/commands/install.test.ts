import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { whatIsMissing } from '../../../scripts/lib/install/config.ts';
import { modulesOf } from '../../../scripts/lib/install/modules.ts';

const repo = join(import.meta.dirname, '../../..');
const DEFAULT = join(repo, 'firmware-config/appliance.json');
let dir: string;

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-install-'));
});
after(() => rmSync(dir, { recursive: true }));

const install = (...args: string[]) =>
  spawnSync(join(repo, 'scripts/install'), args, { encoding: 'utf8', timeout: 240_000 });

for (const [args, words] of [
  [['--nonsense'], /no option --nonsense/],
  [['--config'], /--config lacks its value/],
  [['--config', '/no/such/file'], /cannot be read/],
  [['--root', '/no/such/folder'], /no folder/],
  [['--start', '--no-start'], /only one of/],
  [['--purge'], /go with --uninstall/],
  [['--uninstall', '--yes'], /goes with --purge/],
  [['--uninstall', '--start'], /--uninstall goes with/],
] as const)
  test(`scripts/install ${args.join(' ')} is refused with exit code 2`, () => {
    const { status, stderr } = install(...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, words);
  });

test('a folder that holds no system is refused before anything is written', () => {
  const empty = join(dir, 'empty');
  mkdirSync(join(empty, 'usr/lib'), { recursive: true });
  const { status, stderr } = install('--root', empty);
  assert.equal(status, 1);
  // Who is not root is told that first.
  assert.match(stderr, process.getuid?.() === 0 ? /holds no system/ : /as root/);
  assert.deepEqual(readdirSync(join(empty, 'usr/lib')), []);
});

test('what is put together runs by itself, with nothing of this checkout, and always gets the same name', () => {
  const assemble = join(repo, 'scripts/lib/install/assemble.ts');
  const names = ['a', 'b'].map((name) =>
    execFileSync(process.execPath, [assemble, '--to', join(dir, name)], { encoding: 'utf8' }).trim(),
  );
  assert.match(names[0] ?? '', /^\d+\.\d+\.\d+-[0-9a-f]{12}$/);
  assert.equal(names[0], names[1]);

  const there = join(dir, 'a');
  const help = spawnSync(join(there, 'bin/node'), [join(there, 'agent/main.ts'), '--help'], {
    encoding: 'utf8',
    cwd: '/',
    env: {},
  });
  assert.match(help.stdout, /--config/, help.stderr);
  for (const absent of [
    'cloud-fn',
    'test',
    'node_modules/onnxruntime-node',
    'node_modules/azurite',
    'node_modules/typescript',
  ])
    assert.ok(!existsSync(join(there, absent)), absent);
  const bytes = readdirSync(there, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  assert.ok(bytes < 250_000_000, `${bytes} bytes`);
});

test('modules: the nearest one is taken, links are followed, what nobody needs stays away', () => {
  const packages = {
    agent: { dependencies: { a: '1', shared: '1' } },
    shared: { dependencies: { b: '2' } },
    'node_modules/shared': { link: true, resolved: 'shared' },
    'node_modules/a': { dependencies: { b: '1' }, optionalDependencies: { 'not-here': '1', fast: '1' } },
    'node_modules/a/node_modules/b': {},
    'node_modules/b': { peerDependencies: { peer: '1', absent: '1' } },
    'node_modules/fast': {},
    'node_modules/peer': {},
    'node_modules/unused': {},
  };
  assert.deepEqual(modulesOf(packages, 'agent'), [
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/b',
    'node_modules/fast',
    'node_modules/peer',
    'node_modules/shared',
  ]);
});

test('modules: a lock that lacks what is needed is refused by name', () => {
  assert.throws(
    () => modulesOf({ agent: { dependencies: { gone: '1' } } }, 'agent'),
    /lacks gone, which agent needs/,
  );
});

test('what is missing is named with its place: the example, credentials, an error in the file', () => {
  const plain = join(dir, 'credentials');
  const sealed = join(dir, 'credentials.encrypted');
  for (const folder of [plain, sealed]) mkdirSync(folder);
  const missing = (file: string) => whatIsMissing(file, DEFAULT, [plain, sealed]).join('\n');

  const untouched = missing(DEFAULT);
  assert.match(untouched, /edit .*appliance\.json/);
  assert.match(untouched, new RegExp(`connection string .* into ${plain}/iothub`));
  assert.match(untouched, new RegExp(`login of camera gate.* into ${plain}/camera-gate`));

  const file = join(dir, 'appliance.json');
  const config = (change: object) =>
    writeFileSync(
      file,
      JSON.stringify({
        schema: 'dachawatch/appliance/1',
        deviceId: 'dacha-1',
        hub: { credential: 'iothub' },
        cameras: [{ id: 'gate', main: 'rtsp://a/1', sub: 'rtsp://a/2', credential: 'camera-gate' }],
        recording: {},
        storage: {},
        dashboard: {},
        ...change,
      }),
    );
  config({});
  writeFileSync(join(plain, 'iothub'), '');
  writeFileSync(join(sealed, 'camera-gate'), '');
  assert.equal(missing(file), '');
  config({ cameras: [] });
  assert.match(missing(file), /correct .*cameras/);
  writeFileSync(file, '{');
  assert.match(missing(file), /correct /);
});
