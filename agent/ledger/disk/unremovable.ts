import { backoffMs, type BackoffPolicy } from '../../kernel/waiting/backoff.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import type { Failure } from '../../kernel/failure.ts';
import type { ClipRow } from '../clips/clip-rows.ts';

const RETRY: BackoffPolicy = { minMs: 60_000, maxMs: 60 * 60_000 };
/** So many files of one camera in a row tell of a fault of its folder: the others need not be tried. */
const OF_A_FOLDER = 3;

/** Files that should have gone and did not. Held in memory: a new process tries them anew. */
export interface Unremovable {
  failed(row: Pick<ClipRow, 'clip_id' | 'camera_id'>, failure: Failure): void;
  gone(row: Pick<ClipRow, 'clip_id' | 'camera_id'>): void;
  /** Clips whose file could not be removed. They take no part in the byte budget, or others would go in their place. */
  clips(): readonly string[];
  /** Of those, what is left alone for now. */
  waitingClips(): readonly string[];
  /** Cameras whose clips are all left alone for now. */
  waitingCameras(): readonly string[];
  /** Files went and the disk got no room of it. Removing more would be in vain for a while. */
  inVain(): void;
  /** The disk got room. */
  inEarnest(): void;
  isInVain(): boolean;
}

interface Wait {
  readonly tries: number;
  readonly dueMs: number;
}

export function createUnremovable(deps: {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
}): Unremovable {
  const { clock, conditions } = deps;
  const files = new Map<string, Wait & { readonly why: string }>();
  const folders = new Map<string, Wait>();
  let vain: Wait | undefined;

  const later = (before: Wait | undefined): Wait => {
    const tries = (before?.tries ?? 0) + 1;
    return { tries, dueMs: clock.monotonicMs() + backoffMs(RETRY, tries - 1) };
  };
  const notDue = (waits: ReadonlyMap<string, Wait>, triesMin: number) => {
    const now = clock.monotonicMs();
    return [...waits].flatMap(([id, { tries, dueMs }]) => (tries >= triesMin && dueMs > now ? [id] : []));
  };

  function say(): void {
    const [first] = files.values();
    if (vain)
      conditions.raise('clip-unremovable', 'files were removed, but the disk has no more room than before');
    else if (first)
      conditions.raise(
        'clip-unremovable',
        `${files.size} clip files that may go cannot be removed: ${first.why}`,
      );
    else conditions.clear('clip-unremovable');
  }

  // What an earlier owner of the ledger has said is tried anew.
  say();

  return {
    failed({ clip_id, camera_id }, { message }) {
      files.set(clip_id, { ...later(files.get(clip_id)), why: message });
      folders.set(camera_id, later(folders.get(camera_id)));
      say();
    },
    gone({ clip_id, camera_id }) {
      folders.delete(camera_id);
      if (files.delete(clip_id)) say();
    },
    clips: () => [...files.keys()],
    waitingClips: () => notDue(files, 1),
    waitingCameras: () => notDue(folders, OF_A_FOLDER),
    inVain() {
      vain = later(vain);
      say();
    },
    inEarnest() {
      if (!vain) return;
      vain = undefined;
      say();
    },
    isInVain: () => vain !== undefined && clock.monotonicMs() < vain.dueMs,
  };
}
