import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { damageBench, damagedCopy, openLedger, restore } from './damage-bench.ts';

/** Changes one place of the database; then the ledger must be begun anew, know what it knew, and work. */
async function isBegunAnew(t: TestContext, edits: Readonly<Record<string, (bytes: Buffer) => void>>) {
  const { dir, clips } = damageBench(t);
  for (const [what, edit] of Object.entries(edits)) {
    const copy = damagedCopy(t, dir, (file) => {
      const bytes = readFileSync(file);
      const before = Buffer.from(bytes);
      edit(bytes);
      assert.notDeepEqual(bytes, before, what);
      writeFileSync(file, bytes);
    });
    assert.equal((await restore(copy)).state, 'rebuilt', what);
    const ledger = openLedger(copy);
    t.after(() => ledger.close());
    await ledger.check({ repair: true });
    const now = new Map(ledger.clips({ limit: 100 }).map((clip) => [clip.clipId, clip]));
    for (const clip of clips) {
      if (clip.state === 'recording') continue;
      const found = now.get(clip.clipId);
      assert.deepEqual([found?.state, found?.verdict], [clip.state, clip.verdict], what);
    }
    const opened = ledger.openClip({ cameraId: 'gate', triggeredMs: 1, clockQuality: 'synchronised' });
    ledger.loseClip(opened.clipId, 'tried');
    assert.ok(ledger.leaseNext(), what);
  }
}

const inText =
  (text: string, bit = 1) =>
  (bytes: Buffer) => {
    // Copies that are no longer in use lie in free places.
    for (let at = bytes.indexOf(text); at > 0; at = bytes.indexOf(text, at + 1)) {
      const middle = at + (text.length >> 1);
      bytes[middle] = (bytes[middle] ?? 0) ^ bit;
    }
  };

test('a bit flipped in the header of the ledger costs nothing that it knew', (t) =>
  isBegunAnew(t, {
    'write version 3': (bytes) => (bytes[18] = 3),
    'write version 0': (bytes) => (bytes[18] = 0),
    'read version 0': (bytes) => (bytes[19] = 0),
    'read version 6': (bytes) => (bytes[19] = 6),
    'size of a page': (bytes) => (bytes[16] = 0x11),
    'text encoding': (bytes) => (bytes[59] = 3),
    'version 0': (bytes) => (bytes[63] = 0),
    'version below 0': (bytes) => (bytes[60] = 0x80),
  }));

test('a bit flipped in the schema of the ledger costs nothing that it knew', (t) =>
  isBegunAnew(t, {
    'a column of clips': inText('lease_until   REAL'),
    'a column of custody': inText('at_ms   INTEGER'),
    'an index': inText('clips_by_retry ON clips (retry_at'),
    'a trigger': inText('clips = clips - 1, bytes'),
    'the name of a table': inText('CREATE TABLE custody'),
    'a rule': inText("'recording','sealed','uploading'"),
  }));
