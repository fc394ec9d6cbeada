import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { isPassword, readPassword } from '../../../agent/dashboard/access/password.ts';
import { repoRoot } from '../../../scripts/lib/places.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-page-password-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const script = join(repoRoot, 'agent/page-password.ts');
const run = (...args: readonly string[]) =>
  new Promise<Ended>((resolve) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

/** @returns the options of a house whose page listens there */
function house(host: string): string[] {
  const config = join(dir, `${host}.json`);
  const camera = { id: 'gate', main: 'rtsp://10.0.0.9/main', sub: 'rtsp://10.0.0.9/sub' };
  const dashboard = { host };
  writeFileSync(
    config,
    JSON.stringify({
      ...{ schema: 'dachawatch/appliance/1', deviceId: 'house', hub: { credential: 'hub' } },
      ...{ cameras: [camera], recording: {}, storage: {}, power: {}, dashboard },
    }),
  );
  return ['--data', dir, '--config', config];
}
const passwordIn = ({ stdout }: Ended) => /: ([a-z0-9-]{19})\n/.exec(stdout)?.[1] ?? assert.fail(stdout);

test('a password is made and shown once; made again, the new one counts', async () => {
  const first = await run(...house('0.0.0.0'));
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /SHA-256 is\n([0-9A-F]{2}:){31}[0-9A-F]{2}\n/);
  const second = await run(...house('0.0.0.0'));
  const kept = readPassword(dir) ?? assert.fail('nothing was kept');
  assert.equal(await isPassword(passwordIn(second), kept), true);
  assert.equal(await isPassword(passwordIn(first), kept), false);
  assert.equal(/SHA.*/s.exec(first.stdout)?.[0], /SHA.*/s.exec(second.stdout)?.[0], 'the certificate stays');
});

test('when it is not needed nothing is made: on loopback, and when there is one', async () => {
  for (const host of ['127.0.0.1', 'localhost', '::1']) {
    const ended = await run(...house(host), '--if-needed');
    assert.deepEqual([ended.code, ended.stdout], [0, ''], ended.stderr);
    assert.equal(readPassword(dir), undefined);
  }
  passwordIn(await run(...house('192.168.1.5'), '--if-needed'));
  const kept = readPassword(dir);
  const again = await run(...house('192.168.1.5'), '--if-needed');
  assert.deepEqual([again.code, again.stdout], [0, '']);
  assert.deepEqual(readPassword(dir), kept);
});

test('what root makes belongs to who owns the folder', { skip: process.getuid?.() !== 0 }, async () => {
  const config = house('0.0.0.0');
  chownSync(dir, 65_534, 65_534);
  const ended = await run(...config);
  assert.equal(ended.code, 0, ended.stderr);
  const made = readdirSync(dir).filter((name) => name.startsWith('page-'));
  assert.deepEqual(made.toSorted(), ['page-certificate.pem', 'page-password']);
  for (const name of made) {
    const { uid, gid, mode } = statSync(join(dir, name));
    assert.deepEqual([uid, gid, mode & 0o777], [65_534, 65_534, 0o600]);
  }
});

test('bad input gets one sentence and makes nothing', async () => {
  const config = house('0.0.0.0');
  const noFolder = await run('--data', join(dir, 'nowhere'), ...config.slice(2));
  assert.deepEqual([noFolder.code, noFolder.stdout], [2, '']);
  assert.match(noFolder.stderr, /^page-password: there is no folder .*nowhere: is the agent installed\?\n$/);
  const noConfig = await run('--data', dir, '--config', join(dir, 'none.json'));
  assert.equal(noConfig.code, 2);
  assert.match(noConfig.stderr, /^page-password: the configuration cannot be read: .*\n$/);
  for (const args of [['--frob'], ['--data='], ['--config', ' '], ['extra'], ['--if-needed=yes']]) {
    const ended = await run(...config, ...args);
    assert.deepEqual(
      [ended.code, ended.stdout, ended.stderr.trim().split('\n').length],
      [2, '', 1],
      args.join(' '),
    );
  }
  assert.equal(readPassword(dir), undefined);
});
