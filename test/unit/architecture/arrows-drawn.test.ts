import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const PARTS = ['agent', 'cloud-fn', 'contracts', 'hardware', 'scripts'];

/** The part that a file belongs to, and its room or folder there; '' for a file directly in the part. */
function placeOf(path: string): { part: string; room: string } {
  const [part = '', room = '', ...deeper] = path.split('/');
  return { part, room: deeper.length > 0 ? room : '' };
}

interface Arrow {
  readonly file: string;
  readonly from: ReturnType<typeof placeOf>;
  readonly to: ReturnType<typeof placeOf>;
}

/** Imports from one place to another, of values or types. */
const arrows = globSync(
  PARTS.map((part) => `${part}/**/*.ts`),
  { cwd: root, exclude: (path) => path.includes('node_modules') },
).flatMap((file): Arrow[] => {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']*|@dachawatch\/contracts)'/g)].map(
    ([, path = '']) => ({
      file,
      from: placeOf(file),
      to: path.startsWith('.')
        ? placeOf(normalize(join(dirname(file), path)))
        : { part: 'contracts', room: '' },
    }),
  );
});

const drawings = [...page.matchAll(/```mermaid\n([^]*?)```/g)].map(([, drawing = '']) =>
  [...drawing.matchAll(/^ *([\w-]+) --> ([\w-]+)$/gm)].map(([, from, to]) => `${from} --> ${to}`).toSorted(),
);

/** What is imported between the rooms of a part, as it is drawn. */
function between(part: string, leftOut: readonly string[]): string[] {
  const ofPart = arrows.filter(({ from, to }) => from.part === part && to.part === part);
  const found = ofPart.filter(
    ({ from, to }) =>
      from.room !== '' && to.room !== '' && from.room !== to.room && !leftOut.includes(to.room),
  );
  return [...new Set(found.map(({ from, to }) => `${from.room} --> ${to.room}`))].toSorted();
}

test('the arrows between the rooms of the agent are those that the architecture draws', () => {
  assert.deepEqual(between('agent', ['kernel']), drawings[0]);
});

test('the arrows between the folders of the cloud are those that the architecture draws', () => {
  assert.deepEqual(between('cloud-fn', []), drawings[1]);
});

test('no part imports one that the architecture keeps from it', () => {
  const allowed: Readonly<Record<string, readonly string[]>> = {
    contracts: ['contracts'],
    agent: ['agent', 'contracts'],
    'cloud-fn': ['cloud-fn', 'contracts'],
  };
  assert.ok(arrows.length > 1_000, `only ${arrows.length} imports were found`);
  const wrong = arrows.filter(({ from, to }) => allowed[from.part]?.includes(to.part) === false);
  assert.deepEqual(
    wrong.map(({ file, to }) => `${file} → ${to.part}/${to.room}`),
    [],
  );
});
