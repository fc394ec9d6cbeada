import type { Clock } from '../kernel/clock.ts';
import type { Conditions } from '../kernel/conditions.ts';
import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import type { Checked } from './check/check.ts';
import type { ClipsRoot } from './clips/clips-root.ts';
import { TO_BE_ASKED } from './queues/storage-answer.ts';

/** How often all files are looked for; while some are away, more often. */
const LOOK_EVERY_MS = 60 * 60_000;
const LOOK_WHILE_AWAY_MS = 60_000;
/** And after a look that the disk kept from repairing something: one that fails for ever costs no more than usual. */
const LOOK_AGAIN: BackoffPolicy = { minMs: LOOK_WHILE_AWAY_MS, maxMs: LOOK_EVERY_MS };

/** What matters here of what a look found. */
export type Looked = Pick<Checked, 'away' | 'asked' | 'aside' | 'again'>;

/** When all files are looked for, and what is told of those that are missing. */
export interface FileLooks {
  /** Says what a look at all files found, wherever it was asked for. */
  looked(found: Looked): void;
  /** Says whether the folder of the clips is away; the next look is due when that has changed. */
  noteFolder(): void;
  /** Looks when it is due.
   *  @throws what the look throws; the next one is due a minute later */
  turn(): Promise<void>;
}

export function createFileLooks({
  root,
  look,
  conditions,
  clock,
}: {
  readonly root: Pick<ClipsRoot, 'away'>;
  /** Compares rows with files, and repairs. */
  readonly look: () => Promise<Looked>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}): FileLooks {
  let dueMs = clock.monotonicMs() + LOOK_EVERY_MS;
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
    dueMs = clock.monotonicMs() + (isSoon ? LOOK_WHILE_AWAY_MS : usualMs);
  }

  return {
    looked,
    noteFolder() {
      const isAway = root.away() !== undefined;
      sayAway();
      if (isAway !== wasAway) dueMs = clock.monotonicMs();
      wasAway = isAway;
    },
    async turn() {
      if (clock.monotonicMs() < dueMs) return;
      // Whatever becomes of it, not again at once.
      dueMs = clock.monotonicMs() + LOOK_WHILE_AWAY_MS;
      looked(await look());
    },
  };
}
