/** A ledger and an uploader in a process of their own, to be killed. Arguments: one JSON object. Tells its parent
 *  what it does: {sealed: clipId}, {staged: n}, {uploaded: clipId, reused}. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createLedger } from '../../../agent/ledger/ledger.ts';
import { createOpenBlob } from '../../../agent/upload/ticket-blob-client.ts';
import { createUploader, UPLOAD_SETTINGS } from '../../../agent/upload/upload.ts';
import { createFakeUploadTickets } from '../../fakes/upload-tickets.ts';
import { keepWhole, writeClip } from '../../unit/agent/ledger/bench.ts';

export interface AgentArguments {
  readonly dir: string;
  readonly deviceId: string;
  readonly hostName: string;
  readonly account: { readonly name: string; readonly key: string };
  /** Makes one clip of so many bytes first. */
  readonly makeBytes?: number;
  /** After so many staged blocks storage seems to hang: the moment to be killed. */
  readonly hangAfter?: number;
}

const args = JSON.parse(process.argv[2] ?? '{}') as AgentArguments;
const tell = (message: object) => process.send?.(message);

const clock = systemClock;
const log = createLog('info', (line) => {
  const entry = JSON.parse(line) as { event?: string; clipId?: string; reused?: number };
  if (entry.event === 'clip.uploaded') tell({ uploaded: entry.clipId, reused: entry.reused });
});
const ledger = createLedger({
  dir: args.dir,
  clock,
  log,
  maxBytes: 1e9,
  leaseMs: 900_000,
  minFreeBytes: 0,
  recoverTorn: keepWhole,
});
await ledger.check({ repair: true });
if (args.makeBytes !== undefined) {
  const clip = ledger.openClip({
    cameraId: 'gate',
    triggeredMs: clock.nowMs(),
    clockQuality: 'synchronised',
  });
  const written = writeClip(clip.partFile, args.makeBytes, randomBytes(args.makeBytes));
  tell({ sealed: ledger.sealClip(clip.clipId, written).clipId });
}

const openReal = createOpenBlob(UPLOAD_SETTINGS);
let staged = 0;
const uploader = createUploader({
  ledger,
  tickets: createFakeUploadTickets(args),
  conditions: createConditions({ clock, log }),
  clock,
  log,
  deviceId: args.deviceId,
  framesDir: join(args.dir, 'frames'),
  online: () => true,
  openBlob: (ticket) => {
    const real = openReal(ticket);
    return {
      ...real,
      async stageBlock(id, body, signal) {
        if (staged === args.hangAfter) await new Promise(() => setTimeout(() => undefined, 120_000));
        await real.stageBlock(id, body, signal);
        tell({ staged: ++staged });
      },
    };
  },
});
process.on('disconnect', () => process.exit(0));
await uploader.start();
