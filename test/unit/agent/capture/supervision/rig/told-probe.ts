import type { AskedStream } from '../../../../../../agent/capture/rtsp/ask-stream.ts';
import type { CameraProbe, Unwatchable } from '../../../../../../agent/capture/supervision/camera-probe.ts';
import type { Clock } from '../../../../../../agent/kernel/clock.ts';

/** A camera probe that answers what the test says. */
export function createToldProbe(clock: Pick<Clock, 'monotonicMs'>) {
  const asked: { readonly atMs: number; readonly streams: readonly AskedStream[] }[] = [];
  const refusals: string[] = [];
  const probe = {
    /** What it answers; undefined: open. */
    unwatchable: undefined as Unwatchable | undefined,
    /** Holds up its answer: of everyone, or of one address. */
    holds: undefined as Promise<void> | undefined,
    holdsAt: new Map<string, Promise<void>>(),
    refusal: { detail: 'the login is refused', waitMs: 60_000 } as Unwatchable,
    asked,
    refusals,
    ask: async (
      _cameraId: string,
      streams: readonly AskedStream[],
      signal: AbortSignal,
    ): Promise<Unwatchable | undefined> => {
      asked.push({ atMs: clock.monotonicMs(), streams });
      const gaveUp = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      if (probe.holds) await Promise.race([probe.holds, gaveUp]);
      // Whoever is held here does not give up.
      await probe.holdsAt.get(streams[0]?.address ?? '');
      return probe.unwatchable;
    },
    refused: (_cameraId: string, { name }: AskedStream): Unwatchable => {
      refusals.push(name);
      return probe.refusal;
    },
  } satisfies CameraProbe & Record<string, unknown>;
  return probe;
}
