import type { UploadTickets } from '../hub/hub.ts';
import type { BackoffPolicy } from '../kernel/waiting/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import { type Log, redact } from '../kernel/log.ts';
import { type Ledger, type Lease, LEDGER_UNAVAILABLE } from '../ledger/ledger.ts';
import { attemptTime } from './attempt-time.ts';
import { createNotifier } from '../kernel/waiting/notifier.ts';
import { createOpenBlob, type OpenBlob } from './ticket-blob-client.ts';
import { createFrames } from './frames.ts';
import { createOutcomes } from './outcomes.ts';
import { createParkedClips } from './parked-clips.ts';
import { createReconciler } from './reconcile.ts';
import { createTickets, DONE } from './tickets.ts';
import { absenceIn, carryClip, metadataOf } from './upload-clip.ts';

export interface UploadStatus {
  /** waiting: clips wait for the link, or for their next try. */
  readonly state: 'idle' | 'uploading' | 'waiting';
  readonly clipId: string | null;
  /** What the last failed upload said; null after a success. */
  readonly detail: string | null;
}

/** Carries sealed clips to Blob Storage, and asks for verdicts that never came. */
export interface Uploader {
  readonly name: string;
  start(): Promise<void>;
  /** Ends the upload under way: its blocks stay staged, its ticket is given back, its clip waits again. */
  stop(): Promise<void>;
  /** Something was sealed, or the link is back: look now. */
  wake(): void;
  status(): UploadStatus;
  /** File with the annotated best frame of a judged clip, fetched when first asked for; undefined when there is
   *  none, or none can be had now. */
  bestFrame(clipId: string): Promise<string | undefined>;
}

export interface UploadSettings {
  /** Clips uploaded at the same time. */
  readonly concurrency: 1 | 2;
  /** Longest wait before looking again although nobody called. */
  readonly idleMs: number;
  readonly retry: BackoffPolicy;
  /** Least time between two parked clips that are tried again by themselves; none after one that was accepted. */
  readonly parkedEveryMs: number;
  readonly pause: BackoffPolicy;
  readonly ticketMs: number;
  readonly requestMs: number;
  readonly blockMs: number;
  /** A clip without a verdict is asked for after so long; sooner when the link has just come back. */
  readonly verdictAfterMs: number;
  readonly verdictAfterConnectMs: number;
  readonly verdictEveryMs: number;
  readonly verdictsPerRound: number;
  /** A clip without a verdict is asked for again after so long. */
  readonly verdictAgain: BackoffPolicy;
  readonly framesKept: number;
}

export const UPLOAD_SETTINGS: UploadSettings = {
  concurrency: 1,
  idleMs: 15_000,
  retry: { minMs: 5_000, maxMs: 300_000 },
  parkedEveryMs: 5 * 60_000,
  pause: { minMs: 1_000, maxMs: 60_000 },
  ticketMs: 30_000,
  requestMs: 30_000,
  blockMs: 180_000,
  verdictAfterMs: 7 * 60_000,
  verdictAfterConnectMs: 30_000,
  verdictEveryMs: 3 * 60_000,
  verdictsPerRound: 8,
  verdictAgain: { minMs: 3 * 60_000, maxMs: 60 * 60_000 },
  framesKept: 500,
};

export interface UploaderDeps {
  readonly ledger: Pick<
    Ledger,
    | 'leaseNext'
    | 'settleUploaded'
    | 'settleFailed'
    | 'settleParked'
    | 'nextLeaseInMs'
    | 'returnParked'
    | 'noteNotInStorage'
    | 'noteRefusedVerdict'
    | 'drainInbox'
    | 'parked'
    | 'awaitingVerdict'
    | 'applyVerdict'
    | 'returnToQueue'
    | 'clip'
  >;
  readonly tickets: UploadTickets;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly deviceId: string;
  /** Folder of fetched best frames. */
  readonly framesDir: string;
  readonly online: () => boolean;
  readonly settings?: Partial<UploadSettings>;
  readonly openBlob?: OpenBlob;
  readonly random?: () => number;
}

/** Nothing is asked for more often than this, whatever the ledger says. */
const LOOK_MIN_MS = 100;

/** Invariants
 *  1. A clip is settled as uploaded only after storage has shown its size and checksum.
 *  2. An attempt ends before its lease does; what it staged is found by the next one. Leases are not extended.
 *  3. Every ticket is given back. Every wait has an end. Failures in a row slow everything down.
 *  4. Nothing that one clip, one verdict or one answer throws ends a loop. */
export function createUploader(deps: UploaderDeps): Uploader {
  const { ledger, clock, conditions, log, deviceId, online, random } = deps;
  const settings: UploadSettings = { ...UPLOAD_SETTINGS, ...deps.settings };
  const openBlob = deps.openBlob ?? createOpenBlob(settings, clock);
  const chance = random ? { random } : {};
  const tickets = createTickets({
    desk: deps.tickets,
    clock,
    log,
    deviceId,
    ticketMs: settings.ticketMs,
    ...chance,
  });
  const reconciler = createReconciler({
    ledger,
    tickets,
    openBlob,
    clock,
    log,
    perRound: settings.verdictsPerRound,
    again: settings.verdictAgain,
    ...chance,
  });
  const frames = createFrames({
    ledger,
    tickets,
    openBlob,
    online,
    clock,
    log,
    dir: deps.framesDir,
    kept: settings.framesKept,
  });
  const outcomes = createOutcomes({ retry: settings.retry, pause: settings.pause, ...chance });
  const parked = createParkedClips({ ledger, conditions, everyMs: settings.parkedEveryMs, clock, log });
  const notifier = createNotifier(clock);
  const stopping = new AbortController();
  const uploading = new Set<string>();
  let loops: Promise<void>[] = [];
  let pausedUntilMs = 0;
  let detail: string | null = null;

  async function attempt(lease: Lease): Promise<void> {
    const { clip } = lease;
    const { signal, end } = attemptTime(lease, clock, stopping.signal);
    uploading.add(clip.clipId);
    try {
      const metadata = metadataOf(clip, deviceId);
      const { url, ...carried } = await tickets.use(clip.blobName, DONE, signal, async (ticket, calmly) => {
        const door = openBlob(ticket);
        const fresh = outcomes.wasBadRead(clip.clipId);
        return { url: door.url, ...(await carryClip(clip, metadata, door, calmly, fresh)) };
      });
      outcomes.succeeded(clip.clipId);
      parked.accepted(clip.clipId);
      pausedUntilMs = 0;
      detail = null;
      if (ledger.settleUploaded(lease, url))
        log.info(
          {
            event: 'clip.uploaded',
            clipId: clip.clipId,
            bytes: clip.bytes,
            attempt: lease.attempt,
            ...carried,
          },
          'clip uploaded',
        );
    } catch (error) {
      settleAfter(error, lease);
    } finally {
      end();
      uploading.delete(clip.clipId);
    }
  }

  function settleAfter(error: unknown, lease: Lease): void {
    const { clipId } = lease.clip;
    if (stopping.signal.aborted) {
      ledger.settleFailed(lease, 'the agent stopped', 0);
      return;
    }
    const failure = classify(error, 'upload');
    const outcome = outcomes.failed(failure, { clipId, attempt: lease.attempt });
    detail = redact(`${failure.code}: ${failure.message.split('\n')[0]}`).slice(0, 300);
    const fields = { clipId, code: failure.code, kind: failure.kind, attempt: lease.attempt, reason: detail };
    const absence = absenceIn(failure);
    if (absence !== undefined) ledger.noteNotInStorage(lease, absence);
    if (outcome.do === 'park') {
      ledger.settleParked(lease, detail);
      log.error({ event: 'clip.parked', ...fields }, 'clip refused; it is kept here and tried again slowly');
      return;
    }
    const retryInMs = Math.max(outcome.inMs, failure.retryAfterMs ?? 0);
    ledger.settleFailed(lease, detail, retryInMs);
    pausedUntilMs = clock.monotonicMs() + outcomes.pauseMs();
    log.warn({ event: 'clip.upload-failed', ...fields, retryInMs }, 'upload failed; again later');
  }

  /** Runs until `stop`; what one turn throws slows the loop down. */
  async function loop(what: string, turn: () => Promise<number>): Promise<void> {
    let said = '';
    while (!stopping.signal.aborted) {
      const heard = notifier.count();
      let waitMs = settings.idleMs;
      try {
        waitMs = await turn();
        said = '';
      } catch (error) {
        const failure = classify(error, `upload.${what}`);
        // The ledger tells itself that it is away or being opened; anything else that lasts is told once.
        const isTold = failure.code === LEDGER_UNAVAILABLE || said === failure.code;
        const level = isTold ? 'debug' : 'error';
        said = failure.code;
        log[level]({ event: 'upload.loop-failed', what, code: failure.code, err: failure }, failure.message);
      }
      if (waitMs > 0) await notifier.wait(heard, waitMs, stopping.signal);
    }
  }

  /** @returns how long to wait before the next turn, milliseconds */
  async function carryTurn(): Promise<number> {
    if (!online()) return settings.idleMs;
    const pauseMs = Math.max(pausedUntilMs - clock.monotonicMs(), tickets.waitMs());
    if (pauseMs <= 0) {
      const lease = ledger.leaseNext();
      if (lease) {
        await attempt(lease);
        return 0;
      }
    }
    const nextMs = Math.max(ledger.nextLeaseInMs() ?? settings.idleMs, pauseMs, LOOK_MIN_MS);
    return Math.min(nextMs, settings.idleMs);
  }

  /** @returns as above */
  async function parkedTurn(): Promise<number> {
    parked.tell();
    if (online() && tickets.waitMs() === 0 && parked.tryOne()) notifier.notify();
    return settings.idleMs;
  }

  /** Messages that a busy or full disk kept from being read when they came. */
  async function inboxTurn(): Promise<number> {
    const { applied, refused } = ledger.drainInbox();
    return applied + refused > 0 ? LOOK_MIN_MS : settings.idleMs;
  }

  let wasOnline = false;
  let roundDueMs = 0;
  async function verdictTurn(): Promise<number> {
    const isOnline = online();
    const connected = isOnline && !wasOnline;
    wasOnline = isOnline;
    const isDue = connected || clock.monotonicMs() >= roundDueMs;
    if (isOnline && isDue && tickets.waitMs() === 0) {
      roundDueMs = clock.monotonicMs() + settings.verdictEveryMs;
      const ageMs = connected ? settings.verdictAfterConnectMs : settings.verdictAfterMs;
      if ((await reconciler.round(ageMs, stopping.signal)) > 0) {
        notifier.notify();
        // Verdicts are there to be had: those that wait behind them need not wait for long.
        roundDueMs = Math.min(roundDueMs, clock.monotonicMs() + settings.idleMs);
      }
    }
    // Short enough to notice that the link was gone in between.
    return settings.idleMs;
  }

  return {
    name: 'upload',
    async start() {
      loops = [
        ...Array.from({ length: settings.concurrency }, () => loop('carry', carryTurn)),
        loop('parked', parkedTurn),
        loop('inbox', inboxTurn),
        loop('verdicts', verdictTurn),
      ];
    },
    async stop() {
      stopping.abort(new Error('the uploader stops'));
      await Promise.all(loops);
    },
    wake: () => notifier.notify(),
    status() {
      const [clipId] = uploading;
      if (clipId !== undefined) return { state: 'uploading', clipId, detail };
      return { state: ledger.nextLeaseInMs() === null ? 'idle' : 'waiting', clipId: null, detail };
    },
    bestFrame: (clipId) => frames.bestFrame(clipId, stopping.signal),
  };
}
