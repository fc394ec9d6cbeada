import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const SOURCES = ['agent', 'cloud-fn', 'contracts', 'hardware', 'scripts'].map((part) => `${part}/**/*.ts`);
const files = new Set(
  globSync(SOURCES, { cwd: root, exclude: (path) => path.includes('node_modules') }).map((file) =>
    normalize(file),
  ),
);

/** Files that a file imports, for their values or their types. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']*)'/g)]
    .map(([, path = '']) => normalize(join(dirname(file), path)))
    .filter((path) => files.has(path));
}
const imports = new Map([...files].map((file) => [file, importsOf(file)]));

/** A way that comes back to where it began; undefined when there is none. */
function circle(): string[] | undefined {
  const done = new Set<string>();
  const way: string[] = [];
  function visit(file: string): string[] | undefined {
    const at = way.indexOf(file);
    if (at >= 0) return [...way.slice(at), file];
    if (done.has(file)) return undefined;
    way.push(file);
    for (const next of imports.get(file) ?? []) {
      const found = visit(next);
      if (found) return found;
    }
    way.pop();
    done.add(file);
    return undefined;
  }
  for (const file of files) {
    const found = visit(file);
    if (found) return found;
  }
  return undefined;
}

test('no file imports itself in a circle, types included', () => {
  assert.ok(files.size > 500, `only ${files.size} files were found`);
  assert.equal(circle()?.join(' → '), undefined);
});
