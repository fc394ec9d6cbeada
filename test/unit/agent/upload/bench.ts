import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createUploader, type Uploader, type UploaderDeps } from '../../../../agent/upload/upload.ts';
import { createMemoryBlobStore } from '../../../fakes/memory-blob-store.ts';
import { createFakeUploadTickets } from '../../../fakes/upload-tickets.ts';
import { benchLedger, type LedgerBench } from '../ledger/bench.ts';

export const DEVICE = 'dacha-1';

/** An uploader over a real ledger, a fake hub and a fake store; time is a variable. */
export function benchUpload(t: TestContext, settings: UploaderDeps['settings'] = {}) {
  const house: LedgerBench = benchLedger(t, { leaseMs: 15 * 60_000 });
  const hub = createFakeUploadTickets({ deviceId: DEVICE });
  const store = createMemoryBlobStore();
  const link = { online: true };
  const lines: string[] = [];
  const framesDir = join(house.dir, 'frames');
  const log = createLog('debug', (line) => lines.push(line));
  const conditions = createConditions({ clock: house.clock, log });
  const build = (): Uploader =>
    createUploader({
      ledger: house.ledger,
      tickets: hub,
      clock: house.clock,
      conditions,
      log,
      deviceId: DEVICE,
      framesDir,
      online: () => link.online,
      openBlob: store.openBlob,
      random: () => 0.5,
      settings,
    });
  const uploader = build();
  t.after(() => uploader.stop());
  return { ...house, hub, store, link, lines, framesDir, uploader, conditions, build };
}

/** Lets everything run that can run without time passing, until the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it did not come to it: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass in steps, and files be read in between, until the condition holds. */
export async function passTime(
  clock: LedgerBench['clock'],
  stepMs: number,
  condition: () => boolean,
  what: string,
): Promise<void> {
  const deadline = performance.now() + 240_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it did not come to it: ${what}`);
    await clock.advance(stepMs);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}
