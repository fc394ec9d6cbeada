import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clockQuality } from '../../../../agent/kernel/clock-quality.ts';

const NOW = Date.UTC(2027, 0, 1);

test('the clock is doubted until timesyncd has set it, and always when it cannot be right', () => {
  const run = mkdtempSync(join(tmpdir(), 'dachawatch-run-'));
  try {
    assert.equal(clockQuality(NOW, run), 'synchronised', 'something else keeps the time');
    assert.equal(clockQuality(0, run), 'unsynchronised', '1970');
    mkdirSync(join(run, 'systemd/timesync'), { recursive: true });
    assert.equal(clockQuality(NOW, run), 'unsynchronised', 'timesyncd has not heard from the network');
    writeFileSync(join(run, 'systemd/timesync/synchronized'), '');
    assert.equal(clockQuality(NOW, run), 'synchronised');
  } finally {
    rmSync(run, { recursive: true });
  }
});
