import type { CodedPicture } from '../../packing/coded-pictures.ts';

/** A picture of the watched stream and when it was taken. */
export interface HeldPicture {
  readonly picture: CodedPicture;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export interface HeldPictures {
  add(held: HeldPicture): void;
  /** All from the newest key picture on that was taken at this moment or before it; where there is none any more, from
   *  the oldest that is there. */
  since(atMs: number): readonly HeldPicture[];
  /** Whatever was taken until this moment will not be asked for again. */
  forget(atMs: number): void;
}

/** Groups are at most 2.25 s long where they are needed: two of them at 30 pictures a second. There are two while a key
 *  picture is on its way through the decoder. */
const MOST = { pictures: 150, bytes: 8 * 1024 * 1024 } as const;

/** The newest groups of pictures as the camera coded them, so that they can be decoded afterwards.
 *  Invariant: at most `MOST` is held. A group that does not fit is forgotten from its beginning, which is of no use
 *  without the rest, so nothing of it is there until the next key picture. */
export function createHeldPictures(most: { pictures: number; bytes: number } = MOST): HeldPictures {
  /** The last group is the one that still grows; each begins with a key picture. */
  let groups: HeldPicture[][] = [];
  let bytes = 0;
  let pictures = 0;

  function forgetFirst(): void {
    for (const { picture } of groups.shift() ?? []) {
      bytes -= picture.bytes;
      pictures--;
    }
  }

  return {
    add: (held) => {
      if (held.picture.sets) groups.push([]);
      const current = groups.at(-1);
      if (!current) return;
      current.push(held);
      bytes += held.picture.bytes;
      pictures++;
      while (pictures > most.pictures || bytes > most.bytes) forgetFirst();
    },
    forget: (atMs) => {
      while ((groups[1]?.[0]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) forgetFirst();
    },
    since: (atMs) => {
      const first = groups.findLastIndex(([key]) => key !== undefined && key.atMs <= atMs);
      return groups.slice(Math.max(0, first)).flat();
    },
  };
}
