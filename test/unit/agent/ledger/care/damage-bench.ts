import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

export const PAGE = 4096;

export function change(file: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file);
  edit(bytes);
  writeFileSync(file, bytes);
}

/** Restores a damaged folder and says what the ledger is then: after the first check everything must be in order. */
export async function restored(t: TestContext, dir: string, clips: readonly Clip[], what: string) {
  const finding = await restore(dir);
  const ledger = openLedger(dir);
  t.after(() => ledger.close());
  await ledger.check({ repair: true, deep: true });
  const { problems } = await ledger.check({ repair: false, deep: true });
  assert.deepEqual(problems, [], what);
  const now = new Map(ledger.clips({ limit: 1_000 }).map((clip) => [clip.clipId, clip]));
  for (const clip of clips) {
    if (!existsSync(clip.file) && !existsSync(clip.partFile)) continue;
    const found = now.get(clip.clipId);
    assert.ok(found, `${what}: clip ${clip.clipId}`);
    assert.equal(found.blobName, clip.blobName, what);
    assert.equal(found.cameraId, clip.cameraId, what);
    if (clip.sha256 !== null) assert.equal(found.sha256, clip.sha256, what);
    assert.ok(existsSync(found.file), what);
  }
  return { finding, ledger, now };
}

/** The clips of the bench with their places in another folder. */
export const movedTo = (dir: string, from: string, clips: readonly Clip[]) =>
  clips.map((clip) => ({
    ...clip,
    file: clip.file.replace(from, dir),
    partFile: clip.partFile.replace(from, dir),
  }));
