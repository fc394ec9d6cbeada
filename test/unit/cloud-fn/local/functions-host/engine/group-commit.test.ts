import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createGroupCommit } from '../../../../../../cloud-fn/local/functions-host/engine/group-commit.ts';

function bench(t: TestContext) {
  let commits = 0;
  const verbose = (sql?: unknown) => {
    if (sql === 'COMMIT') commits += 1;
  };
  const db = new Sqlite(':memory:', { verbose });
  t.after(() => db.close());
  db.exec('CREATE TABLE words (word TEXT PRIMARY KEY)');
  const insert = db.prepare('INSERT INTO words VALUES (?)');
  const all = db.prepare<[], { word: string }>('SELECT word FROM words ORDER BY word');
  const together = createGroupCommit(db);
  return {
    db,
    commits: () => commits,
    add: (word: string) => together(() => insert.run(word).changes),
    together,
    words: () => all.all().map(({ word }) => word),
  };
}

test('what is handed over in one turn is stored in one commit, and each learns its own value', async (t) => {
  const { add, words, commits, together } = bench(t);
  const values = await Promise.all([add('a'), add('b'), together(() => 'c')]);
  assert.deepEqual([values, words(), commits()], [[1, 1, 'c'], ['a', 'b'], 1]);
  await add('d');
  assert.equal(commits(), 2);
});

test('what throws takes back only itself', async (t) => {
  const { add, words } = bench(t);
  const outcomes = await Promise.allSettled([add('a'), add('a'), add('b')]);
  assert.deepEqual(
    [outcomes.map(({ status }) => status), words()],
    [
      ['fulfilled', 'rejected', 'fulfilled'],
      ['a', 'b'],
    ],
  );
});

test('of a commit that fails nothing is stored, and all learn it', async (t) => {
  const { db, add, words, together } = bench(t);
  const outcomes = await Promise.allSettled([
    add('a'),
    together(() => {
      db.exec('ROLLBACK');
      throw new Error('database or disk is full');
    }),
    add('b'),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as Error).message),
    ['database or disk is full', 'database or disk is full', 'database or disk is full'],
  );
  assert.deepEqual(words(), []);
  await add('c');
  assert.deepEqual(words(), ['c']);
});

test('more than a turn can bear is stored in several', async (t) => {
  const { add, words, commits } = bench(t);
  await Promise.all(Array.from({ length: 100 }, (_, at) => add(String(at))));
  assert.deepEqual([words().length, commits()], [100, 2]);
});
