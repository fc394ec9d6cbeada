import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileChildCode } from '../../../../../agent/capture/supervision/child-code.ts';
import { CHILD_PROGRAM } from '../../../../../agent/capture/supervision/fork-child.ts';

const { signal } = new AbortController();

function folderOf(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-child-code-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Whether the program of a child, run with this environment, loads the compiler that is built into Node. */
async function loadsCompiler(dir: string, environment: Readonly<Record<string, string>>): Promise<boolean> {
  const list = join(dir, 'loaded.json');
  const preload = join(dir, 'preload.cjs');
  const note = `require('node:fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify(process.moduleLoadList))`;
  writeFileSync(preload, `process.on('exit', () => ${note});`);
  const program = fileURLToPath(CHILD_PROGRAM);
  await promisify(execFile)(process.execPath, ['--require', preload, program], { env: environment });
  return (JSON.parse(readFileSync(list, 'utf8')) as string[]).some((name) => name.includes('/amaro/'));
}

test("a camera's process finds its program compiled, and so does not load Node's compiler of TypeScript", async (t) => {
  const dir = folderOf(t);
  const environment = { NODE_COMPILE_CACHE: join(dir, 'compiled') };
  assert.equal(await loadsCompiler(dir, {}), true);
  await compileChildCode(environment, signal);
  assert.equal(await loadsCompiler(dir, environment), false);
});

test('what was compiled at an earlier start keeps no camera waiting at this one', async (t) => {
  const dir = folderOf(t);
  const preload = join(dir, 'preload.cjs');
  writeFileSync(preload, `require('node:fs').appendFileSync(${JSON.stringify(join(dir, 'runs'))}, '1');`);
  const environment = {
    NODE_COMPILE_CACHE: join(dir, 'compiled'),
    NODE_OPTIONS: `--require=${preload}`,
  };
  const runs = () => readFileSync(join(dir, 'runs'), 'utf8').length;
  await compileChildCode(environment, signal);
  await compileChildCode(environment, signal);
  assert.equal(runs(), 1);
  writeFileSync(join(dir, 'compiled/capture-child'), 'the program of another release');
  await compileChildCode(environment, signal);
  assert.equal(runs(), 2);
});

test('without a cache of compiled code nothing is run before the cameras start', async (t) => {
  const dir = folderOf(t);
  const preload = join(dir, 'preload.cjs');
  writeFileSync(preload, `require('node:fs').writeFileSync(${JSON.stringify(join(dir, 'ran'))}, '');`);
  await compileChildCode({ NODE_OPTIONS: `--require=${preload}` }, signal);
  assert.equal(existsSync(join(dir, 'ran')), false);
});

test('a cache of compiled code that many releases have filled is begun anew, and what else lies there is left alone', async (t) => {
  const folder = join(folderOf(t), 'compiled');
  const [own, other] = ['v24.1.0-x64-0123abcd-0', 'letters'].map((name) => join(folder, name));
  for (const cache of [own, other]) {
    mkdirSync(cache ?? '', { recursive: true });
    for (let n = 0; n < 4_001; n++) writeFileSync(join(cache ?? '', `${n}`), '');
  }
  writeFileSync(join(folder, 'will.txt'), '');
  await compileChildCode({ NODE_COMPILE_CACHE: folder }, signal);
  assert.equal(existsSync(own ?? ''), false);
  assert.deepEqual(
    [existsSync(join(other ?? '', '4000')), existsSync(join(folder, 'will.txt'))],
    [true, true],
  );
});

test('a cache of compiled code that cannot be used keeps no camera from starting', async (t) => {
  const file = join(folderOf(t), 'a-file');
  writeFileSync(file, '');
  await compileChildCode({ NODE_COMPILE_CACHE: file }, signal);
});
