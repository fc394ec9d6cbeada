import type { Fragment } from '../mp4/fragment.ts';

export interface FragmentRing {
  push(fragment: Fragment): void;
  /** Fragments from the key frame at or before `mediaMs` on, as far as they have one format; from the oldest key frame
   *  when none is that old; empty when there is no key frame at all.
   *  @param formatFrom fragments of an earlier format do not count */
  from(mediaMs: number, formatFrom?: number): Fragment[];
  /** How much is kept from now on. What is gone does not come back: a longer ring fills as time passes. */
  keep(keepMs: number): void;
  /** What ends behind this media time does not leave by age: the next clip may begin there. Undefined: it may leave. */
  hold(fromMs: number | undefined): void;
  /** The newest group of pictures was too large: nothing can begin before the next key frame. */
  readonly overrun: boolean;
  readonly bytes: number;
  readonly count: number;
}

/** The newest video in memory, so that a clip can begin before its trigger.
 *  Invariants
 *  1. It begins with a key frame. One at least `keepMs` older than the newest fragment's end stays, and what is held,
 *     unless bytes forbid it.
 *  2. Only whole groups of pictures leave: by age, or to keep to `maxBytes`.
 *  3. The newest group alone may have `maxGroupBytes`. A larger one is let go of as a whole: without its key frame the
 *     rest is of no use. */
export function createFragmentRing({
  keepMs: initialKeepMs,
  maxBytes,
  maxGroupBytes = maxBytes,
}: {
  keepMs: number;
  maxBytes: number;
  maxGroupBytes?: number;
}): FragmentRing {
  let keepMs = initialKeepMs;
  let fragments: Fragment[] = [];
  let bytes = 0;
  let overrun = false;
  let heldFromMs = Number.POSITIVE_INFINITY;

  /** Index of the second key frame: where the ring would begin after its oldest group left. */
  function secondGroup(): number {
    for (let index = 1; index < fragments.length; index++)
      if (fragments[index]?.info.startsWithKeyFrame) return index;
    return -1;
  }

  function drop(count: number): void {
    for (const gone of fragments.slice(0, count)) bytes -= gone.bytes;
    fragments = fragments.slice(count);
  }

  function push(fragment: Fragment): void {
    if (fragment.info.startsWithKeyFrame) overrun = false;
    else if (fragments.length === 0) return;
    fragments.push(fragment);
    bytes += fragment.bytes;
    for (let next = secondGroup(); next > 0; next = secondGroup()) {
      const keptFromMs = Math.min(fragment.endMs - keepMs, heldFromMs);
      const old = (fragments[next] as Fragment).startMs <= keptFromMs;
      if (!old && bytes <= maxBytes) break;
      drop(next);
    }
    if (bytes > maxGroupBytes && fragments.length > 1) {
      overrun = true;
      drop(fragments.length);
    }
  }

  function from(mediaMs: number, formatFrom = 0): Fragment[] {
    let begin = -1;
    for (const [index, { info, format, startMs }] of fragments.entries()) {
      if (!info.startsWithKeyFrame || format.number < formatFrom) continue;
      if (begin >= 0 && startMs > mediaMs) break;
      begin = index;
    }
    if (begin < 0) return [];
    const found = fragments.slice(begin);
    const change = found.findIndex(({ format }) => format.number !== found[0]?.format.number);
    return change < 0 ? found : found.slice(0, change);
  }

  return {
    push,
    from,
    keep: (ms) => {
      keepMs = ms;
    },
    hold: (fromMs) => {
      heldFromMs = fromMs ?? Number.POSITIVE_INFINITY;
    },
    get overrun() {
      return overrun;
    },
    get bytes() {
      return bytes;
    },
    get count() {
      return fragments.length;
    },
  };
}
