import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import type { Failure } from '../kernel/failure.ts';
import type { Breathe } from './breathe.ts';
import type { Budget } from './disk/budget.ts';
import type { Checked } from './check/check.ts';
import type { ClipsRoot } from './clips/clips-root.ts';
import { isOfDatabase } from './database/database.ts';
import type { DiskReserve } from './disk/disk-reserve.ts';
import type { Folding } from './clips/folding.ts';
import type { Losses } from './clips/losses.ts';
import type { Quarantine } from './disk/quarantine.ts';
import type { Removal } from './disk/removal.ts';
import { TO_BE_ASKED } from './queues/storage-answer.ts';
import type { Unsealed } from './clips/unsealed.ts';

/** How often all files are looked for; while some are away, more often. */
const LOOK_EVERY_MS = 60 * 60_000;
const LOOK_WHILE_AWAY_MS = 60_000;
/** And after a look that the disk kept from repairing something: one that fails for ever costs no more than usual. */
const LOOK_AGAIN: BackoffPolicy = { minMs: LOOK_WHILE_AWAY_MS, maxMs: LOOK_EVERY_MS };

export interface TendingDeps {
  readonly root: ClipsRoot;
  readonly budget: Budget;
  readonly reserve: DiskReserve;
  readonly quarantine: Quarantine;
  readonly removal: Pick<Removal, 'finish'>;
  readonly unsealed: Unsealed;
  readonly losses: Pick<Losses, 'expire'>;
  readonly folding: Folding;
  /** Takes what is committed out of the log into the database. */
  readonly emptyLog: () => void;
  /** Compares rows with files, and repairs. */
  readonly look: () => Promise<Looked>;
  readonly breathe: Breathe;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

type Looked = Pick<Checked, 'away' | 'asked' | 'aside' | 'again'>;

export interface Tending {
  /** One turn. Each part is done whatever becomes of the others.
   *  @throws Failure the first one of a part */
  tend(): Promise<{ sealed: number }>;
  /** Says what a look at all files found, wherever it was asked for. */
  looked(found: Looked): void;
}

/** What the ledger does beside its work: makes room before it is needed, seals what had to wait, fills the reserve,
 *  keeps the quarantine's bound, folds clips of long ago, empties the log, looks for files that are away. */
export function createTending(deps: TendingDeps): Tending {
  const {
    root,
    budget,
    reserve,
    quarantine,
    removal,
    unsealed,
    losses,
    folding,
    breathe,
    conditions,
    clock,
  } = deps;
  let lookDueMs = clock.monotonicMs() + LOOK_EVERY_MS;
  /** Looks one after another that could not repair all. */
  let unrepaired = 0;
  let filesAway: readonly string[] = [];
  let wasAway = root.away() !== undefined;

  function sayAway(): boolean {
    const unmounted = root.away();
    const away = unmounted === undefined ? filesAway : [unmounted, ...filesAway];
    if (away.length === 0) conditions.clear('clips-missing');
    else conditions.raise('clips-missing', away.join('; '));
    return away.length > 0;
  }

  function sayAsked(clips: number): void {
    if (clips === 0) conditions.clear('clips-asked-for');
    else
      conditions.raise(
        'clips-asked-for',
        `${clips === 1 ? 'the file of a clip is' : `the files of ${clips} clips are`} gone or damaged; ${TO_BE_ASKED}`,
      );
  }

  function sayAside(aside: readonly string[]): void {
    const [first, ...others] = aside;
    if (first === undefined) conditions.clear('clips-aside');
    else conditions.raise('clips-aside', others.length === 0 ? first : `${first}; ${others.length} more`);
  }

  function looked({ away, asked, aside, again }: Looked): void {
    filesAway = away;
    sayAsked(asked);
    sayAside(aside);
    const isSoon = sayAway() || asked > 0 || aside.length > 0;
    const usualMs = again > 0 ? backoffMs(LOOK_AGAIN, unrepaired) : LOOK_EVERY_MS;
    unrepaired = again > 0 ? unrepaired + 1 : 0;
    lookDueMs = clock.monotonicMs() + (isSoon ? LOOK_WHILE_AWAY_MS : usualMs);
  }

  return {
    looked,
    async tend() {
      let sealed = 0;
      const parts: (() => Promise<void>)[] = [
        async () => removal.finish(),
        async () => losses.expire(),
        async () => {
          root.remember();
          const isAway = root.away() !== undefined;
          sayAway();
          // The disk went, or is back: what is away with it is looked at now.
          if (isAway !== wasAway) lookDueMs = clock.monotonicMs();
          wasAway = isAway;
        },
        async () => {
          if (root.away() === undefined) await budget.makeRoomAhead(breathe);
        },
        async () => {
          sealed = await unsealed.retry(breathe);
        },
        () => reserve.restore(breathe),
        () => quarantine.keepBound(breathe),
        async () => {
          // What was lost may lie on the disk that is away.
          if (root.away() === undefined) folding.step();
        },
        // What a damaged log could cost is no older than the last turn.
        async () => deps.emptyLog(),
        async () => {
          if (clock.monotonicMs() < lookDueMs) return;
          // Whatever becomes of it, not again at once.
          lookDueMs = clock.monotonicMs() + LOOK_WHILE_AWAY_MS;
          looked(await deps.look());
        },
      ];
      let first: Failure | undefined;
      for (const part of parts)
        try {
          await part();
          await breathe();
        } catch (error) {
          const failure = classify(error, 'ledger.tend');
          if (failure.code === 'ledger.closed' || isOfDatabase(failure)) throw failure;
          first ??= failure;
        }
      if (first) throw first;
      return { sealed };
    },
  };
}
