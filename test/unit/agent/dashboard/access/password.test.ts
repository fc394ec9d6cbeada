import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  createPasswordReader,
  isPassword,
  keepPassword,
  newPassword,
  passwordFile,
  readPassword,
} from '../../../../../agent/dashboard/access/password.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-password-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const kept = () => readPassword(dir) ?? assert.fail('there is no password');

test('a password is known again as it is typed on a phone, and no other one', async () => {
  const password = newPassword();
  assert.match(password, /^([2-9a-hjkmnp-z]{4}-){3}[2-9a-hjkmnp-z]{4}$/);
  await keepPassword(dir, password);
  for (const typed of [password, password.toUpperCase(), password.replaceAll('-', ' '), ` ${password} `])
    assert.equal(await isPassword(typed, kept()), true, typed);
  for (const typed of ['', password.slice(1), `${password}2`, newPassword(), 'x'.repeat(1_000)])
    assert.equal(await isPassword(typed, kept()), false, typed);
});

test('what is kept tells no password, and is for its owner alone', async () => {
  await keepPassword(dir, 'k7m2-x9pd-4fhc-w3tn');
  const first = readFileSync(passwordFile(dir), 'utf8');
  assert.equal(statSync(passwordFile(dir)).mode & 0o777, 0o600);
  assert.doesNotMatch(first, /k7m2|x9pd|4fhc|w3tn/);
  await keepPassword(dir, 'k7m2-x9pd-4fhc-w3tn');
  assert.notEqual(readFileSync(passwordFile(dir), 'utf8'), first, 'each has a salt of its own');
});

test('a new password counts at once, and the old one no more', async () => {
  const read = createPasswordReader(dir);
  assert.equal(read(), undefined);
  await keepPassword(dir, 'first');
  const first = read() ?? assert.fail();
  assert.equal(read(), first, 'it is not read again while it is the same');
  await keepPassword(dir, 'second');
  const second = read() ?? assert.fail();
  assert.notEqual(second.id, first.id);
  assert.deepEqual([await isPassword('first', second), await isPassword('second', second)], [false, true]);
  rmSync(passwordFile(dir));
  assert.equal(read(), undefined);
});

test('a file that is damaged, or asks for endless work, opens the page to nobody', async () => {
  await keepPassword(dir, 'first');
  const text = readFileSync(passwordFile(dir), 'utf8');
  const damaged = [
    ...['', 'x', text.slice(0, 30), text.replace('scrypt', 'plain'), text.replace(/ 8 1 /, ' 99 99 ')],
    ...[text.replace(/32768/, '9999999'), `${text}${text}`, 'y'.repeat(5_000)],
  ];
  for (const content of damaged) {
    writeFileSync(passwordFile(dir), content);
    assert.throws(() => readPassword(dir), { kind: 'corrupt' }, content.slice(0, 40));
  }
});
