import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

/** Paths of the drawing of folders: two spaces deeper is inside the line above. */
function drawn(): string[] {
  const [, drawing = ''] = /## Folders[^]*?```\n([^]*?)```/.exec(page) ?? [];
  const above: string[] = [];
  return drawing
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, indent = '', name = ''] = /^( *)(\S+)/.exec(line) ?? [];
      const depth = indent.length / 2;
      above.splice(depth, Number.POSITIVE_INFINITY, name);
      return above.slice(0, depth + 1).join('');
    });
}

/** A list that is longer is no longer read at one look: its folder wants corners. */
const FILES_MAX = 18;

/** Folders of the tree that hold files of ours, nothing that is only on this machine. */
function foldersWith(pattern: string): Set<string> {
  const files = globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') });
  return new Set(files.map((file) => `${dirname(file)}/`));
}

test('every folder and file that the architecture draws exists', () => {
  const paths = drawn();
  assert.ok(paths.length > 60, `only ${paths.length} lines are drawn`);
  for (const path of paths) {
    assert.ok(existsSync(join(root, path)), `docs/architecture.md draws ${path}, which does not exist`);
    assert.equal(statSync(join(root, path)).isDirectory(), path.endsWith('/'), path);
  }
});

test('every room and corner of the agent and of the cloud, and every kind of test, is drawn', () => {
  const paths = new Set(drawn());
  const folders = new Set([
    ...foldersWith('{agent,cloud-fn}/**/*.{ts,js,json}'),
    ...foldersWith('contracts/**/*.ts'),
    ...[...foldersWith('test/*/**/*.{ts,sh}')].map((folder) => folder.split('/', 2).join('/') + '/'),
  ]);
  assert.ok(folders.size > 40, `only ${folders.size} folders were found`);
  const commands = /^scripts\/ +(.+): each explains/m.exec(page)?.[1]?.split(', ') ?? [];
  const named = readdirSync(join(root, 'scripts')).filter((name) => name !== 'lib');
  assert.deepEqual(commands.toSorted(), named.toSorted(), 'commands in scripts/');
  const missing = [...folders].filter((folder) => !paths.has(folder));
  assert.deepEqual(missing, [], 'docs/architecture.md does not draw them');
});

test(`no folder holds more than ${FILES_MAX} source files, tests included`, () => {
  const parts = '{agent,cloud-fn,contracts,firmware-config,hardware,scripts,systemd,test}';
  const files = globSync(`${parts}/**/*.{ts,js,mjs,c,py,sh,html,css}`, {
    cwd: root,
    exclude: (path) => path.includes('node_modules'),
  });
  assert.ok(files.length > 1200, `only ${files.length} files were found`);
  const sizes = Object.entries(Object.groupBy(files, dirname)).map(([folder, list = []]) => ({
    folder,
    files: list.length,
  }));
  assert.deepEqual(
    sizes.filter((size) => size.files > FILES_MAX),
    [],
  );
});
