import { ContractError, parse, Verdict, verdictBlobName } from '@dachawatch/contracts';
import { backoffMs, type BackoffPolicy } from '../kernel/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { type Log, redact } from '../kernel/log.ts';
import type { Clip, Ledger } from '../ledger/ledger.ts';
import type { OpenBlob } from './blob-door.ts';
import { ONLY_READ, type Tickets } from './tickets.ts';

/** A verdict names at most a few dozen boxes. */
const VERDICT_MAX_BYTES = 256 * 1024;
/** Clips looked through for one that is due. */
const CANDIDATES = 200;
/** A clip that has no verdict yet is asked for again after so long. */
const AGAIN: BackoffPolicy = { minMs: 3 * 60_000, maxMs: 60 * 60_000 };

export interface Reconciler {
  /** Asks storage for the verdicts of clips that wait longer than `ageMs`.
   *  @returns how many of them are settled now. Ends early, with a log line, at the first transient failure. */
  round(ageMs: number, signal: AbortSignal): Promise<number>;
}

export interface ReconcilerDeps {
  readonly ledger: Pick<Ledger, 'awaitingVerdict' | 'applyVerdict' | 'returnToQueue'>;
  readonly tickets: Tickets;
  readonly openBlob: OpenBlob;
  readonly clock: Clock;
  readonly log: Log;
  /** Most clips asked for in a round. */
  readonly perRound: number;
  readonly again?: BackoffPolicy;
  readonly random?: () => number;
}

/** The cloud-to-device message is a hint that may never come: the verdict lies beside the blob, and is read there.
 *  A clip whose blob is gone goes back to the queue. */
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { ledger, tickets, openBlob, clock, log, perRound, again = AGAIN, random } = deps;
  const asked = new Map<string, { readonly times: number; readonly nextMs: number }>();

  const due = (clip: Clip) => (asked.get(clip.clipId)?.nextMs ?? 0) <= clock.monotonicMs();

  function remember(clipId: string): void {
    const times = (asked.get(clipId)?.times ?? 0) + 1;
    asked.set(clipId, { times, nextMs: clock.monotonicMs() + backoffMs(again, times - 1, random) });
  }

  /** Those that are judged by now, or that so many others push out, are forgotten. */
  function forget(waiting: readonly Clip[]): void {
    const ids = new Set(waiting.map((clip) => clip.clipId));
    for (const id of asked.keys()) if (!ids.has(id)) asked.delete(id);
  }

  async function ask(clip: Clip, signal: AbortSignal): Promise<boolean> {
    const body = await tickets.use(verdictBlobName(clip.blobName), ONLY_READ, signal, (ticket) =>
      openBlob(ticket).read(VERDICT_MAX_BYTES, signal),
    );
    if (body) {
      const outcome = ledger.applyVerdict(verdictOf(clip, body));
      log.info(
        { event: 'verdict.fetched', clipId: clip.clipId, outcome },
        'verdict read from storage: its message has not come',
      );
      return true;
    }
    const found = await tickets.use(clip.blobName, ONLY_READ, signal, (ticket) =>
      openBlob(ticket).head(signal),
    );
    if (found) return false;
    ledger.returnToQueue(clip.clipId, 'the blob is not in storage any more');
    return true;
  }

  return {
    async round(ageMs, signal) {
      const waiting = ledger.awaitingVerdict(ageMs, CANDIDATES);
      forget(waiting);
      let settled = 0;
      for (const clip of waiting.filter(due).slice(0, perRound)) {
        if (signal.aborted) break;
        remember(clip.clipId);
        try {
          if (await ask(clip, signal)) settled++;
        } catch (error) {
          const failure = classify(error, 'upload.verdict');
          if (failure.kind === 'bug') throw failure;
          if (signal.aborted) break;
          log.warn(
            { event: 'verdict.fetch-failed', clipId: clip.clipId, code: failure.code },
            `the verdict could not be read: ${redact(failure.message)}`,
          );
          if (failure.kind === 'transient') break;
        }
      }
      return settled;
    },
  };
}

/** @throws Failure `rejected` when it is not the verdict of this clip */
function verdictOf(clip: Clip, body: Buffer): Verdict {
  let verdict: Verdict;
  try {
    verdict = parse(Verdict, JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (!(error instanceof ContractError || error instanceof SyntaxError)) throw error;
    throw new Failure('rejected', 'upload.verdict-unreadable', error.message, { cause: error });
  }
  if (verdict.clip_id === clip.clipId) return verdict;
  throw new Failure('rejected', 'upload.verdict-of-other', `it is the verdict of clip ${verdict.clip_id}`);
}
