import { tagClip } from '../activities/tag-clip.ts';
import { brokenAnalysis, decideVerdict } from '../orchestrators/decide-verdict.ts';
import { laterInstanceId, openClipPlace } from '../ports/instance-places.ts';
import { json, type StoredBlob } from '../ports/storage.ts';
import { type ClipFacts, OVERDUE, type Runtime } from './clip-facts.ts';
import type { Move } from './next-move.ts';
import type { OpenClip } from './open-clips.ts';
import type { Publishing, PublishingDeps } from './publishing.ts';

export interface KeeperDeps extends PublishingDeps {
  readonly runtime: Runtime;
}

/** A clip that is kept, as it was read before the move. */
export interface KeptClip {
  readonly deps: KeeperDeps;
  readonly firstId: string;
  readonly facts: ClipFacts;
  /** The note that it is open. */
  readonly note: StoredBlob;
  readonly publishing: Publishing;
}

/** A clip whose tags cannot be written is kept open so long, and closed without. */
const TAGS_TRIED_MS = 24 * 3_600_000;

type MoveTo<D extends Move['do']> = Extract<Move, { readonly do: D }>;

/** How each move is made. They resolve with whether the clip can be gone on with at once; false: that is all for now. */
const MOVES: { readonly [D in Move['do']]: (move: MoveTo<D>, kept: KeptClip) => Promise<boolean> } = {
  wait: async () => false,
  start: async ({ again, revision }, { deps, facts, firstId, note }) => {
    const next: OpenClip = { ...facts.record, asked: facts.record.asked + (again ? 1 : 0) };
    if (!(await deps.storage.replaceBlob(openClipPlace(firstId), json(next), note.etag))) return false;
    const instanceId = revision > 1 ? laterInstanceId(firstId, revision) : firstId;
    await deps.runtime.start(instanceId, { record: next, revision });
    return false;
  },
  terminate: async ({ instanceId }, { deps }) => {
    await deps.runtime.terminate(instanceId, OVERDUE);
    return true;
  },
  judge: ({ result, revision }, { facts, publishing }) =>
    publishing.settle(facts.latest.instanceId, revision, decideVerdict(result)),
  'give-up': ({ revision, why }, { facts, publishing }) => {
    const judgement = brokenAnalysis({ code: 'never-judged', message: `${why}.` });
    return publishing.settle(facts.latest.instanceId, revision, judgement);
  },
  store: async ({ verdict }, { publishing }) => {
    await publishing.publish(verdict);
    return true;
  },
  tell: async ({ kind, verdict }, { publishing }) => (await publishing.tell(kind, verdict)) === undefined,
  correct: async ({ told, verdict, why }, { publishing }) => {
    await publishing.correct(verdict, told, why);
    return true;
  },
  close: async ({ verdict }, { deps, facts, firstId, note }) => {
    try {
      await tagClip(deps.storage, { clip: facts.record.clip, verdict });
    } catch (error) {
      deps.log.warn({ event: 'keeper.not-tagged', instanceId: firstId }, (error as Error).message);
      if (note.ageMs < TAGS_TRIED_MS) return false;
    }
    await deps.storage.deleteBlob(openClipPlace(firstId), note.etag);
    return false;
  },
};

/** @returns whether the clip can be gone on with at once */
export const makeMove = (move: Move, kept: KeptClip): Promise<boolean> =>
  // The table has the right function for each move; the compiler cannot follow that through the index.
  (MOVES[move.do] as (move: Move, kept: KeptClip) => Promise<boolean>)(move, kept);
