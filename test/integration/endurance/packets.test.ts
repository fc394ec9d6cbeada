import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordPackets } from '../../../scripts/lib/bench/packets/packets.ts';

describe('what clips hold, beside what the camera sent', { concurrency: 2 }, () => {
  test('clips hold the camera’s own packets, byte for byte, while decoding modes, parameter sets and the line change', async (t) => {
    const outcome = await recordPackets({ seconds: 60 }, (line) => t.diagnostic(line), t.signal);
    assert.deepEqual(outcome.findings, []);
    assert.ok(outcome.clips >= 2, `${outcome.clips} clips`);
    assert.ok(outcome.pictures >= 100, `${outcome.pictures} pictures`);
    assert.equal(outcome.faults, 1);
    assert.equal(outcome.formats, 2);
    assert.ok(outcome.changes >= 2 && outcome.modes.includes('event'), outcome.modes.join());
  });

  test('a single byte that is not the camera’s is found', async (t) => {
    const { findings } = await recordPackets(
      { seconds: 40, sabotage: 'flip-byte' },
      (line) => t.diagnostic(line),
      t.signal,
    );
    assert.match(findings.join(' | '), /^clip-\d+: picture \d+ is not as sent$/);
  });
});
