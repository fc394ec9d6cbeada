import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { mutantsOf, mutated } from '../../../../../../scripts/lib/bench/mutants/sites.ts';
import { type MutantsOptions, tryMutants } from '../../../../../../scripts/lib/bench/mutants/mutants.ts';
import { Refusal } from '../../../../../../scripts/lib/command/ends.ts';

const changes = (source: string) =>
  mutantsOf('some.ts', source).map((mutant) => `${mutant.kind}: ${mutated(source, mutant)}`);

test('operators are turned and constants changed, types and texts are left alone', () => {
  assert.deepEqual(changes('const a: Array<1 | 2> = b < 3 && c ? [-1] : "1 < 2";'), [
    'operator: const a: Array<1 | 2> = b <= 3 && c ? [-1] : "1 < 2";',
    'constant: const a: Array<1 | 2> = b < 4 && c ? [-1] : "1 < 2";',
    'operator: const a: Array<1 | 2> = b < 3 || c ? [-1] : "1 < 2";',
    'constant: const a: Array<1 | 2> = b < 3 && c ? [-2] : "1 < 2";',
  ]);
});

test('an await and a call that stands alone are taken out, a call whose value is used is not', () => {
  assert.deepEqual(changes('const x = await read(file);\nawait sync(file);\nlog?.info(`${x}`, { a });'), [
    'await: const x = read(file);\nawait sync(file);\nlog?.info(`${x}`, { a });',
    'await: const x = await read(file);\nsync(file);\nlog?.info(`${x}`, { a });',
    'call: const x = await read(file);\n;\nlog?.info(`${x}`, { a });',
    'call: const x = await read(file);\nawait sync(file);\n;',
  ]);
});

test('a condition is negated as a whole, and a function returns before it has done anything', () => {
  assert.deepEqual(changes('const f = (a: string) => {\n  if (a.b(c) === d) e = f;\n};'), [
    'return: const f = (a: string) => { return;\n  if (a.b(c) === d) e = f;\n};',
    'condition: const f = (a: string) => {\n  if (!(a.b(c) === d)) e = f;\n};',
    'operator: const f = (a: string) => {\n  if (a.b(c) !== d) e = f;\n};',
  ]);
});

test('what stands in a regular expression, a comment or around a template is no operator', () => {
  assert.deepEqual(changes('// 1 + 1\nconst a = /[/+]-1/.test(b) ? `a+${c}-1` : d / e;'), [
    'operator: // 1 + 1\nconst a = /[/+]-1/.test(b) ? `a+${c}-1` : d * e;',
  ]);
});

/** A tree with one room of one source and one test. */
function tree(t: TestContext, source: string, testSource: string) {
  const checkout = mkdtempSync(join(tmpdir(), 'mutants-test-'));
  t.after(() => rmSync(checkout, { recursive: true, force: true }));
  for (const folder of ['room', 'test/unit/room', 'node_modules'])
    mkdirSync(join(checkout, folder), { recursive: true });
  writeFileSync(join(checkout, 'room/thing.ts'), source);
  writeFileSync(
    join(checkout, 'test/unit/room/thing.test.ts'),
    `import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n` +
      `import * as thing from '../../../room/thing.ts';\n${testSource}`,
  );
  const options: MutantsOptions = {
    checkout,
    rooms: ['room'],
    tests: [],
    sample: 100,
    seed: 1,
    tell: () => undefined,
    signal: new AbortController().signal,
  };
  return { checkout, options };
}

test('a mutant that a test notices counts, one that none notices is shown with its line', async (t) => {
  const { checkout, options } = tree(
    t,
    'export const sum = (a: number, b: number) => a + b;\nexport const limit = 7;\n',
    `test('sum', () => assert.equal(thing.sum(2, 3), 5));`,
  );
  const before = readFileSync(join(checkout, 'room/thing.ts'), 'utf8');
  assert.deepEqual(await tryMutants(options), [
    {
      room: 'room',
      mutants: 2,
      noticed: 1,
      survivors: [
        {
          file: 'room/thing.ts',
          line: 2,
          kind: 'constant',
          before: 'export const limit = 7;',
          after: 'export const limit = 8;',
        },
      ],
    },
  ]);
  assert.equal(readFileSync(join(checkout, 'room/thing.ts'), 'utf8'), before, 'the checkout is only read');
});

test('the same seed takes the same mutants, another one takes others', async (t) => {
  const { options } = tree(
    t,
    Array.from({ length: 40 }, (_, n) => `export const n${n} = ${n};\n`).join(''),
    `test('nothing', () => assert.ok(thing));`,
  );
  const lines = async (seed: number) =>
    (await tryMutants({ ...options, sample: 4, seed }))[0]?.survivors.map(({ line }) => line);
  const first = await lines(1);
  assert.equal(first?.length, 4);
  assert.deepEqual(await lines(1), first);
  assert.notDeepEqual(await lines(2), first);
});

test('a mutant that never ends is ended, and counts as noticed', async (t) => {
  const { options } = tree(
    t,
    'export function upTo(n: number) {\n  let a = 0;\n  while (a < n) a += 2;\n  return a;\n}\n',
    `test('counts', () => assert.equal(thing.upTo(9), 10));`,
  );
  const [result] = await tryMutants({ ...options, deadline: { times: 3, moreMs: 500 } });
  // To nine in steps of two, `<=` makes no difference.
  assert.deepEqual(
    result?.survivors.map(({ after }) => after),
    ['while (a <= n) a += 2;'],
  );
  assert.equal(result.mutants, 5);
});

test('a room whose tests fail already is refused, and no copy of the tree is left behind', async (t) => {
  const { options } = tree(t, 'export const limit = 7;\n', `test('no', () => assert.equal(thing.limit, 1));`);
  const earlier = process.env['TMPDIR'];
  const temporary = mkdtempSync(join(tmpdir(), 'mutants-test-'));
  t.after(() => rmSync(temporary, { recursive: true, force: true }));
  process.env['TMPDIR'] = temporary;
  t.after(() => {
    if (earlier === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = earlier;
  });
  await assert.rejects(tryMutants(options), (error: Error) => {
    assert.ok(error instanceof Refusal);
    assert.match(error.message, /thing\.test\.ts fails without a mutant/);
    return true;
  });
  assert.deepEqual(readdirSync(temporary), []);
});
