import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loseUnsynced } from '../../../../../../../scripts/lib/bench/faults/disk/power-cut.ts';

/** What a power cut leaves of ten bytes of which four were synced. */
function leftOf(share: number, durableBytes = 4): string {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-power-cut-'));
  try {
    const partFile = join(dir, 'clip.part');
    writeFileSync(partFile, '0123456789');
    loseUnsynced([{ partFile, durableBytes }], share);
    return readFileSync(partFile, 'latin1');
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('of what was not synced a part is gone, down to the last sync', () => {
  assert.equal(leftOf(0), '0123');
  assert.equal(leftOf(0.4), '012345');
});

test('or it is zeros from some byte on', () => {
  assert.equal(leftOf(0.5), '0123456\0\0\0');
  assert.equal(leftOf(1), '0123456789');
});

test('what was synced whole stays, and a file that is gone is no matter', () => {
  assert.equal(leftOf(0, 10), '0123456789');
  loseUnsynced([{ partFile: join(tmpdir(), 'dachawatch-no-such-file.part'), durableBytes: 0 }], 0);
});
