import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { replaceDurably } from '../../../../../agent/kernel/files/durable-file.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { openRegular, readSmallText } from '../../../../../agent/kernel/files/regular-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'regular-file-'));
after(() => rmSync(dir, { recursive: true }));
const place = (name: string) => join(dir, name);
const refusal = (error: unknown) => error instanceof Failure && error.code === 'file.not-regular';

const impostors: Readonly<Record<string, (file: string) => void>> = {
  'a pipe': (file) => execFileSync('mkfifo', [file]),
  'a folder': (file) => mkdirSync(file),
  'a link to a file': (file) => {
    writeFileSync(`${file}.target`, 'secret of somebody else');
    symlinkSync(`${file}.target`, file);
  },
  'a link to itself': (file) => symlinkSync(file, file),
  'a device': (file) => symlinkSync('/dev/zero', file),
};
for (const [what, make] of Object.entries(impostors))
  test(`${what} is refused at once, read or opened`, async () => {
    const file = place(`impostor ${what}`);
    make(file);
    assert.throws(() => readSmallText(file, 1_000), refusal);
    await assert.rejects(openRegular(file), refusal);
  });

test('a file is read whole; one that is missing, or larger than it can be, is not', async () => {
  const file = place('text');
  writeFileSync(file, 'Привіт');
  assert.equal(readSmallText(file, 100), 'Привіт');
  const handle = await openRegular(file);
  assert.equal(await handle.readFile('utf8'), 'Привіт');
  await handle.close();
  truncateSync(file, 2 ** 40);
  assert.throws(
    () => readSmallText(file, 100),
    (error: Failure) => error.kind === 'corrupt' && /1099511627776/.test(error.message),
  );
  assert.throws(() => readSmallText(place('none'), 100), { code: 'ENOENT' });
});

test('a file is replaced whatever a killed writer, or somebody else, left beside it', () => {
  for (const make of [impostors['a pipe'], impostors['a link to a file']]) {
    const file = place('replaced');
    make?.(`${file}.tmp`);
    replaceDurably(file, 'new');
    assert.equal(readSmallText(file, 100), 'new');
    rmSync(`${file}.tmp.target`, { force: true });
  }
});
