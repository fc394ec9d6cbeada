import { openClipPlace } from '../ports/instance-places.ts';
import { MAX_DOCUMENT_BYTES } from '../ports/storage.ts';
import { readClipFacts } from './clip-facts.ts';
import { type KeeperDeps, makeMove } from './moves.ts';
import { type Move, nextMove } from './next-move.ts';
import { readOpenClip } from './open-clips.ts';
import { createPublishing } from './publishing.ts';

/** More than any clip needs in one go. */
const MOVES_MAX = 8;

/** Goes on with one open clip from what is stored about it.
 *  Invariants
 *  1. What is done follows from stored facts alone, so it does not matter who died before, or how often this runs.
 *  2. Each step is claimed or conditional (start marker, delivery record, revision, etag): of two keepers, or a keeper
 *     and an orchestration, one does it.
 *  3. A clip is closed by the etag read before its facts: what was stored meanwhile keeps it open.
 *  @returns what was done, in order */
export async function keepClip(deps: KeeperDeps, firstId: string): Promise<Move['do'][]> {
  const { storage, runtime, log } = deps;
  const done: Move['do'][] = [];

  for (let moves = 0; moves < MOVES_MAX; moves += 1) {
    const note = await storage.readBlob(openClipPlace(firstId), MAX_DOCUMENT_BYTES);
    if (!note) return done;
    const record = readOpenClip(note.bytes);
    if (!record) {
      log.warn(
        { event: 'keeper.unreadable-note', instanceId: firstId },
        'the note of an open clip is unreadable',
      );
      return done;
    }
    const facts = await readClipFacts(storage, runtime, firstId, record);
    const move = nextMove(facts);
    const publishing = createPublishing(deps, record.clip, firstId);
    const goesOn = await makeMove(move, { deps, firstId, facts, note, publishing });
    if (move.do !== 'wait') {
      done.push(move.do);
      log.info({ event: 'keeper.moved', instanceId: firstId, move: move.do }, record.clip.blobName);
    }
    if (!goesOn) return done;
  }
  return done;
}
