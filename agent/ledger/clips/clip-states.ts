import { Failure } from '../../kernel/failure.ts';

/** A clip's life. `CLIP_MOVES` holds the table of moves.
 *  recording: being written · sealed: whole and on disk, waits for the uploader · uploading: leased ·
 *  uploaded: in Blob Storage and notified · judged: has its verdict · parked: upload refused, kept, tried slowly ·
 *  lost: gone, with a reason */
export type ClipState = 'recording' | 'sealed' | 'uploading' | 'uploaded' | 'judged' | 'parked' | 'lost';

/** What can happen to a clip.
 *  seal: whole and on disk · lease: handed to the uploader · expire: the lease ran out or its process ended ·
 *  fail: the upload failed, again later · park: refused, kept, tried again slowly · upload: in Blob Storage · judge: a verdict came ·
 *  requeue: upload it again · unlink: its file was removed, the row stays · lose: given up, with a reason ·
 *  salvage: its file is not what was sealed, and what still plays of it is the clip now ·
 *  relink: its file is there again, and the row answers for it · restore: its file is there again, whole · reopen: what had been recorded of it is there again */
export type ClipEvent =
  | 'seal'
  | 'lease'
  | 'expire'
  | 'fail'
  | 'park'
  | 'upload'
  | 'judge'
  | 'requeue'
  | 'unlink'
  | 'relink'
  | 'salvage'
  | 'lose'
  | 'restore'
  | 'reopen';

/** The whole life of a clip. A move that is not here does not happen: it is a bug of the caller.
 *  A verdict may overtake the uploader's own knowledge (the answer to the commit was lost), so a clip that is not
 *  yet `uploaded` keeps its state when it is judged and becomes `judged` as soon as it is uploaded. One that is still
 *  being recorded has nothing to be judged. */
export const CLIP_MOVES = {
  recording: { seal: 'sealed', lose: 'lost' },
  sealed: { lease: 'uploading', salvage: 'sealed', judge: 'sealed', lose: 'lost' },
  uploading: {
    upload: 'uploaded',
    fail: 'sealed',
    park: 'parked',
    expire: 'sealed',
    judge: 'uploading',
    lose: 'lost',
  },
  uploaded: { judge: 'judged', unlink: 'uploaded', relink: 'uploaded', requeue: 'sealed', lose: 'lost' },
  judged: { judge: 'judged', unlink: 'judged', relink: 'judged' },
  parked: { judge: 'parked', requeue: 'sealed', salvage: 'sealed', lose: 'lost' },
  lost: { judge: 'lost', upload: 'uploaded', restore: 'sealed', reopen: 'recording' },
} as const satisfies Record<ClipState, Partial<Record<ClipEvent, ClipState>>>;

/** @returns the state after the event
 *  @throws Failure `bug` when the table has no such move */
export function nextState(clipId: string, state: ClipState, event: ClipEvent): ClipState {
  const moves: Partial<Record<ClipEvent, ClipState>> = CLIP_MOVES[state];
  const next = moves[event];
  if (next === undefined)
    throw new Failure('bug', 'ledger.move', `clip ${clipId} is ${state}: "${event}" cannot happen to it`);
  return next;
}

export const mayHappen = (state: ClipState, event: ClipEvent): boolean => event in CLIP_MOVES[state];
