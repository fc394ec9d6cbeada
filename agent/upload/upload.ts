import type { UploadTickets } from '../hub/hub.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Log } from '../kernel/log.ts';
import { createNotifier } from '../kernel/waiting/notifier.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createAttempts } from './attempts.ts';
import { createFrames } from './frames.ts';
import { createOutcomes } from './outcomes.ts';
import { createParkedClips } from './parked-clips.ts';
import { createRevisableClips } from './revisable-clips.ts';
import { createReconciler } from './reconcile.ts';
import { createOpenBlob, type OpenBlob } from './ticket-blob-client.ts';
import { createTickets } from './tickets.ts';
import { takeTurns, type Turn } from './turns.ts';
import { UPLOAD_SETTINGS, type UploadSettings } from './upload-settings.ts';
import { createVerdictRounds } from './verdict-rounds.ts';

export { UPLOAD_SETTINGS, type UploadSettings };

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
    | 'judgedWithoutPerson'
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
  const { idleMs } = settings;
  const openBlob = deps.openBlob ?? createOpenBlob(settings, clock);
  const chance = random ? { random } : {};
  const stopping = new AbortController();
  const { signal } = stopping;
  const notifier = createNotifier(clock);
  const tickets = createTickets({
    ...{ hub: deps.tickets, clock, log, deviceId, ticketMs: settings.ticketMs },
    ...chance,
  });
  const outcomes = createOutcomes({ retry: settings.retry, pause: settings.pause, ...chance });
  const parked = createParkedClips({ ledger, conditions, everyMs: settings.parkedEveryMs, clock, log });
  const attempts = createAttempts({
    ...{ ledger, tickets, openBlob, outcomes, clock, log, deviceId, stopping: signal },
    onAccepted: (clipId) => parked.accepted(clipId),
  });
  const reconciler = createReconciler({
    ...{ ledger, tickets, openBlob, clock, log },
    perRound: settings.verdictsPerRound,
    again: settings.verdictAgain,
    revisable: createRevisableClips({ ledger, clock, again: settings.revisedAgain, ...chance }),
    ...chance,
  });
  const verdictRounds = createVerdictRounds({ reconciler, tickets, clock, online, settings });
  const frames = createFrames({
    ...{ ledger, tickets, openBlob, online, clock, log },
    dir: deps.framesDir,
    kept: settings.framesKept,
  });
  let loops: Promise<void>[] = [];

  const loop = (what: string, turn: Turn) => takeTurns(what, turn, { notifier, log, idleMs }, signal);

  async function carryTurn(): Promise<number> {
    if (!online()) return idleMs;
    const pauseMs = Math.max(attempts.pauseMs(), tickets.waitMs());
    if (pauseMs === 0) {
      const lease = ledger.leaseNext();
      if (lease) {
        await attempts.carry(lease);
        return 0;
      }
    }
    const nextMs = Math.max(ledger.nextLeaseInMs() ?? idleMs, pauseMs, LOOK_MIN_MS);
    return Math.min(nextMs, idleMs);
  }

  async function parkedTurn(): Promise<number> {
    parked.tell();
    if (online() && tickets.waitMs() === 0 && parked.tryOne()) notifier.notify();
    return idleMs;
  }

  /** Messages that a busy or full disk kept from being read when they came. */
  async function inboxTurn(): Promise<number> {
    const { applied, refused } = ledger.drainInbox();
    return applied + refused > 0 ? LOOK_MIN_MS : idleMs;
  }

  async function verdictTurn(): Promise<number> {
    if ((await verdictRounds.turn(signal)) > 0) notifier.notify();
    return idleMs;
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
      const detail = attempts.detail();
      const clipId = attempts.underWay();
      if (clipId !== undefined) return { state: 'uploading', clipId, detail };
      return { state: ledger.nextLeaseInMs() === null ? 'idle' : 'waiting', clipId: null, detail };
    },
    bestFrame: (clipId) => frames.bestFrame(clipId, signal),
  };
}
