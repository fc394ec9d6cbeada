/** Runs the table of tries of docs/commands.md: every line, as a process, the way a person types it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const CHECKOUT = join(import.meta.dirname, '../..');
const ROW = /^\| `(.+?)` \| `(.+)` \| (\d+) \|$/;

const tries = readFileSync(join(CHECKOUT, 'docs/commands.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, command, sentence, code] = ROW.exec(line) ?? [];
    return command && sentence ? [{ command, sentence, code: Number(code) }] : [];
  });

const pattern = (sentence: string) =>
  new RegExp(
    `^${sentence
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );

/** In an empty folder with a letter in it, and a home and a state folder of its own. */
async function tryOut(command: string) {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-tries-'));
  const home = mkdtempSync(join(tmpdir(), 'dachawatch-home-'));
  try {
    writeFileSync(join(dir, 'letter.txt'), 'Dear camera, this is not a video.');
    writeFileSync(join(dir, 'note.json'), '{}');
    const {
      DACHAWATCH_CACHE = join(process.env['HOME'] ?? home, '.cache/dachawatch'),
      // What is compiled already: most of what a refusal costs.
      NODE_COMPILE_CACHE,
    } = process.env;
    const child = spawn('sh', ['-c', command.replaceAll(/(^| )scripts\//g, `$1${CHECKOUT}/scripts/`)], {
      cwd: dir,
      env: { PATH: process.env['PATH'], HOME: home, CHECKOUT, DACHAWATCH_CACHE, NODE_COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const kept = readdirSync(dir).toSorted();
    return { code, stdout, stderr, last: stderr.trim().split('\n').at(-1) ?? '', kept };
  } finally {
    for (const one of [dir, home]) rmSync(one, { recursive: true, force: true });
  }
}

test('the table has tries of every command', () => {
  const tried = new Set(tries.map(({ command }) => /scripts\/([\w-]+)/.exec(command)?.[1]));
  for (const name of readdirSync(join(CHECKOUT, 'scripts')).filter((entry) => entry !== 'lib'))
    assert.ok(tried.has(name), `docs/commands.md has no try of scripts/${name}`);
});

describe('what the table of docs/commands.md says happens', { concurrency: 3 }, () => {
  for (const { command, sentence, code } of tries)
    test(command, async () => {
      const found = await tryOut(command);
      assert.match(found.last, pattern(sentence), found.stderr);
      assert.equal(found.code, code, found.stderr);
      assert.equal(found.stdout, '');
      assert.deepEqual(
        found.kept.filter((name) => name !== 'there'),
        ['letter.txt', 'note.json'],
        'nothing was written',
      );
    });
});
