import { ContractError, contradictionIn, parseDocument, Verdict } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { ClipRows } from '../clips/clip-rows.ts';
import { mayHappen } from '../clips/clip-states.ts';

const REASON_MAX = 500;

/** What became of a message: `reason` says why it was refused. */
export interface Read {
  readonly outcome: 'applied' | 'already-known' | 'refused';
  readonly reason: string | null;
}

export const refusedBecause = (reason: string): Read => ({
  outcome: 'refused',
  reason: reason.slice(0, REASON_MAX),
});

export interface VerdictMessages {
  /** Applies a verdict if its revision is newer than the clip's. Must be called inside a transaction. */
  judge(verdict: Verdict): 'applied' | 'already-known' | 'unknown-clip' | 'too-early';
  /** Reads a message and applies what it says. Must be called inside a transaction.
   *  @throws what the database throws */
  read(body: Buffer): Read;
}

/** What cloud messages say, and what it does to clips. */
export function createVerdictMessages(rows: ClipRows, clock: Pick<Clock, 'nowMs'>): VerdictMessages {
  function judge(verdict: Verdict): ReturnType<VerdictMessages['judge']> {
    const row = rows.get(verdict.clip_id);
    // Of a clip of long ago nothing changes any more.
    if (!row) return rows.folded(verdict.clip_id) ? 'already-known' : 'unknown-clip';
    if (row.state === 'recording') return 'too-early';
    if (row.verdict_revision >= verdict.revision || !mayHappen(row.state, 'judge')) return 'already-known';
    const detail = `${verdict.verdict}, ${verdict.decision}, revision ${verdict.revision}`;
    rows.move(verdict.clip_id, 'judge', detail, {
      verdict: JSON.stringify(verdict),
      verdict_revision: verdict.revision,
      judged_ms: Math.round(clock.nowMs()),
    });
    return 'applied';
  }

  return {
    judge,
    read(body) {
      let verdict: Verdict;
      try {
        verdict = parseDocument(Verdict, body);
      } catch (error) {
        if (error instanceof ContractError) return refusedBecause(error.message);
        throw error;
      }
      const contradiction = contradictionIn(verdict);
      if (contradiction !== undefined) return refusedBecause(contradiction);
      const outcome = judge(verdict);
      if (outcome === 'too-early')
        return refusedBecause(`clip ${verdict.clip_id} is still being recorded: nobody can have seen it`);
      return outcome === 'unknown-clip'
        ? refusedBecause(`there is no clip ${verdict.clip_id} in the ledger`)
        : { outcome, reason: null };
    },
  };
}
