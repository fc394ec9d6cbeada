import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fsyncFolder, replaceDurably } from '../../../../../agent/kernel/files/durable-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'durable-file-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const mode = (path: string) => statSync(path).mode & 0o777;

test('folder and file are made for their owner only, and nothing is left beside the file', () => {
  const folder = join(dir, 'a/b');
  replaceDurably(join(folder, 'state.json'), 'one');
  assert.equal(readFileSync(join(folder, 'state.json'), 'utf8'), 'one');
  assert.deepEqual(readdirSync(folder), ['state.json']);
  assert.equal(mode(folder), 0o700);
  assert.equal(mode(join(folder, 'state.json')), 0o600);
});

test('the new text takes the place of the old one, whatever an earlier attempt left half written', () => {
  const file = join(dir, 'state.json');
  replaceDurably(file, 'one, and longer');
  writeFileSync(`${file}.tmp`, 'half of something that was longer than all others');
  replaceDurably(file, 'two');
  assert.equal(readFileSync(file, 'utf8'), 'two');
  assert.deepEqual(readdirSync(dir), ['state.json']);
});

test('whoever has the old file open reads the old text to its end', () => {
  const file = join(dir, 'state.json');
  replaceDurably(file, 'one');
  const reader = openSync(file, 'r');
  try {
    replaceDurably(file, 'two');
    assert.equal(readFileSync(reader, 'utf8'), 'one');
  } finally {
    closeSync(reader);
  }
});

test('a file that cannot be written beside the old one leaves the old one as it was', () => {
  // The name beside it is longer than any may be.
  const file = join(dir, 'x'.repeat(253));
  writeFileSync(file, 'one');
  assert.throws(() => replaceDurably(file, 'two'), { code: 'ENAMETOOLONG' });
  assert.equal(readFileSync(file, 'utf8'), 'one');
});

test('a folder under the name of a file, or of what is written beside it, is kept, and the file is written', () => {
  const file = join(dir, 'in the way.json');
  for (const path of [file, `${file}.tmp`]) {
    mkdirSync(path);
    writeFileSync(join(path, 'of somebody'), path);
  }
  replaceDurably(file, 'two');
  assert.equal(readFileSync(file, 'utf8'), 'two');
  for (const path of [file, `${file}.tmp`])
    assert.equal(readFileSync(join(`${path}.aside-1`, 'of somebody'), 'utf8'), path);
});

test('a folder that is not there cannot be made durable, and that is said', () => {
  fsyncFolder(dir);
  assert.throws(() => fsyncFolder(join(dir, 'nowhere')), { code: 'ENOENT' });
});

test('what is replaced again and again leaves no file open', { skip: process.platform !== 'linux' }, () => {
  const file = join(dir, 'state.json');
  const open = () => readdirSync('/proc/self/fd').length;
  const before = open();
  for (let n = 0; n < 50; n++) replaceDurably(file, String(n));
  assert.ok(open() < before + 50, `${open()} open files, ${before} before`);
});
