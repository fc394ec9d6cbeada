import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/find-it.md'), 'utf8');

/** Rows of its tables: what one looks for, the file, the name there. */
const rows = [...page.matchAll(/^\| (.+) \| `([^`]+)` \| `([^`]+)` \|$/gm)].map(
  ([, what = '', file = '', name = '']) => ({ what, file, name }),
);

test('whatever docs/find-it.md points at is there, under that name', () => {
  const lines = page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what | file '));
  assert.equal(rows.length, lines.length, 'a row is not: what, `file`, `name`');
  for (const { what, file, name } of rows) {
    assert.ok(existsSync(join(root, file)), `${what}: ${file} does not exist`);
    const text = readFileSync(join(root, file), 'utf8');
    assert.match(text, new RegExp(`\\b${name}\\b`), `${what}: ${file} does not have ${name}`);
  }
});

test('docs/find-it.md answers what people look for first', () => {
  const asked = [
    /pre-roll enforced/,
    /disk full/,
    /add a direct method/,
    /the 360 s/,
    /default sensitivity/,
    /desired property to running camera/,
    /where the camera password is kept/,
    /add a UPS chip/,
    /add a notification channel/,
    /hub back-off/,
    /retention/,
    /who sends telemetry/,
  ];
  for (const question of asked)
    assert.ok(
      rows.some(({ what }) => question.test(what)),
      `no row is about ${question}`,
    );
});

test('README and architecture link to docs/find-it.md', () => {
  assert.match(readFileSync(join(root, 'README.md'), 'utf8'), /\(docs\/find-it\.md\)/);
  assert.match(readFileSync(join(root, 'docs/architecture.md'), 'utf8'), /\(find-it\.md\)/);
});
