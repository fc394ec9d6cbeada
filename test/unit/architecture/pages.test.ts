import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const ours = (pattern: string | string[]) =>
  globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') });
const PARTS = 'agent|cloud-fn|contracts|docs|firmware-config|hardware|scripts|systemd|test';
const pages = ours(['*.md', 'docs/*.md', 'hardware/**/*.md', 'firmware-config/*.md']).map((file) => ({
  file,
  // Plans name what is not there yet, examples may name anything.
  text: readFileSync(join(root, file), 'utf8')
    .replace(/^## Planned$[^]*?(?=^## )/gm, '')
    .replace(/^```[^]*?^```$/gm, ''),
}));
const files = ours(PARTS.split('|').map((part) => `${part}/**/*`));

test('every path of the tree that a page names exists', () => {
  const path = new RegExp(`(?<![\\w/.-])(?:${PARTS})/[\\w./*-]*\\w/?`, 'g');
  const dead = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/`([^`]+)`/g)]
      .flatMap(([, code = '']) => code.match(path) ?? [])
      .filter((named) => !(named.includes('*') ? ours(named).length > 0 : existsSync(join(root, named))))
      .map((named) => `${file}: ${named}`),
  );
  assert.deepEqual(dead, []);
});

test('every source file that a page names by the end of its path exists', () => {
  const dead = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/`([a-z][\w/-]*(?:\.test)?\.(?:ts|sh|py))`/g)]
      .map(([, named = '']) => named)
      .filter((named) => !files.some((path) => path.endsWith(`/${named}`) || path === named))
      .map((named) => `${file}: ${named}`),
  );
  assert.deepEqual(dead, []);
});

test('every link between pages leads somewhere', () => {
  const dead = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, to = '']) => to)
      .filter((to) => !existsSync(join(root, dirname(file), to)))
      .map((to) => `${file}: ${to}`),
  );
  assert.deepEqual(dead, []);
});

test('lines of pages break at sentences', () => {
  const long = pages.flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => line.length > 200 && !line.trimStart().startsWith('|'))
      .map((line) => `${file}: ${line.slice(0, 60)}…`),
  );
  assert.deepEqual(long, []);
});
