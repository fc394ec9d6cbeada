import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import { classify } from '../../kernel/classify.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import type { Breathe } from '../breathe.ts';
import type { WrittenClip } from './clip-files.ts';
import type { ClipRows } from './clip-rows.ts';
import type { Recovery } from './recovery.ts';

const RETRY: BackoffPolicy = { minMs: 5_000, maxMs: 5 * 60_000 };

/** Clips whose recording has ended and that could not be sealed yet. */
export interface Unsealed {
  /** @param written what its writer said; undefined when it died */
  wait(clipId: string, written: WrittenClip | undefined, why: string): void;
  /** Why it waits; undefined when it does not. */
  reasonOf(clipId: string): string | undefined;
  /** It need not wait any more. */
  settled(clipId: string): void;
  /** Tries those that are due. @returns how many are sealed now */
  retry(breathe: Breathe): Promise<number>;
}

interface Waiting {
  readonly written: WrittenClip | undefined;
  readonly why: string;
  readonly tries: number;
  readonly dueMs: number;
}

/** Holds what only the writer knew until the clip is sealed. It is lost with the process; the next start recovers the
 *  clip from its file, with estimated times. Bounded by the clips that were being recorded at one time. */
export function createUnsealed(deps: {
  readonly rows: Pick<ClipRows, 'get'>;
  readonly recovery: Pick<Recovery, 'recover'>;
  readonly seal: (clipId: string, written: WrittenClip, detail: string) => unknown;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly log: Log;
}): Unsealed {
  const { rows, recovery, seal, clock, conditions, log } = deps;
  const waiting = new Map<string, Waiting>();

  function say(): void {
    const [first] = waiting.values();
    if (first) conditions.raise('clip-unsealed', `${waiting.size} clips wait to be sealed: ${first.why}`);
    else conditions.clear('clip-unsealed');
  }

  /** @returns why it has to wait longer; undefined when it need not wait any more */
  async function attempt(clipId: string, written: WrittenClip | undefined): Promise<string | undefined> {
    const row = rows.get(clipId);
    if (row?.state !== 'recording') return undefined;
    if (written)
      try {
        seal(clipId, written, 'sealed when that was possible again');
        return undefined;
      } catch (error) {
        const failure = classify(error, 'ledger.seal');
        if (failure.kind !== 'corrupt') return failure.message;
      }
    const outcome = await recovery.recover(row, false);
    return typeof outcome === 'string' ? undefined : outcome.failed;
  }

  function wait(clipId: string, written: WrittenClip | undefined, why: string): void {
    const tries = waiting.get(clipId)?.tries ?? 0;
    const dueMs = clock.monotonicMs() + backoffMs(RETRY, tries);
    waiting.set(clipId, { written, why, tries: tries + 1, dueMs });
    say();
  }

  return {
    wait,
    settled(clipId) {
      if (waiting.delete(clipId)) say();
    },

    reasonOf: (clipId) => waiting.get(clipId)?.why,

    async retry(breathe) {
      let sealed = 0;
      for (const [clipId, { written, dueMs, tries }] of waiting) {
        if (dueMs > clock.monotonicMs()) continue;
        const why = await attempt(clipId, written);
        if (why !== undefined) wait(clipId, written, why);
        else {
          waiting.delete(clipId);
          if (rows.get(clipId)?.state === 'sealed') sealed += 1;
          log.info({ event: 'clip.sealed-late', clipId, tries }, 'a clip that had to wait is settled');
        }
        await breathe();
      }
      if (waiting.size === 0) say();
      return sealed;
    },
  };
}

/** Only a fault of the disk or of a file passes by itself. */
export const mayPass = (error: unknown): error is Failure => error instanceof Failure && error.kind !== 'bug';
