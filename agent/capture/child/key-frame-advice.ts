import type { StreamName } from '../stream-error.ts';

export interface KeyFrameAdvice {
  /** A packet of the stream came. */
  packet(stream: StreamName, now: number): void;
  /** Something that can be used came: a fragment, a grey picture. */
  usable(stream: StreamName): void;
  /** A key frame of the main stream, at its media time. */
  keyFrame(mediaMs: number): void;
  /** How long packets have come without anything that can be used; 0 when all is well. */
  waitsMs(stream: StreamName, now: number): number;
  /** One sentence that says what is wrong and what to set; null when nothing is.
   *  @param overrun the newest group of pictures does not fit into memory */
  sentence(now: number, overrun: boolean): string | null;
}

/** Cameras are delivered with 1 to 4 s. A clip begins with a key frame: beyond this it begins much too early. */
export const LONG_GROUP_MS = 10_000;
const PATIENCE_MS = 5_000;
/** What to set in the camera, to stand behind what is wrong. */
export const SET_KEY_FRAMES =
  'set the key frame interval of this stream (I-frame interval, GOP length) to 1 to 2 seconds in the camera';

/** Notices that a camera's key frames are too far apart to record and to watch well. */
export function createKeyFrameAdvice(cameraId: string): KeyFrameAdvice {
  const waitsSinceMs = new Map<StreamName, number>();
  let lastKeyMs: number | undefined;
  let intervalMs = 0;

  function waitsMs(stream: StreamName, now: number): number {
    const since = waitsSinceMs.get(stream);
    return since === undefined ? 0 : now - since;
  }

  return {
    packet: (stream, now) => {
      if (!waitsSinceMs.has(stream)) waitsSinceMs.set(stream, now);
    },
    usable: (stream) => void waitsSinceMs.delete(stream),
    keyFrame: (mediaMs) => {
      if (lastKeyMs !== undefined) intervalMs = mediaMs - lastKeyMs;
      lastKeyMs = mediaMs;
    },
    waitsMs,
    sentence: (now, overrun) => {
      for (const stream of ['main', 'sub'] as const) {
        const waited = waitsMs(stream, now);
        if (waited < PATIENCE_MS) continue;
        const what = stream === 'main' ? 'recorded' : 'watched';
        return `camera ${cameraId}, ${stream} stream: its pictures come, but no key frame that can be decoded; nothing can be ${what} before the next one; ${SET_KEY_FRAMES}`;
      }
      if (overrun)
        return `camera ${cameraId}, main stream: so much comes between two key frames that memory does not hold it; what moves then is recorded from the next key frame on only; ${SET_KEY_FRAMES}`;
      if (intervalMs <= LONG_GROUP_MS) return null;
      const apart = Math.round(intervalMs / 1000);
      return `camera ${cameraId}, main stream: its key frames are ${apart} s apart, and a clip can begin with a key frame only; ${SET_KEY_FRAMES}`;
    },
  };
}
