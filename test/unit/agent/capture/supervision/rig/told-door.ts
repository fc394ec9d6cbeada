import type { AskedStream } from '../../../../../../agent/capture/rtsp/ask-stream.ts';
import type { CameraDoor, ClosedDoor } from '../../../../../../agent/capture/supervision/camera-door.ts';
import type { Clock } from '../../../../../../agent/kernel/clock.ts';

/** A camera door that answers what the test says. */
export function createToldDoor(clock: Pick<Clock, 'monotonicMs'>) {
  const asked: { readonly atMs: number; readonly streams: readonly AskedStream[] }[] = [];
  const refusals: string[] = [];
  const door = {
    /** What it answers; undefined: open. */
    closed: undefined as ClosedDoor | undefined,
    /** Holds up its answer: of everyone, or of one address. */
    holds: undefined as Promise<void> | undefined,
    holdsAt: new Map<string, Promise<void>>(),
    refusal: { detail: 'the login is refused', waitMs: 60_000 } as ClosedDoor,
    asked,
    refusals,
    ask: async (
      _cameraId: string,
      streams: readonly AskedStream[],
      signal: AbortSignal,
    ): Promise<ClosedDoor | undefined> => {
      asked.push({ atMs: clock.monotonicMs(), streams });
      const gaveUp = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      if (door.holds) await Promise.race([door.holds, gaveUp]);
      // Whoever is held here does not give up.
      await door.holdsAt.get(streams[0]?.address ?? '');
      return door.closed;
    },
    refused: (_cameraId: string, { name }: AskedStream): ClosedDoor => {
      refusals.push(name);
      return door.refusal;
    },
  } satisfies CameraDoor & Record<string, unknown>;
  return door;
}
