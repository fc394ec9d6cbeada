import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test('a file system that is mounted read-only is named as such in one sentence by every command that would write there', {
  skip: canMount ? false : 'this machine does not let us mount anything',
}, (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-read-only-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const card = join(dir, 'card');
  mkdirSync(card);
  writeFileSync(join(dir, 'walk.mp4'), 'a video, says its name');
  const tries: readonly (readonly [script: string, args: readonly string[], sentence: RegExp])[] = [
    [
      'run',
      ['--data', join(card, 'state')],
      /^scripts\/run: the data folder .*\/card\/state cannot be used: /,
    ],
    ['run', ['--data', card], /^scripts\/run: the data folder .*\/card cannot be used: /],
    [
      'replay',
      [join(dir, 'walk.mp4'), '--out', join(card, 'out')],
      /^scripts\/replay: --out .*\/card\/out cannot be used: /,
    ],
    [
      'hub',
      ['call', 'dacha-1', 'snapshot', '--save', join(card, 'now.jpg'), '--data', dir],
      /^scripts\/hub: --save .*\/card\/now\.jpg cannot be written: /,
    ],
  ];
  for (const [script, args, sentence] of tries) {
    const command = join(root, 'scripts', script);
    // The mount is in a namespace of its own and goes with it.
    const { status, stderr, stdout } = spawnSync(
      'unshare',
      [
        ...['-rm', '/bin/sh', '-c', 'mount -t tmpfs -o ro none "$1"; shift; exec "$@"', 'sh', card],
        ...[command, ...args],
      ],
      { encoding: 'utf8', timeout: 300_000 },
    );
    const last = stderr.trim().split('\n').at(-1) ?? '';
    assert.equal(status, 2, `${script}: ${stderr}${stdout}`);
    assert.match(last, sentence);
    assert.match(last, /: its file system is mounted read-only$/);
  }
});
