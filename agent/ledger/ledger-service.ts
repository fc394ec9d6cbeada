import { mkdirSync } from 'node:fs';
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
import { createOwnedFolder } from './database/owned-folder.ts';
import { freeBytesOf } from './disk/disk-use.ts';
import { createLedger, type Ledger, type LedgerDeps, LEDGER_UNAVAILABLE, MIN_FREE_BYTES } from './ledger.ts';
import { createOpenCalls } from './open-calls.ts';
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
export function createLedgerService(deps: LedgerServiceDeps): LedgerService {
  const { dir, clock, log, conditions, care, onOpen, retry = RETRY } = deps;
  const stopping = new AbortController();
  const writing = new Set<string>();
  const doubts = createDoubts({ clock });
  let running: Promise<void> = Promise.resolve();
  let why = 'the ledger is being opened';
  let open: OpenLedger | undefined;
  const isOpen = () => open !== undefined && !open.over.signal.aborted;
  const { calls, passedOn } = createOpenCalls({ open: () => open, why: () => why, judge });
  const rowless = createRowlessClips({
    ...{ dir, maxBytes: deps.maxBytes, minFreeBytes: deps.minFreeBytes ?? MIN_FREE_BYTES },
    freeBytes: deps.freeBytes ?? (() => freeBytesOf(dir)),
  });
  const folder = createOwnedFolder(dir, () => rowless.learnIds());
  const begun = createBegunClips({
    ledger: calls('openClip', 'enterClips', 'sealClip', 'recoverClip', 'clip'),
    folder: folder.identity,
    requireOwned() {
      if (stopping.signal.aborted || !folder.confirm())
        throw new Failure('transient', LEDGER_UNAVAILABLE, why);
    },
    ...{ isOpen, rowless, writing, log },
  });

  const opened = calls('tend');
  const whileOpen = createWhileOpen({
    ...{ dir, clock, log, conditions, care, onError: judge },
    first: [
      // Messages stored by a process that died before it read them.
      { what: 'reading the messages that waited', work: (ledger) => ledger.drainInbox() },
      { what: 'telling what became of clips meanwhile', work: begun.settle },
      { what: 'telling that it is open', work: onOpen },
    ],
  });

  /** Ends the use of the ledger that failed, when only opening it again can help.
   *  @returns what the caller is told */
  function judge(error: unknown, from: OpenLedger): unknown {
    const failure = doubts.about(error);
    if (failure) from.over.abort(failure);
    return failure ?? error;
  }

  /** Opens it and returns when it must be opened again, or was closed for the stop.
   *  @throws Failure when it cannot be opened */
  async function serve(): Promise<void> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const ownership = await folder.own();
    const ledger = await openLooked({ ...deps, ownership, writing }, () => why, stopping.signal);
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

  function failed(error: unknown): void {
    const failure = classify(error, 'ledger.open');
    why = `the ledger cannot be used: ${failure.message}`;
    log.error({ event: 'ledger.unavailable', code: failure.code, err: failure }, why);
    conditions.raise('ledger-unavailable', why);
  }

  return {
    name: 'ledger',
    start: async () => {
      running = serveAgain(serve, failed, { clock, retry, signal: stopping.signal }).finally(folder.disown);
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    openClip: begun.openClip,
    sealClip: begun.sealClip,
    recoverClip: begun.recoverClip,
    ...passedOn,
    tend: async () => {
      const late = await begun.settle();
      const { sealed } = await opened.tend();
      return { sealed: sealed + late };
    },
  };
}

/** Opens a ledger whose database `care` has found whole, and tells when that takes long.
 *  @param why what is told then */
async function openLooked(
  deps: LedgerDeps & Pick<LedgerServiceDeps, 'care' | 'conditions'>,
  why: () => string,
  signal: AbortSignal,
): Promise<Ledger> {
  const { care, clock, conditions } = deps;
  const looked = new AbortController();
  const slow = sleepUnlessAborted(clock, SLOW_MS, AbortSignal.any([looked.signal, signal])).then((isSlow) => {
    if (isSlow) conditions.raise('ledger-unavailable', why());
  });
  try {
    const finding = await care.look(signal);
    if (finding.state === 'mended') conditions.raise('ledger-mended', finding.sentence);
    if (finding.state === 'rebuilt') conditions.raise('ledger-rebuilt', finding.sentence);
    return createLedger(deps);
  } finally {
    looked.abort();
    await slow;
  }
}

/** Serves until the signal, again whenever it ends, after a wait that grows with each failure. */
async function serveAgain(
  serve: () => Promise<void>,
  failed: (error: unknown) => void,
  { clock, retry, signal }: Pick<LedgerServiceDeps, 'clock'> & { retry: BackoffPolicy; signal: AbortSignal },
): Promise<void> {
  for (let tries = 0; !signal.aborted; tries += 1) {
    const openedMs = clock.monotonicMs();
    try {
      await serve();
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
    }
    // One that was of use for a while is not the reason why the next try waits.
    if (clock.monotonicMs() - openedMs > retry.maxMs) tries = 0;
    await sleepUnlessAborted(clock, backoffMs(retry, tries), signal);
  }
}
