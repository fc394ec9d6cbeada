import type { Fragment } from './fragment-reader.ts';

export interface FragmentRing {
  push(fragment: Fragment): void;
  /** Fragments from the key frame at or before `mediaMs` to the newest; from the oldest key frame when none is that
   *  old; empty when there is no key frame at all. */
  from(mediaMs: number): Fragment[];
  /** How much is kept from now on. What is gone does not come back: a longer ring fills as time passes. */
  keep(keepMs: number): void;
  readonly bytes: number;
  readonly count: number;
}

/** The newest video in memory, so that a clip can begin before its trigger.
 *  Invariants
 *  1. A key frame at least `keepMs` older than the newest fragment's end stays, unless bytes forbid it.
 *  2. Never more than `maxBytes`, except for one single fragment that is larger by itself.
 *  3. Whole groups of pictures leave by age; single fragments leave by bytes. */
export function createFragmentRing({
  keepMs: initialKeepMs,
  maxBytes,
}: {
  keepMs: number;
  maxBytes: number;
}): FragmentRing {
  let keepMs = initialKeepMs;
  let fragments: Fragment[] = [];
  let bytes = 0;

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
    fragments.push(fragment);
    bytes += fragment.bytes;
    for (let next = secondGroup(); next > 0; next = secondGroup()) {
      if ((fragments[next] as Fragment).startMs > fragment.endMs - keepMs) break;
      drop(next);
    }
    while (bytes > maxBytes && fragments.length > 1) drop(1);
  }

  function from(mediaMs: number): Fragment[] {
    let begin = -1;
    for (const [index, { info, startMs }] of fragments.entries()) {
      if (!info.startsWithKeyFrame) continue;
      if (begin >= 0 && startMs > mediaMs) break;
      begin = index;
    }
    return begin < 0 ? [] : fragments.slice(begin);
  }

  return {
    push,
    from,
    keep: (ms) => {
      keepMs = ms;
    },
    get bytes() {
      return bytes;
    },
    get count() {
      return fragments.length;
    },
  };
}
