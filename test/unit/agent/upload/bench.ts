import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createUploader, type Uploader, type UploaderDeps } from '../../../../agent/upload/upload.ts';
import { createBlobShelf } from '../../../fakes/blob-shelf.ts';
import { createFakeTicketDesk } from '../../../fakes/ticket-desk.ts';
import { benchLedger, type LedgerBench } from '../ledger/bench.ts';

export const DEVICE = 'dacha-1';

/** An uploader over a real ledger, a fake desk and a fake shelf; time is a variable. */
export function benchUpload(t: TestContext, settings: UploaderDeps['settings'] = {}) {
  const house: LedgerBench = benchLedger(t, { leaseMs: 15 * 60_000 });
  const desk = createFakeTicketDesk({ deviceId: DEVICE });
  const shelf = createBlobShelf();
  const link = { online: true };
  const lines: string[] = [];
  const framesDir = join(house.dir, 'frames');
  const build = (): Uploader =>
    createUploader({
      ledger: house.ledger,
      tickets: desk,
      clock: house.clock,
      log: createLog('debug', (line) => lines.push(line)),
      deviceId: DEVICE,
      framesDir,
      online: () => link.online,
      openBlob: shelf.openBlob,
      random: () => 0.5,
      settings,
    });
  const uploader = build();
  t.after(() => uploader.stop());
  return { ...house, desk, shelf, link, lines, framesDir, uploader };
}

/** Lets everything run that can run without time passing, until the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it did not come to it: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
