import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lastWords } from '../../../../../scripts/lib/run/last-words.ts';

const dir = mkdtempSync(join(tmpdir(), 'dachawatch-words-'));
after(() => rmSync(dir, { recursive: true }));
const file = join(dir, 'x.log');

/** What a process that runs this script leaves in its log. */
function logOf(script: string): string {
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return stderr;
}

for (const [what, log, words] of [
  ['an error that nobody took', logOf("throw new Error('the disk is full')"), 'the disk is full'],
  [
    'an error of the system',
    logOf("import fs from 'node:fs'; fs.writeFileSync('/proc/nothing', '')"),
    "ENOENT: no such file or directory, open '/proc/nothing'",
  ],
  [
    'an error with a cause and properties',
    logOf("throw Object.assign(new TypeError('a', { cause: new Error('b') }), { code: 'X' })"),
    'a',
  ],
  ['a sentence', 'iot-hub: database or disk is full\n', 'iot-hub: database or disk is full'],
  [
    'a line of a structured log with an error',
    `{"level":50,"msg":"it ends","err":{"message":"no space left"}}\n`,
    'no space left',
  ],
  ['a line of a structured log', `{"level":50,"msg":"the port is taken"}\n`, 'the port is taken'],
] as const) {
  test(`${what} is the reason that is shown`, () => {
    writeFileSync(file, log);
    assert.equal(lastWords(file, 0), words);
  });
}

test('what an earlier process said is not the reason of this one', () => {
  writeFileSync(file, 'Error: of yesterday\n');
  assert.equal(lastWords(file, statSync(file).size), undefined);
});

test('a key in the last words is not shown', () => {
  writeFileSync(file, 'Error: SharedAccessKey=c2VjcmV0c2VjcmV0c2VjcmV0 is refused\n');
  assert.doesNotMatch(lastWords(file, 0) ?? '', /c2VjcmV0/);
  assert.match(readFileSync(file, 'utf8'), /c2VjcmV0/);
});
