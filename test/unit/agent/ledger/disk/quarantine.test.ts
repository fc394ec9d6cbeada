import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { benchLedger, type LedgerBench } from '../bench.ts';

/** Puts a file of so many bytes where the clips are, which the next check sets aside. */
function stray(bench: LedgerBench, n: number, bytes: number): string {
  const folder = join(bench.dir, 'clips', 'gate');
  mkdirSync(folder, { recursive: true });
  const name = `stray-${n}.mp4`;
  writeFileSync(join(folder, name), Buffer.alloc(bytes, n));
  return `gate_${name}`;
}
const kept = (bench: LedgerBench) => readdirSync(join(bench.dir, 'quarantine')).toSorted();

test('the quarantine takes a tenth of the budget at most: the oldest go, said aloud, and the newest only when it is too large alone', async (t) => {
  const bench = benchLedger(t, { maxBytes: 1_000_000, recoverTorn: async () => undefined });
  for (let n = 0; n < 6; n++) {
    stray(bench, n, 30_000);
    await bench.ledger.check({ repair: true });
    // The moment of setting aside is told by the file system, to the millisecond.
    await delay(5);
  }
  assert.equal(kept(bench).length, 6, 'setting aside never fails for the bound');
  await bench.ledger.tend();
  assert.deepEqual(kept(bench), ['gate_stray-3.mp4', 'gate_stray-4.mp4', 'gate_stray-5.mp4']);
  assert.deepEqual(bench.standing(), ['quarantine-full']);
  assert.equal(bench.lines.filter((line) => line.includes('quarantine.removed')).length, 3);
  stray(bench, 7, 500_000);
  await bench.ledger.check({ repair: true });
  await bench.ledger.tend();
  assert.deepEqual(kept(bench), [], 'one that is larger than the bound goes, too');
  await bench.ledger.tend();
  assert.deepEqual(bench.standing(), [], 'somebody has looked after it');
});

test('what lies in quarantine counts as bytes of the disk up to its bound', async (t) => {
  const bench = benchLedger(t, { maxBytes: 100_000, recoverTorn: async () => undefined });
  const clips = Array.from({ length: 9 }, () => bench.sealed(10_000));
  stray(bench, 1, 30_000);
  await bench.ledger.check({ repair: true });
  bench.open();
  const onDisk = clips.filter(({ file }) => existsSync(file)).length;
  assert.equal(onDisk, 8, 'one made room for the new clip and none for what is beyond the bound');
});

test('a file in the place of the quarantine is kept, and things are set aside all the same', async (t) => {
  const bench = benchLedger(t, { recoverTorn: async () => undefined });
  writeFileSync(join(bench.dir, 'quarantine'), 'of somebody');
  const name = stray(bench, 1, 1_000);
  await bench.ledger.check({ repair: true });
  assert.deepEqual(kept(bench), [name]);
  assert.equal(readFileSync(join(bench.dir, 'quarantine.aside-1'), 'utf8'), 'of somebody');
});
