import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { claimFolder, isClaimed } from '../../../../../agent/kernel/files/folder-claim.ts';

const skip = process.platform === 'linux' ? false : 'there is no abstract namespace here';

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'folder-claim-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a folder is claimed once for each purpose, by whatever path, until the claim is released', {
  skip,
}, (t) => {
  const dir = folder(t);
  const link = `${dir}-link`;
  symlinkSync(dir, link);
  t.after(() => rmSync(link));
  assert.equal(isClaimed(dir, 'proof'), false);
  const mine = claimFolder(dir, 'proof');
  assert.ok(mine);
  for (const path of [dir, link]) {
    assert.equal(claimFolder(path, 'proof'), undefined);
    assert.equal(isClaimed(path, 'proof'), true);
  }
  assert.equal(isClaimed(dir, 'wor'), false);
  assert.equal(isClaimed(folder(t), 'proof'), false);
  const other = claimFolder(dir, 'rest');
  assert.ok(other);
  other.release();
  mine.release();
  assert.equal(isClaimed(dir, 'proof'), false);
  const again = claimFolder(dir, 'proof');
  assert.ok(again);
  again.release();
});

test('a folder that is not there can be neither claimed nor looked at', { skip }, (t) => {
  const gone = join(folder(t), 'gone');
  assert.throws(() => claimFolder(gone, 'proof'), { code: 'ENOENT' });
  assert.throws(() => isClaimed(gone, 'proof'), { code: 'ENOENT' });
});

test('who connects to a claim is hung up on', { skip }, async (t) => {
  const dir = folder(t);
  const mine = claimFolder(dir, 'proof');
  t.after(() => mine?.release());
  const { dev, ino } = statSync(dir, { bigint: true });
  const caller = connect(`\0dachawatch/proof/${dev}/${ino}`);
  await new Promise<void>((resolve) =>
    caller
      .once('close', () => resolve())
      .on('error', () => undefined)
      .resume(),
  );
});
