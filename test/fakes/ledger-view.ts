import type { Clip, CustodyEntry, Ledger } from '../../agent/ledger/ledger.ts';

export type LedgerView = Pick<
  Ledger,
  'clips' | 'clip' | 'custody' | 'summary' | 'judgedPersons' | 'awaitingVerdict'
>;

/** The read side of a ledger over clips held in memory. Change the list, and the next question sees it. */
export function createLedgerView(
  clips: Clip[],
  custody: ReadonlyMap<string, CustodyEntry[]> = new Map(),
): LedgerView {
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
