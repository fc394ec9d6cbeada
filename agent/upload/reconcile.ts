import {
  askBlobName,
  ContractError,
  contradictionIn,
  parseDocument,
  Verdict,
  verdictBlobName,
} from '@dachawatch/contracts';
import { backoffMs, type BackoffPolicy } from '../kernel/waiting/backoff.ts';
import { classify } from '../kernel/classify.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { type Log, redact } from '../kernel/log.ts';
import type { Clip, Ledger } from '../ledger/ledger.ts';
import type { OpenBlob } from './ticket-blob-client.ts';
import { DONE, ONLY_READ, type Tickets } from './tickets.ts';

/** A verdict names at most a few dozen boxes. */
const VERDICT_MAX_BYTES = 256 * 1024;
/** Clips looked through in a round for those that are due, from each end. */
const CANDIDATES = 200;
/** Clips of which it is known when they were asked for; the one asked longest ago is forgotten first. */
const ASKED_KEPT = 2_000;
/** So many questions in a row that are not answered: it is not the clips, it is the link. */
const SILENCE_BELIEVED = 3;

/** At the fourth question without a verdict, some twenty minutes after the first, the cloud is asked to analyse the clip
 *  again, and then at every sixth, some six hours apart. */
const ASKED_AGAIN_AT = 4;
const ASKED_AGAIN_EVERY = 6;
const isTimeToAskAgain = (questions: number) =>
  questions >= ASKED_AGAIN_AT && (questions - ASKED_AGAIN_AT) % ASKED_AGAIN_EVERY === 0;
/** That it is written is the question; what it says is read by nobody. */
const QUESTION = Buffer.from('{}');

export interface Reconciler {
  /** Asks storage for the verdicts of clips that wait longer than `ageMs`, and for later ones, a few at a time. What one
   *  question fails of keeps no other clip from being asked for; three in a row without an answer, or a service that
   *  asks to wait, end the round.
   *  @returns how many of them are settled now */
  round(ageMs: number, signal: AbortSignal): Promise<number>;
}

export interface ReconcilerDeps {
  readonly ledger: Pick<
    Ledger,
    'awaitingVerdict' | 'applyVerdict' | 'returnToQueue' | 'noteRefusedVerdict' | 'clip'
  >;
  readonly tickets: Tickets;
  readonly openBlob: OpenBlob;
  readonly clock: Clock;
  readonly log: Log;
  /** Most clips asked for in a round. */
  readonly perRound: number;
  /** A clip that has no verdict yet is asked for again after so long. */
  readonly again: BackoffPolicy;
  /** Judged clips of which there may be a later verdict. */
  readonly revisable: {
    due(): Clip[];
    asked(clip: Clip): void;
  };
  readonly random?: () => number;
}

/** The cloud-to-device message is a hint that may never come: the verdict lies beside the blob, and is read there.
 *  A clip whose blob is gone goes back to the queue.
 *  Invariants
 *  1. Every clip that waits gets its turn, however many wait: half of the questions go round, in the order of the ids,
 *     from where the round before ended; the other half go to the newest, which matter most.
 *  2. A clip is asked for less and less often, whatever came of the question.
 *  3. A judged clip takes one question of a round, and those that no waiting clip needs. */
// oxlint-disable-next-line max-lines-per-function -- whose turn it is and what came of asking change the same memory of who was asked when
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { ledger, tickets, openBlob, clock, log, perRound, again, random, revisable } = deps;
  const asked = new Map<string, { readonly times: number; readonly nextMs: number }>();

  const due = (clip: Clip) => (asked.get(clip.clipId)?.nextMs ?? 0) <= clock.monotonicMs();

  function remember(clipId: string): void {
    const times = (asked.get(clipId)?.times ?? 0) + 1;
    asked.delete(clipId);
    asked.set(clipId, { times, nextMs: clock.monotonicMs() + backoffMs(again, times - 1, random) });
    if (asked.size > ASKED_KEPT) asked.delete(asked.keys().next().value ?? '');
  }

  /** Where the round before ended. Empty: begin with the oldest. */
  let after = '';

  /** Clips that are due: a newest one and one that goes round in turn, none twice. Moves on only as far as they are
   *  taken. */
  function* turns(ageMs: number): Generator<Clip> {
    const newest = ledger.awaitingVerdict(ageMs, CANDIDATES, { before: '~' });
    const inTurn = ledger.awaitingVerdict(ageMs, CANDIDATES, { after });
    if (inTurn.length < CANDIDATES) inTurn.push(...ledger.awaitingVerdict(ageMs, CANDIDATES - inTurn.length));
    const nextOf = (clips: Clip[], passed: (clip: Clip) => void) => {
      for (let clip = clips.shift(); clip; clip = clips.shift()) {
        passed(clip);
        if (due(clip)) return clip;
      }
      return undefined;
    };
    for (;;) {
      const fresh = nextOf(newest, () => undefined);
      if (fresh) yield fresh;
      const next = nextOf(inTurn, ({ clipId }) => {
        after = clipId;
      });
      if (next) yield next;
      if (!fresh && !next) return;
    }
  }

  /** The cloud may have lost it: what is written beside the clip is told to it as the clip was. */
  async function askAgain({ clipId, blobName }: Clip, signal: AbortSignal): Promise<void> {
    await tickets.use(askBlobName(blobName), DONE, signal, (ticket, calmly) =>
      openBlob(ticket).write(QUESTION, calmly),
    );
    log.info({ event: 'verdict.asked-again', clipId }, 'no verdict yet: the cloud is asked again');
  }

  /** @returns what became of the verdict beside the clip; undefined when there is none */
  async function read(clip: Clip, signal: AbortSignal) {
    const body = await tickets.use(verdictBlobName(clip.blobName), ONLY_READ, signal, (ticket, calmly) =>
      openBlob(ticket).read(VERDICT_MAX_BYTES, calmly),
    );
    return body ? ledger.applyVerdict(verdictOf(clip, body)) : undefined;
  }

  const fetched = ({ clipId }: Clip, outcome: string) =>
    log.info(
      { event: 'verdict.fetched', clipId, outcome },
      'verdict read from storage: its message has not come',
    );

  /** Whether there is a later verdict than the clip's. */
  async function askForLater(clip: Clip, signal: AbortSignal): Promise<boolean> {
    const outcome = await read(clip, signal);
    if (outcome !== 'applied') return false;
    fetched(clip, outcome);
    return true;
  }

  async function ask(clip: Clip, signal: AbortSignal): Promise<boolean> {
    const outcome = await read(clip, signal);
    if (outcome !== undefined) {
      fetched(clip, outcome);
      return true;
    }
    const found = await tickets.use(clip.blobName, ONLY_READ, signal, (ticket, calmly) =>
      openBlob(ticket).head(calmly),
    );
    if (found && isTimeToAskAgain(asked.get(clip.clipId)?.times ?? 0)) await askAgain(clip, signal);
    // Its message may have come while storage was asked.
    if (found || ledger.clip(clip.clipId)?.state !== 'uploaded') return false;
    await ledger.returnToQueue(clip.clipId, 'the blob is not in storage any more');
    return true;
  }

  function* questions(ageMs: number): Generator<{ readonly clip: Clip; readonly put: typeof ask }> {
    const judged = revisable.due();
    const later = function* (clips: readonly Clip[]) {
      for (const clip of clips) {
        revisable.asked(clip);
        yield { clip, put: askForLater };
      }
    };
    yield* later(judged.slice(0, 1));
    for (const clip of turns(ageMs)) {
      remember(clip.clipId);
      yield { clip, put: ask };
    }
    yield* later(judged.slice(1));
  }

  return {
    async round(ageMs, signal) {
      let settled = 0;
      let count = 0;
      let silence = 0;
      for (const { clip, put } of questions(ageMs)) {
        if (signal.aborted) break;
        try {
          if (await put(clip, signal)) settled++;
          silence = 0;
        } catch (error) {
          if (signal.aborted) break;
          const failure = classify(error, 'upload.verdict');
          silence = failure.kind === 'transient' ? silence + 1 : 0;
          note(clip, failure);
        }
        count += 1;
        if (count >= perRound || silence >= SILENCE_BELIEVED || tickets.waitMs() > 0) break;
      }
      return settled;
    },
  };

  function note({ clipId }: Clip, failure: Failure): void {
    const message = redact(failure.message);
    log.warn(
      { event: 'verdict.fetch-failed', clipId, code: failure.code },
      `the verdict could not be read: ${message}`,
    );
    if (failure.kind !== 'rejected') return;
    try {
      ledger.noteRefusedVerdict(clipId, message);
    } catch (error) {
      const { code } = classify(error, 'upload.verdict-note');
      log.warn({ event: 'verdict.not-noted', clipId, code }, 'a refused verdict has no line of custody');
    }
  }
}

/** @throws Failure `rejected` when it is not the verdict of this clip */
function verdictOf(clip: Clip, body: Buffer): Verdict {
  let verdict: Verdict;
  try {
    verdict = parseDocument(Verdict, body);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new Failure('rejected', 'upload.verdict-unreadable', error.message, { cause: error });
  }
  if (verdict.clip_id !== clip.clipId)
    throw new Failure('rejected', 'upload.verdict-of-other', `it is the verdict of clip ${verdict.clip_id}`);
  const contradiction = contradictionIn(verdict);
  if (contradiction !== undefined)
    throw new Failure('rejected', 'upload.verdict-contradicts-itself', contradiction);
  return verdict;
}
