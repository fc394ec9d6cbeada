/** Works on a ledger until it is killed: records, seals, uploads, stores verdicts, sends events, all as fast as it
 *  can. Tells its parent what the ledger has confirmed. Arguments: folder, seed. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createLedger } from '../../../agent/ledger/ledger.ts';
import { verdictFor } from '../../unit/agent/ledger/bench.ts';
import {
  FRAGMENT_BYTES,
  fragment,
  moveOf,
  recoverFragments,
  seededRandom,
  sha256Of,
} from './ledger-fragments.ts';

export type Confirmed =
  | { readonly did: 'started' }
  | {
      readonly did: 'opened' | 'sealed' | 'uploaded' | 'judged';
      readonly clipId: string;
      readonly sha256?: string;
    }
  | { readonly did: 'stored'; readonly clipId: string }
  /** An event: told to the ledger under a name, about to be settled, settled. */
  | { readonly did: 'told'; readonly name: string }
  | { readonly did: 'sending'; readonly eventId: string; readonly move: string | null }
  | { readonly did: 'sent'; readonly eventId: string };

const [dir = '', seed = '0'] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const tell = (message: Confirmed) => process.send?.(message);

const ledger = createLedger({
  dir,
  clock: systemClock,
  log: createLog('error', (line) => process.stderr.write(line)),
  maxBytes: 60 * FRAGMENT_BYTES,
  leaseMs: 60_000,
  minFreeBytes: 0,
  recoverTorn: recoverFragments,
});
const { problems } = await ledger.check({ repair: true });
if (problems.length > 0) throw new Error(JSON.stringify(problems));
process.on('disconnect', () => process.exit(0));
tell({ did: 'started' });

function record(): void {
  const clip = ledger.openClip({
    cameraId: random() < 0.5 ? 'gate' : 'yard',
    triggeredMs: Date.now(),
    clockQuality: 'synchronised',
  });
  tell({ did: 'opened', clipId: clip.clipId });
  const fd = openSync(clip.partFile, 'wx');
  const fragments = 1 + Math.floor(random() * 6);
  for (let i = 0; i < fragments; i++) {
    writeSync(fd, fragment(i));
    fdatasyncSync(fd);
  }
  if (random() < 0.1) {
    closeSync(fd);
    ledger.loseClip(clip.clipId, 'the camera went away');
    return;
  }
  fsyncSync(fd);
  closeSync(fd);
  const sha256 = sha256Of(clip.partFile);
  const bytes = fragments * FRAGMENT_BYTES;
  ledger.sealClip(clip.clipId, { startedMs: Date.now(), preRollMs: 0, durationMs: fragments, bytes, sha256 });
  tell({ did: 'sealed', clipId: clip.clipId, sha256 });
}

function upload(): void {
  const lease = ledger.leaseNext();
  if (!lease) return;
  const { clipId } = lease.clip;
  if (random() < 0.2) {
    ledger.settleFailed(lease, 'storage is away', 0);
    return;
  }
  ledger.settleUploaded(lease, `https://storage/${lease.clip.blobName}`);
  tell({ did: 'uploaded', clipId });
  const body = Buffer.from(JSON.stringify(verdictFor(clipId)));
  ledger.storeMessage({ messageId: `${clipId}.1`, receivedMs: Date.now(), body });
  tell({ did: 'stored', clipId });
  if (random() < 0.5 && ledger.drainInbox().applied > 0) tell({ did: 'judged', clipId });
}

/** Settles the oldest event, as if the hub had taken it. */
function sendEvent(): void {
  const [oldest] = ledger.outgoing(1);
  if (!oldest) return;
  const { eventId } = oldest;
  tell({ did: 'sending', eventId, move: moveOf(oldest) });
  ledger.settleOutgoing(eventId);
  tell({ did: 'sent', eventId });
}

let names = 0;
function tellSomething(): void {
  const name = `${seed}-${names++}`;
  ledger.tell('link.state', { state: 'offline', detail: name });
  tell({ did: 'told', name });
}

// A turn of the event loop between two steps lets messages out; the kill comes from outside at any moment.
for (;;) {
  record();
  if (random() < 0.8) upload();
  if (random() < 0.3) tellSomething();
  if (random() < 0.3) sendEvent();
  await new Promise((resolve) => setImmediate(resolve));
}
