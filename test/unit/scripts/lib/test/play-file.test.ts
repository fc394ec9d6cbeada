import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  createSlots,
  type FileResult,
  playFile,
  playFiles,
} from '../../../../../scripts/lib/test/play-file.ts';

const HEAD = `import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
`;
const PASSES = `test('one and one', () => assert.equal(1 + 1, 2));`;
const FAILS = `test('one and two', () => assert.equal(1 + 2, 4));`;
/** Refuses SIGTERM, and looks at nothing else. */
const HANGS = `process.on('SIGTERM', () => {});
test('a wait without an end', () => new Promise(() => void setInterval(() => {}, 1_000_000)));`;
const LONG_MS = 300_000;

function writeTests(t: TestContext, bodies: Readonly<Record<string, string>>) {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-play-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [name, body] of Object.entries(bodies)) writeFileSync(join(dir, name), HEAD + body);
  return (name: string) => join(dir, name);
}
const never = () => new AbortController().signal;

test('a file that passes and one that fails are told apart, with what they said and without totals', async (t) => {
  const at = writeTests(t, { 'good.test.ts': PASSES, 'bad.test.ts': FAILS });
  const good = await playFile(at('good.test.ts'), LONG_MS, never());
  assert.deepEqual([good.outcome, good.file], ['passed', at('good.test.ts')]);
  assert.match(good.said, /^✔ one and one \([\d.]+ms\)\n$/);
  const bad = await playFile(at('bad.test.ts'), LONG_MS, never());
  assert.equal(bad.outcome, 'failed');
  assert.match(bad.said, /✖ one and two[^]*3 !== 4/);
});

test('a file that does not end is ended, with what it began, and named with its test; the others are played', async (t) => {
  const at = writeTests(t, {
    // What it began holds the output open and outlives a kill of the file alone.
    'a-hangs.test.ts': `const child = spawn('sleep', ['600'], { stdio: 'inherit' });
      writeFileSync(import.meta.dirname + '/pid', String(child.pid));
      ${PASSES}\n${HANGS}`,
    'b-passes.test.ts': PASSES,
  });
  const told: string[] = [];
  // A passing file needs a thirtieth of the deadline.
  const results = await playFiles(
    [at('a-hangs.test.ts'), at('b-passes.test.ts')],
    { atOnce: 1, slots: createSlots(1), deadlineMs: 10_000, signal: never() },
    ({ file }) => told.push(file),
  );
  assert.deepEqual(
    results.map(({ outcome }: FileResult) => outcome),
    ['hung', 'passed'],
  );
  assert.deepEqual(told, [at('a-hangs.test.ts'), at('b-passes.test.ts')]);
  assert.match(results[0]?.said ?? '', /✔ one and one[^]*no end after 10 s, at: a wait without an end\n$/);
  const pid = Number(readFileSync(at('pid'), 'utf8'));
  assert.ok(!existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
});

test('when the run is ended no further file begins, and the one that is played is ended', async (t) => {
  const at = writeTests(t, {
    'a.test.ts': `writeFileSync(import.meta.dirname + '/begun', '');\n${HANGS.slice(HANGS.indexOf('test('))}`,
    'b.test.ts': PASSES,
    'c.test.ts': PASSES,
  });
  const ending = new AbortController();
  const results = await playFiles(
    [at('c.test.ts'), at('a.test.ts'), at('b.test.ts')],
    { atOnce: 2, slots: createSlots(2), deadlineMs: LONG_MS, signal: ending.signal },
    // a.test.ts runs beside it; b.test.ts would be next.
    ({ file }) => void (file === at('c.test.ts') && ending.abort()),
  );
  assert.deepEqual(
    results.map(({ file, outcome }) => [file, outcome]),
    [
      [at('c.test.ts'), 'passed'],
      [at('a.test.ts'), 'failed'],
    ],
  );
});

test('of all suites together no more files run than there are slots, and each has its turn', async (t) => {
  // Each says when it began and ended.
  const body = `const say = (what) => writeFileSync(import.meta.dirname + '/events', what + '\\n', { flag: 'a' });
    test('says so', () => { say('begin'); process.on('exit', () => say('end')); });`;
  const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.test.ts`);
  const at = writeTests(t, Object.fromEntries(names.map((name) => [name, body])));
  const play = { atOnce: 3, slots: createSlots(2), deadlineMs: LONG_MS, signal: never() };
  const halves = [names.slice(0, 3), names.slice(3)].map((half) => playFiles(half.map(at), play, () => {}));
  const played = (await Promise.all(halves)).flat();
  assert.deepEqual(
    played.map(({ outcome }) => outcome),
    names.map(() => 'passed'),
  );
  let running = 0;
  for (const event of readFileSync(at('events'), 'utf8').trim().split('\n')) {
    running += event === 'begin' ? 1 : -1;
    assert.ok(running <= 2, `${running} at once`);
  }
  assert.equal(running, 0);
});
