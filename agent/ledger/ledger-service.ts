import { mkdirSync, statSync } from 'node:fs';
import { aborted } from '../kernel/waiting/aborted.ts';
import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Conditions } from '../kernel/conditions.ts';
import { Failure } from '../kernel/failure.ts';
import type { Service } from '../kernel/services/lifecycle.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import type { Care } from './care/care.ts';
import { createDoubts } from './database/doubts.ts';
import { type BegunClips, createBegunClips } from './begun-clips.ts';
import { createRowlessClips } from './clips/rowless-clips.ts';
import { type Ownership, takeOwnership } from './database/ownership.ts';
import { freeBytesOf } from './disk/disk-use.ts';
import { createLedger, type Ledger, type LedgerDeps, LEDGER_UNAVAILABLE, MIN_FREE_BYTES } from './ledger.ts';
import { createWhileOpen, type OpenLedger } from './while-open.ts';

/** What only the service itself does with its ledger. */
type OwnAlone = 'check' | 'backupBegins' | 'close';
type OfClip = 'openClip' | 'enterClips' | 'sealClip' | 'loseClip' | 'recoverClip';

/** The ledger of a process that must go on without one. */
export type LedgerService = Service &
  Omit<Ledger, OwnAlone | OfClip> &
  Pick<BegunClips, 'openClip' | 'sealClip' | 'recoverClip'>;

export interface LedgerServiceDeps extends Omit<LedgerDeps, 'ownership' | 'writing'> {
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  /** Looks the database over before it is opened, and mends or replaces it. */
  readonly care: Care;
  /** The ledger has been opened: what waited for it may go on. */
  readonly onOpen: () => void;
  /** Waits between two tries to open it. */
  readonly retry?: BackoffPolicy;
}

/** The first tries are close together: a predecessor that was killed lets go within seconds. */
const RETRY: BackoffPolicy = { minMs: 250, maxMs: 15_000 };

/** Opening it may take so long before it is told. */
const SLOW_MS = 5_000;
/** Opens the ledger in the background, keeps it open, and opens it again whenever it cannot be used.
 *  Invariants
 *  1. `start` returns at once and nothing it begins throws: whatever is wrong with the folder, the database or a row,
 *     the process goes on, and condition `ledger-unavailable` says why until it is open.
 *  2. While it is not open, every call throws `Failure` transient `ledger.unavailable`, at once. Only clips begin and
 *     end all the same, as long as this process owns the folder (`begun-clips.ts`).
 *  3. It is opened only after `care` has found its database whole, and never while another process owns it.
 *  4. Clips that are being written when it has to be opened again stay theirs who write them.
 *  5. Damage that is met while it is open ends no process: it is closed, looked over, and opened again. */
// oxlint-disable-next-line max-lines-per-function -- opening, use and the next opening hand the one open ledger on to each other; a sixth of it lists the calls that go through
export function createLedgerService(deps: LedgerServiceDeps): LedgerService {
  const { dir, clock, log, conditions, care, onOpen, retry = RETRY } = deps;
  const stopping = new AbortController();
  const writing = new Set<string>();
  const doubts = createDoubts({ clock });
  let running: Promise<void> = Promise.resolve();
  let why = 'the ledger is being opened';
  let open: OpenLedger | undefined;
  const isOpen = () => open !== undefined && !open.over.signal.aborted;
  const rowless = createRowlessClips({
    ...{ dir, maxBytes: deps.maxBytes, minFreeBytes: deps.minFreeBytes ?? MIN_FREE_BYTES },
    freeBytes: deps.freeBytes ?? (() => freeBytesOf(dir)),
  });
  /** Kept while the ledger cannot be used, so that clips can be recorded. */
  let owned: { readonly ownership: Ownership; readonly folder: string } | undefined;
  const begun = createBegunClips({
    ledger: {
      openClip: through('openClip'),
      enterClips: through('enterClips'),
      sealClip: through('sealClip'),
      recoverClip: through('recoverClip'),
      clip: through('clip'),
    },
    folder: () => owned?.folder,
    requireOwned() {
      if (!owned || stopping.signal.aborted) throw new Failure('transient', LEDGER_UNAVAILABLE, why);
      owned.ownership.confirm();
    },
    ...{ isOpen, rowless, writing, log },
  });

  const turn = through('tend');
  const whileOpen = createWhileOpen({
    ...{ dir, clock, log, conditions, care, onError: judge },
    first: [
      // Messages stored by a process that died before it read them.
      { what: 'reading the messages that waited', work: (ledger) => ledger.drainInbox() },
      { what: 'telling what became of clips meanwhile', work: begun.settle },
      { what: 'telling that it is open', work: onOpen },
    ],
  });

  function disown(): void {
    owned?.ownership.release();
    owned = undefined;
  }

  /** @throws Failure `transient` `ledger.in-use` */
  async function own(): Promise<Ownership> {
    const { dev, ino } = statSync(dir, { bigint: true });
    const folder = `${dev}/${ino}`;
    if (owned?.folder === folder) {
      owned.ownership.confirm();
      return owned.ownership;
    }
    // Another disk is mounted there now.
    disown();
    const ownership = takeOwnership(dir, 0);
    owned = { ownership, folder };
    await rowless.learnIds();
    return ownership;
  }

  /** Ends the use of the ledger that failed, when only opening it again can help.
   *  @returns what the caller is told */
  function judge(error: unknown, from: OpenLedger): unknown {
    const failure = doubts.about(error);
    if (failure) from.over.abort(failure);
    return failure ?? error;
  }

  function through<K extends keyof Omit<Ledger, OwnAlone>>(name: K): Ledger[K] {
    const call = (...args: unknown[]): unknown => {
      const now = open;
      if (!now || now.over.signal.aborted) throw new Failure('transient', LEDGER_UNAVAILABLE, why);
      try {
        const result = (now.ledger[name] as (...args: unknown[]) => unknown)(...args);
        if (!(result instanceof Promise)) return result;
        return result.catch((error: unknown) => {
          throw judge(error, now);
        });
      } catch (error) {
        throw judge(error, now);
      }
    };
    return call as Ledger[K];
  }

  /** Opens it and returns when it must be opened again, or was closed for the stop.
   *  @throws Failure when it cannot be opened */
  async function serve(): Promise<void> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const ownership = await own();
    let ledger: Ledger;
    const looking = new AbortController();
    const slow = tellSlow(looking.signal);
    try {
      const finding = await care.look(stopping.signal);
      if (finding.state === 'mended') conditions.raise('ledger-mended', finding.sentence);
      if (finding.state === 'rebuilt') conditions.raise('ledger-rebuilt', finding.sentence);
      ledger = createLedger({ ...deps, ownership, writing });
    } finally {
      looking.abort();
      await slow;
    }
    const over = new AbortController();
    const now = { ledger, over };
    open = now;
    begun.opened();
    conditions.clear('ledger-unavailable');
    log.info({ event: 'ledger.open' }, 'the ledger is open');
    const tending = whileOpen(now);
    try {
      await aborted(AbortSignal.any([over.signal, stopping.signal]));
    } finally {
      open = undefined;
      over.abort();
      ledger.close();
      await tending;
    }
    if (over.signal.reason instanceof Failure) throw over.signal.reason;
  }

  async function tellSlow(signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, stopping.signal]);
    if (await sleepUnlessAborted(clock, SLOW_MS, over)) conditions.raise('ledger-unavailable', why);
  }

  async function run(): Promise<void> {
    for (let tries = 0; !stopping.signal.aborted; tries += 1) {
      try {
        const openedMs = clock.monotonicMs();
        await serve().finally(() => {
          // One that was of use for a while is not the reason why the next try waits.
          if (clock.monotonicMs() - openedMs > retry.maxMs) tries = 0;
        });
      } catch (error) {
        if (stopping.signal.aborted) return;
        const failure = classify(error, 'ledger.open');
        why = `the ledger cannot be used: ${failure.message}`;
        log.error({ event: 'ledger.unavailable', code: failure.code, err: failure }, why);
        conditions.raise('ledger-unavailable', why);
      }
      await sleepUnlessAborted(clock, backoffMs(retry, tries), stopping.signal);
    }
  }

  return {
    name: 'ledger',
    start: async () => {
      running = run().finally(disown);
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    openClip: begun.openClip,
    sealClip: begun.sealClip,
    recoverClip: begun.recoverClip,
    leaseNext: through('leaseNext'),
    settleUploaded: through('settleUploaded'),
    settleFailed: through('settleFailed'),
    settleParked: through('settleParked'),
    noteNotInStorage: through('noteNotInStorage'),
    returnParked: through('returnParked'),
    retryClip: through('retryClip'),
    parked: through('parked'),
    nextLeaseInMs: through('nextLeaseInMs'),
    storeMessage: through('storeMessage'),
    drainInbox: through('drainInbox'),
    noteRefusedVerdict: through('noteRefusedVerdict'),
    applyVerdict: through('applyVerdict'),
    awaitingVerdict: through('awaitingVerdict'),
    judgedPersons: through('judgedPersons'),
    glance: through('glance'),
    lastChange: through('lastChange'),
    changes: through('changes'),
    returnToQueue: through('returnToQueue'),
    tell: through('tell'),
    outgoing: through('outgoing'),
    settleOutgoing: through('settleOutgoing'),
    clip: through('clip'),
    clips: through('clips'),
    custody: through('custody'),
    summary: through('summary'),
    tend: async () => {
      const late = await begun.settle();
      const { sealed } = await turn();
      return { sealed: sealed + late };
    },
  };
}
