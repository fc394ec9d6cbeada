import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLog } from '../../../../../agent/kernel/log.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { type Clip, createLedger, type Ledger, type LedgerDeps } from '../../../../../agent/ledger/ledger.ts';
import { type RestoreDeps, restoreDatabase } from '../../../../../agent/ledger/care/restore.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { keepWhole, uploadNext, verdictFor, writeClip } from '../bench.ts';

const clock = createFakeClock();

export const openLedger = (dir: string, lines: string[] = [], changes: Partial<LedgerDeps> = {}): Ledger =>
  createLedger({
    dir,
    clock,
    log: createLog('info', (line) => lines.push(line)),
    maxBytes: 1_000_000_000,
    minFreeBytes: 0,
    leaseMs: 60_000,
    recoverTorn: keepWhole,
    ...changes,
  });

export const restore = (dir: string, changes: Partial<RestoreDeps> = {}) =>
  restoreDatabase({ dir, clock, isWanted: () => true, ...changes });

/** A folder that goes with the test, and in it a ledger with clips in every state, closed. */
export function damageBench(t: TestContext): { readonly dir: string; readonly clips: readonly Clip[] } {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-damage-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const ledger = openLedger(dir);
  const sealed = (cameraId: string) => {
    const clip = ledger.openClip({
      cameraId,
      triggeredMs: clock.nowMs(),
      clockQuality: 'synchronised',
      detail: 'triggered by the bench',
    });
    return ledger.sealClip(clip.clipId, writeClip(clip.partFile, 1_000, Buffer.alloc(1_000, clip.clipId)));
  };
  for (let turn = 0; turn < 12; turn++) {
    sealed(turn % 2 === 0 ? 'gate' : 'yard');
    const { clipId } = uploadNext(ledger);
    if (turn % 3 !== 0) ledger.applyVerdict(verdictFor(clipId));
  }
  const parked = sealed('yard');
  const lease = ledger.leaseNext();
  if (lease?.clip.clipId === parked.clipId) ledger.settleParked(lease, 'refused for good');
  ledger.loseClip(sealed('gate').clipId, 'it was given up');
  for (let turn = 0; turn < 5; turn++) sealed('gate');
  writeFileSync(
    ledger.openClip({ cameraId: 'yard', triggeredMs: clock.nowMs(), clockQuality: 'synchronised' }).partFile,
    'whole',
  );
  ledger.storeMessage({ messageId: 'm1', receivedMs: clock.nowMs(), body: Buffer.from('unread') });
  const clips = ledger.clips({ limit: 100 });
  ledger.close();
  return { dir, clips };
}

/** A copy of the folder in which the database has been damaged. */
export function damagedCopy(t: TestContext, from: string, damage: (file: string) => void): string {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-damage-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(from, dir, { recursive: true });
  damage(ledgerFile(dir));
  return dir;
}
