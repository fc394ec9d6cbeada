import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClipKeeper, type ClipKeeperDeps } from '../../../agent/clip-keeper.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createLog } from '../../../agent/kernel/log.ts';

function rig(ledger: Partial<ClipKeeperDeps['ledger']>) {
  const told: string[] = [];
  const keeper = createClipKeeper({
    ledger: ledger as ClipKeeperDeps['ledger'],
    onSealed: () => told.push('sealed'),
    refusedRecordings: {
      refused: (cameraId, reason) => told.push(`${cameraId} refused: ${reason}`),
      opened: (cameraId) => told.push(`${cameraId} opened`),
    },
    clock: { nowMs: () => 1_800_000_000_000 },
    log: createLog('silent'),
  });
  const open = () =>
    keeper.open({ cameraId: 'gate', triggeredMs: 1_800_000_000_000, cause: { kind: 'picture' } });
  return { keeper, told, open };
}
const written = { startedMs: 1, preRollMs: 0, durationMs: 1, bytes: 1, sha256: 'x' };
const fails = (error: Error) => () => {
  throw error;
};

test('a refused clip is told with its reason, also when a bug refused it', () => {
  const full = rig({ openClip: fails(new Failure('exhausted', 'ledger.budget', 'no room')) });
  assert.equal(full.open(), undefined);
  assert.deepEqual(full.told, ['gate refused: no room']);
  const broken = rig({ openClip: fails(new Failure('bug', 'ledger.open-clip.sqlite', 'UNIQUE failed')) });
  assert.throws(broken.open, /UNIQUE failed/);
  assert.deepEqual(broken.told, ['gate refused: UNIQUE failed']);
});

test('a clip that can be neither sealed nor recovered now ends nothing', async () => {
  const { keeper, told } = rig({
    sealClip: fails(new Failure('corrupt', 'ledger.seal-size', 'another size')),
    recoverClip: async () => {
      throw new Failure('transient', 'ledger.unavailable', 'the ledger is being opened');
    },
  });
  // An unhandled rejection would fail this test.
  keeper.written('CLIP', written);
  await keeper.abandoned('CLIP', 'transient: the child died');
  assert.deepEqual(told, []);
});
