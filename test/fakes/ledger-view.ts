import type { LedgerRead } from '../../agent/dashboard/routes.ts';
import type { Clip, CustodyEntry } from '../../agent/ledger/ledger.ts';

export type LedgerView = LedgerRead;

/** The read side of a ledger over clips held in memory. Change the list, and the next question sees it. */
export function createLedgerView(
  clips: Clip[],
  custody: ReadonlyMap<string, CustodyEntry[]> = new Map(),
): LedgerView {
  /** What each clip was when it was looked at last, and the number of the change that made it so. */
  const seen = new Map<string, { readonly was: string; readonly change: number }>();
  let last = 0;
  function look(): void {
    for (const clip of clips) {
      const was = JSON.stringify(clip);
      if (seen.get(clip.clipId)?.was !== was) seen.set(clip.clipId, { was, change: (last += 1) });
    }
  }
  const count = (...states: Clip['state'][]) => clips.filter(({ state }) => states.includes(state)).length;
  return {
    clip: (clipId) => clips.find((clip) => clip.clipId === clipId),
    clips: ({ limit, beforeClipId = '~' }) =>
      clips
        .filter(({ clipId }) => clipId < beforeClipId)
        .toSorted((a, b) => (a.clipId < b.clipId ? 1 : -1))
        .slice(0, limit),
    custody: (clipId) => custody.get(clipId) ?? [],
    judgedPersons: (sinceMs) =>
      clips.filter(
        ({ state, judgedMs, verdict }) =>
          state === 'judged' && verdict?.verdict === 'person' && (judgedMs ?? 0) >= sinceMs,
      ),
    lastChange: () => {
      look();
      return last;
    },
    changes: ({ after, limit }) => {
      look();
      const found = clips.filter(({ clipId }) => (seen.get(clipId)?.change ?? 0) > after);
      return { clips: found.slice(0, limit), isWhole: found.length <= limit };
    },
    glance: ({ fromMs, toMs, newest }) => {
      const found = clips.toSorted((a, b) => (a.clipId < b.clipId ? 1 : -1)).slice(0, newest);
      const oldest = found.at(-1);
      return {
        clips: found
          .filter(({ triggeredMs }) => triggeredMs >= fromMs && triggeredMs < toMs)
          .map(({ clipId, cameraId, state, triggeredMs, verdict }) => ({
            ...{ clipId, cameraId, state, triggeredMs },
            verdict: verdict?.verdict ?? null,
            revision: verdict?.best_frame ? verdict.revision : null,
          })),
        reachesBack: found.length < newest || oldest === undefined || oldest.triggeredMs < fromMs,
      };
    },
    // As if no upload had been long ago.
    awaitingVerdict: () => [],
    summary: () => ({
      clips: clips.length,
      waiting: count('sealed', 'uploading'),
      awaitingVerdict: count('uploaded'),
      bytes: clips.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      bytesOnlyHere: clips
        .filter(({ state }) => !['uploaded', 'judged', 'lost'].includes(state))
        .reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      oldestWaitingMs: clips.find(({ state }) => state === 'sealed')?.triggeredMs ?? null,
      outgoing: 0,
      eventsDropped: 0,
    }),
  };
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The n-th clip id: later ones are greater. */
export const clipIdOf = (n: number): string =>
  `01M0000000000000000000${[15, 10, 5, 0].map((shift) => CROCKFORD[(n >> shift) & 31]).join('')}`;

/** A clip that has been sealed and waits, unless told otherwise. */
export function someClip(n: number, changes: Partial<Clip> = {}): Clip {
  const clipId = clipIdOf(n);
  const triggeredMs = changes.triggeredMs ?? Date.UTC(2026, 10, 20, 12, 0, n);
  return {
    clipId,
    cameraId: 'gate',
    state: 'sealed',
    file: `/nowhere/${clipId}.mp4`,
    partFile: `/nowhere/${clipId}.mp4.part`,
    blobName: `gate/2026/11/20/${clipId}.mp4`,
    clockQuality: 'synchronised',
    triggeredMs,
    startedMs: triggeredMs - 5000,
    sealedMs: triggeredMs + 37_000,
    uploadedMs: null,
    judgedMs: null,
    preRollMs: 5000,
    durationMs: 42_000,
    bytes: 5_200_000,
    sha256: null,
    blobUrl: null,
    attempt: 0,
    verdict: null,
    reason: null,
    ...changes,
  };
}
